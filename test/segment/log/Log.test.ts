import { createHash } from "node:crypto"
import { crc32c } from "@node-rs/crc32"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import zlib from "node:zlib"
import { lz4 } from "../../../src/compression/Lz4.ts"
import { zstdFrames } from "../../../src/compression/Zstd.ts"
import type { RecordBatch } from "../../../src/kafka/batch/RecordBatch.ts"
import * as Formats from "../../../src/segment/Formats.ts"
import * as LogBatches from "../../../src/segment/log/LogBatches.ts"
import * as LogFormat from "../../../src/segment/log/LogFormat.ts"
import * as LogJoin from "../../../src/segment/log/LogJoin.ts"
import { reader } from "../../../src/segment/log/LogReader.ts"
import type { SegmentMemory, SegmentSettings } from "../../../src/segment/Segment.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { batchOf, type BatchShape, type PlainRecord } from "../plainRecords.ts"
import { pieces, readAll } from "../reading.ts"
import { writeWith, type Written } from "../writing.ts"

const write = (
  batches: ReadonlyArray<RecordBatch>,
  range: { readonly from?: number; readonly until?: number } = {},
  compression: SegmentSettings["compression"] = "none",
  memory: SegmentMemory = { chunkBytes: 8192 }
) => writeWith(LogFormat.make({ compression, level: 3 }, memory), batches, range)

const named = ({ firstOffset, lastOffset, sha256 }: Pick<Written, "firstOffset" | "lastOffset" | "sha256">) => ({
  firstOffset,
  lastOffset,
  sha256
})

const at = (offset: number, value = `value ${offset}`): PlainRecord => ({
  offset: BigInt(offset),
  timestamp: 1_795_327_000_000n + BigInt(offset),
  key: null,
  value: Buffer.from(value),
  headers: []
})

/** A batch with records at these offsets alone. */
const holding = (offsets: ReadonlyArray<number>, first: number, last: number, shape: Partial<BatchShape> = {}) =>
  batchOf(
    offsets.map((offset) => at(offset)),
    { baseOffset: BigInt(first), lastOffset: BigInt(last), baseTimestamp: 1_795_327_000_000n, ...shape }
  )

const bytesOf = (batch: RecordBatch) => batch.bytes.subarray(batch.start, batch.end)

