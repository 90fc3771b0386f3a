import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as lz4 from "lz4-napi"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { crc32 } from "node:zlib"
import zlib from "node:zlib"
import { reader } from "../../../src/segment/kbak/KbakReader.ts"
import { SegmentError } from "../../../src/segment/SegmentError.ts"
import { batchOf, type PlainRecord, stream } from "../plainRecords.ts"
import { pieces, readAll, some } from "../reading.ts"
import { write } from "../writing.ts"

/** Why the file is refused; fails the test when it is not. */
const damage = (file: Buffer, pieceBytes?: number) =>
  Effect.map(Effect.flip(reader.inspect("a key", pieces(file, pieceBytes))), (error) => {
    assert.strictEqual(error.reason._tag, "SegmentDamaged")
    return error.message
  })

const codecByte = { none: 0, zstd: 1, lz4: 2 } as const
/** A file as another writer may have made it, with a good checksum over whatever is in it. */
const file = (
  compression: keyof typeof codecByte,
  body: Buffer,
  count: number,
  first: number,
  last: number
): Buffer => {
  const head = Buffer.alloc(32)
  head.write("KBAK")
  head[4] = 1
  head[5] = codecByte[compression]
  head.writeBigUInt64LE(BigInt(count), 8)
  head.writeBigInt64LE(BigInt(first), 16)
  head.writeBigInt64LE(BigInt(last), 24)
  const foot = Buffer.alloc(8)
  foot.writeUInt32LE(crc32(Buffer.concat([head, body])))
  foot.write("BKAE", 4)
  return Buffer.concat([head, body, foot])
}

describe("KbakReader", () => {
  it.live("reads a zstd body that is one frame without content size or checksum, or with a frame to skip", () =>
    Effect.gen(function* () {
      const records = some(5000, 300)
      const whole = stream(records)
      const oneFrame = execFileSync("zstd", ["-c", "--no-check", "--no-content-size", "-1"], {
        input: whole,
        maxBuffer: 1e9
      })
      const half = Math.floor(whole.length / 2) // in the middle of a record
      const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9])
      const several = Buffer.concat([
        skippable,
        zlib.zstdCompressSync(whole.subarray(0, half)),
        zlib.zstdCompressSync(Buffer.alloc(0)),
        skippable,
        zlib.zstdCompressSync(whole.subarray(half))
      ])
      for (const body of [oneFrame, several])
        for (const pieceBytes of [11, 4096, 1e9])
          assert.deepStrictEqual(
            yield* readAll(reader, pieces(file("zstd", body, 5000, 100, 10_098), pieceBytes)),
            records
          )
    })
  )

  it.live("reads frames of every size at once, gives records that last, and runs that last until the next one", () =>
    Effect.gen(function* () {
      const records = some(9000, 1000)
      const whole = stream(records)
      const cuts = [0, 1, 17, 5000, 70_000, 70_000 + 4 * 1024 * 1024, whole.length]
      const frames = cuts.slice(1).map((until, i) => zlib.zstdCompressSync(whole.subarray(cuts[i], until)))
      const sized = cuts.slice(1).map((until, i) => {
        const input = whole.subarray(cuts[i], until)
        return zlib.zstdCompressSync(input, { pledgedSrcSize: input.length })
      })
      for (const body of [Buffer.concat(frames), Buffer.concat(sized)]) {
        for (const pieceBytes of [1000, 70_000, 1e9]) {
          const segment = () => pieces(file("zstd", body, 9000, 100, 18_098), pieceBytes)
          assert.deepStrictEqual(yield* readAll(reader, segment()), records)
          const copies: Array<Buffer> = []
          yield* Stream.runForEach(reader.runs("a key", segment()), (run) =>
            Effect.sync(() => void copies.push(Buffer.from(run)))
          )
          assert.isTrue(Buffer.concat(copies).equals(whole))
        }
      }
    })
  )

  it.live("frees no memory that a decoder still writes to, where a frame is inflated in pieces", () =>
    Effect.gen(function* () {
      // Half of it cannot be made shorter: a decoder is often done with its input while there is room for more output.
      const values = (count: number) =>
        some(count).map((record) => ({ ...record, value: Buffer.concat([randomBytes(500), Buffer.alloc(500, 97)]) }))
      for (const [count, isSized] of [
        [1000, false],
        [5000, true]
      ] as const) {
        const whole = stream(values(count))
        const body = isSized
          ? zlib.zstdCompressSync(whole, { pledgedSrcSize: whole.length })
          : execFileSync("zstd", ["-c", "--no-content-size", "-1"], { input: whole, maxBuffer: 1e9 })
        for (const pieceBytes of [16_384, 65_536]) {
          const segment = () => pieces(file("zstd", body, count, 100, 98 + 2 * count), pieceBytes)
          const copies: Array<Buffer> = []
          yield* Stream.runForEach(reader.runs("a key", segment()), (run) =>
            Effect.andThen(
              Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
              Effect.sync(() => void copies.push(Buffer.from(run)))
            )
          )
          assert.isTrue(Buffer.concat(copies).equals(whole))
          assert.strictEqual((yield* reader.inspect("a key", segment())).recordCount, count)
        }
      }
    })
  )

  it.effect("reads a file without records", () =>
    Effect.gen(function* () {
      const content = yield* reader.inspect("a key", pieces(file("none", Buffer.alloc(0), 0, 0, 0)))
      assert.deepInclude(content, { recordCount: 0, firstOffset: -1, lastOffset: -1, storedBytes: 40 })
    })
  )
})