describe("a segment that is a log", () => {
  it.effect.prop("holds exactly the records of its offsets, wherever a batch is cut", [Seed], ([seed]) =>
    Effect.gen(function* () {
      const next = random(seed)
      const { batches, records } = scene(seed)
      const some = () => Number(records[Math.floor(next() * records.length)]!.offset) + Math.floor(next() * 2)
      const [from, until] = [some(), some()].toSorted((a, b) => a - b) as [number, number]
      const expected = records.filter(({ offset }) => offset >= from && offset < until)
      if (expected.length === 0) return
      const compression = (["none", "zstd", "lz4"] as const)[seed % 3]!
      const written = yield* write(batches, { from, until }, compression)
      assert.deepStrictEqual(
        [written.recordCount, written.firstOffset, written.lastOffset],
        [expected.length, Number(expected[0]!.offset), Number(expected.at(-1)!.offset)]
      )
      assert.deepStrictEqual(yield* readAll(reader, pieces(written.file), named(written)), expected)
    })
  )

  it.effect("is the batches as they came, and nothing else", () =>
    Effect.gen(function* () {
      const batches = [
        holding([5, 6, 7], 5, 7, { codec: "gzip" }),
        holding([8], 8, 8, { codec: "zstd", logAppendTime: true, maxTimestamp: 7n }),
        holding([11, 14], 9, 20, { codec: "lz4" })
      ]
      const written = yield* write(batches, {}, "zstd")
      assert.strictEqual(written.suffix, ".log")
      assert.isTrue(written.file.equals(Buffer.concat(batches.map(bytesOf))))
      assert.deepStrictEqual([written.firstOffset, written.lastOffset, written.recordCount], [5, 14, 6])
      const found = (yield* Stream.runCollect(
        LogBatches.batches("a.log", pieces(written.file, 7), named(written))
      )).flat()
      assert.deepStrictEqual(
        found.map((batch) => [batch.baseOffset, batch.lastOffset, batch.recordCount, bytesOf(batch).toString("hex")]),
        batches.map((batch) => [batch.baseOffset, batch.lastOffset, batch.recordCount, bytesOf(batch).toString("hex")])
      )
    })
  )

  it.effect("is wrapped in standard frames where what came first is mostly uncompressed", () =>
    Effect.gen(function* () {
      const plain = holding([1, 2, 3], 1, 3)
      const packed = holding([4, 5], 4, 5, { codec: "zstd" })
      const whole = Buffer.concat([bytesOf(plain), bytesOf(packed)])
      const zstd = yield* write([plain, packed], {}, "zstd", { chunkBytes: 64 })
      assert.strictEqual(zstd.suffix, ".log.zst")
      assert.isTrue(Buffer.concat(zstdFrames(zstd.file).map((frame) => zlib.zstdDecompressSync(frame))).equals(whole))
      const framed = yield* write([plain, packed], {}, "lz4", { chunkBytes: 64 })
      assert.strictEqual(framed.suffix, ".log.lz4")
      const log = yield* Effect.promise(async () => lz4.inflate(framed.file, 10_000))
      assert.isTrue(log.equals(whole))
      assert.strictEqual((yield* write([packed, holding([6], 6, 6)], {}, "lz4")).suffix, ".log")
      assert.strictEqual((yield* write([plain], {}, "none")).suffix, ".log")
    })
  )

  it.effect("gives the records of a batch that inflates to more than is inflated at once", () =>
    Effect.gen(function* () {
      const big = Array.from({ length: 40 }, (_, i) => at(i, `${i}`.repeat(300_000)))
      const written = yield* write([batchOf(big, { codec: "zstd" })])
      assert.isBelow(written.file.length, 100_000)
      assert.deepStrictEqual(yield* readAll(reader, pieces(written.file), named(written)), big)
    })
  )

  it.effect("refuses a batch that is larger than the memory limit allows, and names the limit that it needs", () =>
    Effect.gen(function* () {
      const batch = batchOf([at(7, "x".repeat(3_000_000))])
      const memory = { recordBytes: 2_000_000, neededMemory: () => 500 * 1024 * 1024 }
      const error = yield* Effect.flip(write([batch], {}, "none", memory))
      assert.strictEqual(
        error.message,
        "orders[3] batch at offset 7: it has 3 MiB, and the memory limit allows batches of up to 1 MiB"
      )
      assert.include(error.advice, "to at least 500Mi")
    })
  )

  it.effect.each([
    ["a control batch", (bytes: Buffer) => bytes.writeInt16BE(0x30, 21), "ends a transaction"],
    ["an unknown codec", (bytes: Buffer) => bytes.writeInt16BE(6, 21), "unknown compression codec 6"],
    ["no record", (bytes: Buffer) => bytes.writeInt32BE(0, 57), "0 records at 3 offsets"],
    ["more records than offsets", (bytes: Buffer) => bytes.writeInt32BE(4, 57), "4 records at 3 offsets"],
    ["a last offset before its first", (bytes: Buffer) => bytes.writeInt32BE(-1, 23), "with the offsets 5 to 4"]
  ] as const)("is damaged by a batch with %s, though its checksum is right", ([, alter, says]) =>
    Effect.gen(function* () {
      const bytes = Buffer.from(bytesOf(holding([5, 6, 7], 5, 7)))
      alter(bytes)
      bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
      const error = yield* Effect.flip(reader.inspect("a.log", pieces(bytes)))
      assert.strictEqual(error.reason._tag, "SegmentDamaged")
      assert.include(error.message, says)
    })
  )

  it.effect("says what is affected where a batch in the middle is damaged", () =>
    Effect.gen(function* () {
      const written = yield* write([holding([5, 6], 5, 6), holding([7, 8], 7, 8), holding([9], 9, 9)])
      const bad = Buffer.from(written.file)
      bad[bad.length >> 1]! ^= 1
      const error = yield* Effect.flip(reader.inspect("a.log", pieces(bad), named(written)))
      assert.include(error.message, "a.log: has a batch after offset 6 whose checksum (CRC-32C) does not match")
      assert.include(error.message, "affected: offsets 7 to 9, by the manifest")
    })
  )

  it.effect("takes all of a segment for affected where offsets contradict each other: no checksum covers them", () =>
    Effect.gen(function* () {
      const written = yield* write([holding([5, 6], 5, 6), holding([7, 8], 7, 8), holding([9], 9, 9)])
      const bad = Buffer.from(written.file)
      // The first batch begins at 8 now, within the segment; the second one seems to be the wrong one.
      bad[7] = 8
      const error = yield* Effect.flip(reader.inspect("a.log", pieces(bad), named(written)))
      assert.include(error.message, "a.log: has a batch after offset 9 with the offsets 7 to 8")
      assert.include(error.message, "affected: offsets 5 to 9, by the manifest")
    })
  )

  it.effect("calls the first batch so", () =>
    Effect.gen(function* () {
      const written = yield* write([holding([5, 6], 5, 6)])
      const bad = Buffer.from(written.file)
      bad[40]! ^= 1
      const error = yield* Effect.flip(reader.inspect("a.log", pieces(bad), named(written)))
      assert.include(error.message, "a.log: has a first batch whose checksum (CRC-32C) does not match")
    })
  )

  it.effect.prop("never fails but with a damaged file, whatever the bytes are", [Seed], ([seed]) =>
    Effect.gen(function* () {
      const next = random(seed)
      const { file } = yield* write(scene(seed).batches, {}, (["none", "zstd", "lz4"] as const)[seed % 3]!)
      const bad = Buffer.from(file)
      for (let n = 1 + Math.floor(next() * 8); n > 0; n--)
        bad[Math.floor(next() * bad.length)] = Math.floor(next() * 256)
      const cut = bad.subarray(0, Math.floor(next() * (bad.length + 1)))
      for (const bytes of [cut, Buffer.from(Array.from({ length: 300 }, () => next() * 256))]) {
        const exit = yield* Effect.result(reader.inspect("a.log", pieces(bytes, 1 + Math.floor(next() * 500))))
        if (exit._tag === "Failure") assert.strictEqual(exit.failure.reason._tag, "SegmentDamaged")
      }
    })
  )

  it.effect("fails a reader that follows the description of KBAK to the letter, by name", () =>
    Effect.gen(function* () {
      for (const compression of ["none", "zstd", "lz4"] as const) {
        const { file, suffix } = yield* write([holding([5, 6, 7], 5, 7)], {}, compression)
        assert.throws(() => readKbak(`segment-5-1${suffix}`, file), `segment-5-1${suffix} does not begin with KBAK`)
      }
    })
  )
})

describe("logs that are joined", () => {
  const part = (key: string, written: Written) => ({
    key,
    file: written.file,
    recordCount: written.recordCount,
    ...named(written)
  })

  it.effect("hold the batches of all parts, whatever they are wrapped in", () =>
    Effect.gen(function* () {
      for (const compression of ["none", "zstd", "lz4"] as const) {
        const parts = [
          yield* write([holding([5, 6], 5, 6), holding([7], 7, 7)], {}, compression),
          yield* write([holding([10, 12], 9, 14)], {}, compression),
          yield* write([holding([15, 16], 15, 16)], {}, compression)
        ]
        const joined = yield* LogJoin.join(parts.map((written, n) => part(`part ${n}`, written)))
        const file = Buffer.concat(joined.pieces)
        assert.strictEqual(joined.storedBytes, file.length)
        assert.strictEqual(joined.sha256(), createHash("sha256").update(file).digest("hex"))
        const range = { firstOffset: 5, lastOffset: 16, sha256: joined.sha256() }
        assert.deepStrictEqual(
          (yield* readAll(reader, pieces(file), range)).map(({ offset }) => Number(offset)),
          [5, 6, 7, 10, 12, 15, 16]
        )
      }
    })
  )

  it.effect("are not where one is damaged, which is named", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* write([holding([5, 6], 5, 6)]), yield* write([holding([7, 8], 7, 8)])]
      for (let bit = 0; bit < second.file.length * 8; bit += 5) {
        const file = Buffer.from(second.file)
        file[bit >> 3]! ^= 1 << (bit & 7)
        const error = yield* Effect.flip(LogJoin.join([part("one", first), { ...part("two", second), file }]))
        assert.deepInclude(error.reason, { _tag: "SegmentDamaged", key: "two" })
      }
    })
  )

  it.effect("are not where one batch has a share in both, which is no damage", () =>
    Effect.gen(function* () {
      const batch = holding([5, 6, 7, 8], 5, 8)
      const [first, second] = [yield* write([batch], { until: 7 }), yield* write([batch], { from: 7 })]
      const error = yield* Effect.flip(LogJoin.join([part("one", first), part("two", second)]))
      assert.strictEqual(error.reason._tag, "RecordNotRepresentable")
      assert.include(error.message, "a log holds a batch once")
    })
  )
})

describe("the table of formats", () => {
  it.effect("gives whole batches of a log, and none of records", () =>
    Effect.gen(function* () {
      const written = yield* write([holding([5, 6], 5, 6)])
      const segment = { start_offset: 5, end_offset: 6, sha256: written.sha256 }
      const batches = Formats.batches(
        { key: "a/topics/t/partition=0/segment-5-1.log", ...segment },
        pieces(written.file)
      )
      assert.strictEqual((yield* Stream.runCollect(batches!)).flat()[0]?.lastOffset, 6)
      assert.isUndefined(Formats.batches({ key: "segment-5-1.bin", ...segment }, pieces(written.file)))
      const other = Formats.batches({ key: "segment-5-1.log", ...segment, sha256: "00" }, pieces(written.file))
      assert.include((yield* Effect.flip(Stream.runDrain(other!))).message, "it was replaced or altered")
    })
  )
})

/** What a reader does that knows docs/storage-format.md, "A segment", and nothing else. */
const readKbak = (name: string, file: Buffer): void => {
  if (file.toString("latin1", 0, 4) !== "KBAK") throw new Error(`${name} does not begin with KBAK`)
  if (file[4] !== 1) throw new Error(`${name} has version ${file[4]}`)
}