describe("KbakReader finds", () => {
  it.effect("what a writer did wrong before it made the checksum", () =>
    Effect.gen(function* () {
      const records = some(10)
      const whole = stream(records)
      const swapped = stream([...records.slice(0, 5), records[6]!, records[5]!, ...records.slice(7)])
      const twice = stream([...records.slice(0, 5), records[4]!, ...records.slice(6)])
      const cases: ReadonlyArray<readonly [said: string, body: Buffer, count: number, first: number, last: number]> = [
        ["has 10 records, but its header says 11", whole, 11, 100, 118],
        ["has more records than the 9 of its header", whole, 9, 100, 118],
        ["has a record with offset 118, but its header says 100 to 117", whole, 10, 100, 117],
        ["has a record with offset 100, but its header says 101 to 118", whole, 10, 101, 118],
        ["has offsets 100 to 118, but its header says 100 to 119", whole, 10, 100, 119],
        ["has offset 108 after offset 108", twice, 10, 100, 118],
        ["has offset 110 after offset 112", swapped, 10, 100, 118],
        ["contradicts itself", whole, 30, 100, 118],
        ["ends in the middle of a record", whole.subarray(0, -1), 10, 100, 118],
        ["invalid length 0", Buffer.concat([whole, Buffer.alloc(5)]), 10, 100, 118]
      ]
      for (const [said, body, count, first, last] of cases) {
        assert.include(yield* damage(file("none", body, count, first, last)), said)
        assert.include(yield* damage(file("zstd", zlib.zstdCompressSync(body), count, first, last)), said)
        assert.include(yield* damage(file("lz4", lz4.compressSync(body), count, first, last)), said)
      }
    })
  )

  it.effect("lengths inside of a record that do not add up", () =>
    Effect.gen(function* () {
      const record: PlainRecord = {
        offset: 7n,
        timestamp: 0n,
        key: Buffer.from("key"),
        value: Buffer.from("value"),
        headers: [[Buffer.from("h"), Buffer.from("x")]]
      }
      const good = stream([record])
      assert.strictEqual((yield* reader.inspect("a key", pieces(file("none", good, 1, 7, 7)))).recordCount, 1)
      // Positions of key length, value length, header count, header key length, header value length.
      for (const at of [20, 27, 36, 38, 41])
        for (const wrong of [0, 2, 9, 250]) {
          const bad = Buffer.from(good)
          bad[at] = wrong
          assert.include(yield* damage(file("none", bad, 1, 7, 7)), "offset 7", `${at} ${wrong}`)
        }
      for (const at of [20, 27, 41]) {
        const bad = Buffer.from(good)
        bad.writeInt32LE(-2, at)
        assert.include(yield* damage(file("none", bad, 1, 7, 7)), "offset 7")
      }
    })
  )

  it.effect("zstd bodies that end early, go on as something else, or are cut between frames", () =>
    Effect.gen(function* () {
      const records = some(10)
      const frame = zlib.zstdCompressSync(stream(records))
      const cut = file("zstd", frame.subarray(0, -2), 10, 100, 118)
      assert.include(yield* damage(cut), "zstd: it ends in the middle of a frame")
      const tail = file("zstd", Buffer.concat([frame, Buffer.from("hello, world")]), 10, 100, 118)
      assert.include(yield* damage(tail), "where a frame should begin there is none")
      const missing = file("zstd", zlib.zstdCompressSync(stream(records.slice(0, 6))), 10, 100, 118)
      assert.include(
        yield* damage(missing),
        "6 of 10 records were read, up to offset 110; affected: offsets 111 to 118"
      )
    })
  )

  it.effect("zstd sizes that are not true", () =>
    Effect.gen(function* () {
      const plain = stream(some(10))
      const body = zlib.zstdCompressSync(plain, { pledgedSrcSize: plain.length })
      // One segment, with a content size of two bytes, from which 256 are left out.
      assert.strictEqual(body[4]! >> 5, 3)
      for (const size of [plain.length - 1, plain.length + 1, 256, 60_000]) {
        const bad = Buffer.from(body)
        bad.writeUInt16LE(size - 256, 5)
        assert.include(yield* damage(file("zstd", bad, 10, 100, 118)), "frame number 1 is damaged")
      }
    })
  )

  it.effect("lz4 sizes that are not true", () =>
    Effect.gen(function* () {
      const body = lz4.compressSync(stream(some(10)))
      for (const [size, said] of [
        [0xffff_ffff, "lz4: the block inflates to"],
        [body.readUInt32LE(0) + 1, "lz4: the block inflates to"],
        [body.readUInt32LE(0) - 1, "lz4: the block inflates to"],
        [0, "lz4: the block inflates to"]
      ] as const) {
        const bad = Buffer.from(body)
        bad.writeUInt32LE(size, 0)
        assert.include(yield* damage(file("lz4", bad, 10, 100, 118)), said)
      }
    })
  )

  it.effect("where in a file of many frames the damage is", () =>
    Effect.gen(function* () {
      const records = some(200, 100)
      const { file: good } = yield* write([batchOf(records)], { compression: "zstd" }, { chunkBytes: 2048 })
      const bad = Buffer.from(good)
      bad[Math.floor(bad.length / 2)]! ^= 0x10
      const message = yield* damage(bad)
      const [, last] = /up to offset (\d+); affected: offsets \d+ to 498$/.exec(message) ?? []
      assert.isAbove(Number(last), 150)
      assert.isBelow(Number(last), 450)
    })
  )

  it.effect("a wrong checksum: one pass fails at its end, proven records do not even begin", () =>
    Effect.gen(function* () {
      const { file: good } = yield* write([batchOf(some(100))])
      const bad = Buffer.from(good)
      bad[32 + 24 + 30]! ^= 1 // inside the value of the first record
      let given = 0
      const count = (batch: ReadonlyArray<unknown>) => Effect.sync(() => void (given += batch.length))
      const late = yield* Effect.flip(Stream.runForEach(reader.records("a key", pieces(bad)), count))
      assert.instanceOf(late, SegmentError)
      assert.isAbove(given, 0)
      given = 0
      const early = yield* Effect.flip(Stream.runForEach(reader.provenRecords("a key", pieces(bad)), count))
      assert.include(early.message, "all 100 records were read, but any of offsets 100 to 298 may be wrong")
      assert.strictEqual(given, 0)
      yield* Stream.runForEach(reader.provenRecords("a key", pieces(good)), count)
      assert.strictEqual(given, 100)
    })
  )
})
