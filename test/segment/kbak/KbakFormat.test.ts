import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { execFileSync } from "node:child_process"
import * as KbakFormat from "../../../src/segment/kbak/KbakFormat.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { batchAround, batchOf, type PlainRecord, slowCrc, stream, streamOf, varint } from "../plainRecords.ts"
import { write } from "../writing.ts"

const record = (offset: number, fields: Partial<PlainRecord> = {}): PlainRecord => ({
  offset: BigInt(offset),
  timestamp: 1_795_327_000_000n,
  key: Buffer.from("k"),
  value: Buffer.from("v"),
  headers: [],
  ...fields
})
const long = (value: bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(value)
  return bytes
}
const safe = (value: bigint) =>
  Number(value > 2n ** 53n - 1n ? 2n ** 53n - 1n : value < -(2n ** 53n) + 1n ? -(2n ** 53n) + 1n : value)

const assertFile = (file: Buffer, records: ReadonlyArray<PlainRecord>) => {
  assert.isTrue(streamOf(file).equals(stream(records)), "record stream")
  assert.strictEqual(file.toString("latin1", 0, 4), "KBAK")
  assert.strictEqual(file.readBigUInt64LE(8), BigInt(records.length))
  assert.strictEqual(file.readBigInt64LE(16), records[0]!.offset)
  assert.strictEqual(file.readBigInt64LE(24), records.at(-1)!.offset)
  assert.strictEqual(file.readUInt32LE(file.length - 8), slowCrc(file.subarray(0, -8)))
  assert.strictEqual(file.toString("latin1", file.length - 4), "BKAE")
}

describe("KbakFormat", () => {
  it.effect.prop(
    "stores what consumers see, whatever the batches look like",
    [Seed, Schema.Literals(["none", "zstd", "lz4"])],
    ([seed, compression]) =>
      Effect.gen(function* () {
        const { batches, records } = scene(seed)
        // Chunks of a few records, so that they end everywhere.
        const chunkBytes = 64 + Math.floor(random(seed)() * 30_000)
        const written = yield* write(batches, { compression }, { chunkBytes })
        assertFile(written.file, records)
        const timestamps = records.map((r) => r.timestamp)
        assert.deepStrictEqual(
          { ...written, file: undefined },
          {
            suffix: written.suffix,
            file: undefined,
            storedBytes: written.file.length,
            sha256: createHash("sha256").update(written.file).digest("hex"),
            recordCount: records.length,
            firstOffset: Number(records[0]!.offset),
            lastOffset: Number(records.at(-1)!.offset),
            minTimestamp: safe(timestamps.reduce((a, b) => (a < b ? a : b))),
            maxTimestamp: safe(timestamps.reduce((a, b) => (a > b ? a : b))),
            uncompressedBytes: stream(records).length,
            payloadBytes: records.reduce((sum, r) => sum + (r.key?.length ?? 0) + (r.value?.length ?? 0), 0),
            largestRecordBytes: Math.max(...records.map((r) => stream([r]).length))
          }
        )
      }),
    { arbitrary: { runs: 120 } }
  )

  it.effect.prop(
    "takes the records of the range and no other, also in the middle of a batch",
    [Seed],
    ([seed]) =>
      Effect.gen(function* () {
        const { batches, records } = scene(seed)
        const next = random(seed)
        const pick = () => Number(records[Math.floor(next() * records.length)]!.offset)
        const [a, b] = [pick(), pick()]
        const [from, until] = [Math.min(a, b), Math.max(a, b) + 1]
        const { file } = yield* write(batches, {}, { from, until, chunkBytes: 3000 })
        assertFile(
          file,
          records.filter((r) => r.offset >= from && r.offset < until)
        )
      }),
    { arbitrary: { runs: 80 } }
  )

  it.effect("appends the offset headers after the record's own", () =>
    Effect.gen(function* () {
      const own: PlainRecord["headers"] = [[Buffer.from("trace"), Buffer.from("1")]]
      const records = [record(5_000_000_007, { headers: own }), record(5_000_000_009, { timestamp: -3n, key: null })]
      const added = (r: PlainRecord): PlainRecord => ({
        ...r,
        headers: [
          ...r.headers,
          [Buffer.from("x-original-offset"), long(r.offset)],
          [Buffer.from("x-original-timestamp"), long(r.timestamp)]
        ]
      })
      const plain = yield* write([batchOf(records)], { offsetHeaders: {} })
      assertFile(plain.file, records.map(added))
      const named = yield* write([batchOf(records)], { offsetHeaders: { sourceClusterId: "zürich" } })
      assertFile(
        named.file,
        records.map(added).map((r) => ({
          ...r,
          headers: [...r.headers, [Buffer.from("x-source-cluster"), Buffer.from("zürich")] as const]
        }))
      )
    })
  )

  it.effect("continues after an append that ended inside a batch", () =>
    Effect.gen(function* () {
      const records = Array.from({ length: 10 }, (_, i) => record(i))
      const batch = batchOf(records)
      const format = yield* KbakFormat.make({ compression: "none", level: 1 })
      const writer = yield* format.open("orders", 0)
      yield* writer.append([batch], 2, 5)
      assert.strictEqual(writer.recordCount(), 3)
      yield* writer.append([batch], 5, 9)
      const sealed = yield* writer.seal
      assertFile(Buffer.concat(sealed!.pieces), records.slice(2, 9))
    })
  )

  it.effect("names files by codec", () =>
    Effect.gen(function* () {
      const suffixes = yield* Effect.forEach(["none", "zstd", "lz4"] as const, (compression) =>
        Effect.map(write([batchOf([record(0)])], { compression }), ({ suffix }) => suffix)
      )
      assert.deepStrictEqual(suffixes, [".bin", ".bin.zst", ".bin.lz4"])
    })
  )

  it.live("gives a record that is larger than a chunk a frame of its own", () =>
    Effect.gen(function* () {
      const records = [10, 300_000, 10, 70_000, 70_000].map((size, i) => record(i, { value: Buffer.alloc(size, i) }))
      for (const compression of ["none", "zstd", "lz4"] as const) {
        const { file } = yield* write([batchOf(records, { codec: "zstd" })], { compression }, { chunkBytes: 65_536 })
        assertFile(file, records)
      }
    })
  )

  it.live("writes zstd that the zstd tool reads, with content size and checksum in every frame", () =>
    Effect.gen(function* () {
      const records = Array.from({ length: 400 }, (_, i) => record(i, { value: Buffer.alloc(1000, `value ${i} `) }))
      for (const level of [1, 3, 22]) {
        const { file } = yield* write([batchOf(records)], { compression: "zstd", level }, { chunkBytes: 65_536 })
        const inflated = execFileSync("zstd", ["-dc"], { input: file.subarray(32, -8), maxBuffer: 1e9 })
        assert.isTrue(inflated.equals(stream(records)))
        // Descriptor: checksum flag 4; content size present (bits 7-6, or single segment, bit 5).
        assert.strictEqual(file[36]! & 4, 4)
        assert.notStrictEqual(file[36]! & 0xe0, 0)
      }
    })
  )
})

describe("KbakFormat refuses", () => {
  const refusal = (...args: Parameters<typeof write>) =>
    Effect.map(Effect.flip(write(...args)), (error) => error.reason)
  const shape = { baseOffset: 100n, lastOffset: 109n, baseTimestamp: 0n }

  it.effect("a record with more headers than the format can count", () =>
    Effect.gen(function* () {
      const headers = (count: number) => Array.from({ length: count }, () => [Buffer.alloc(0), null] as const)
      const most = yield* write([batchOf([record(7, { headers: headers(65_535) })])])
      assert.strictEqual(most.recordCount, 1)
      const over = yield* refusal([batchOf([record(6), record(7, { headers: headers(65_536) })])])
      assert.deepInclude(over, { _tag: "RecordNotRepresentable", topic: "orders", partition: 3, offset: 7 })
      const added = yield* refusal([batchOf([record(7, { headers: headers(65_534) })])], { offsetHeaders: {} })
      assert.deepInclude(added, { _tag: "RecordNotRepresentable", offset: 7 })
    })
  )

  it.effect("a record with a header key longer than the format can say", () =>
    Effect.gen(function* () {
      const key = (size: number) => record(8, { headers: [[Buffer.alloc(size, 120), null]] })
      assert.strictEqual((yield* write([batchOf([key(65_535)])])).recordCount, 1)
      assert.deepInclude(yield* refusal([batchOf([key(65_536)])]), { _tag: "RecordNotRepresentable", offset: 8 })
    })
  )

  it.effect("an lz4 segment that outgrows an LZ4 block", () =>
    Effect.gen(function* () {
      const batches = [0, 1, 2].map((i) => batchOf([record(i, { value: Buffer.alloc(500) })]))
      const reason = yield* refusal(batches, { compression: "lz4" }, { maxLz4Bytes: 1200 })
      assert.deepInclude(reason, { _tag: "RecordNotRepresentable", offset: 2 })
    })
  )

  it.effect("offsets that do not ascend, inside a batch and from batch to batch", () =>
    Effect.gen(function* () {
      const twice = yield* refusal([batchOf([record(100), record(101), record(101)])])
      assert.strictEqual(twice._tag, "MalformedRecords")
      const again = yield* refusal([batchOf([record(100), record(101)]), batchOf([record(101)])])
      assert.deepInclude(again, { _tag: "MalformedRecords", offset: 101 })
    })
  )

  it.effect("a record outside of its batch, a wrong count, and bytes that are left over", () =>
    Effect.gen(function* () {
      const outside = yield* refusal([batchOf([record(100), record(111)], { lastOffset: 109n })])
      const more = yield* refusal([batchOf([record(100), record(101)], { recordCount: 3 })])
      const fewer = yield* refusal([batchOf([record(100), record(101)], { recordCount: 1 })])
      for (const reason of [outside, more, fewer])
        assert.deepInclude(reason, { _tag: "MalformedRecords", topic: "orders", partition: 3, offset: 100 })
    })
  )

  it.effect("lengths that cannot be, and integers without end", () =>
    Effect.gen(function* () {
      const body = (...parts: ReadonlyArray<Buffer>) => {
        const bytes = Buffer.concat(parts)
        return Buffer.concat([varint(bytes.length), bytes])
      }
      const zero = Buffer.from([0])
      const sections = {
        "negative record length": Buffer.concat([varint(-5), Buffer.alloc(20)]),
        "empty record": Buffer.concat([varint(0), Buffer.alloc(20)]),
        "record of a gigabyte": Buffer.concat([varint(1 << 30), Buffer.alloc(20)]),
        "key length -2": body(zero, zero, zero, varint(-2), varint(-1), zero),
        "key beyond the record": body(zero, zero, zero, varint(100), varint(-1), zero),
        "value beyond the record": body(zero, zero, zero, varint(-1), varint(1), zero),
        "value length -2": body(zero, zero, zero, varint(-1), varint(-2), zero),
        "negative header count": body(zero, zero, zero, varint(-1), varint(-1), varint(-1)),
        "two billion headers": body(zero, zero, zero, varint(-1), varint(-1), varint(2_000_000_000)),
        "null header key": body(zero, zero, zero, varint(-1), varint(-1), varint(1), varint(-1), varint(-1)),
        "header value length -7": body(zero, zero, zero, varint(-1), varint(-1), varint(1), varint(0), varint(-7)),
        "trailing bytes in a record": body(zero, zero, zero, varint(-1), varint(-1), zero, Buffer.alloc(3)),
        "key to the very end": body(zero, zero, zero, varint(2), zero, zero),
        "six-byte integer": Buffer.concat([Buffer.alloc(5, 0x81), Buffer.alloc(20)]),
        "eleven-byte timestamp": body(zero, Buffer.alloc(10, 0x81), zero, zero, varint(-1), varint(-1), zero),
        "nothing at all": Buffer.alloc(0)
      }
      for (const [what, section] of Object.entries(sections)) {
        const batch = batchAround(section, { ...shape, recordCount: 1 })
        const result = yield* Effect.flip(write([batch])).pipe(Effect.map((error) => error.reason._tag))
        assert.strictEqual(result, "MalformedRecords", what)
      }
    })
  )

  it.effect("a batch that does not decompress", () =>
    Effect.gen(function* () {
      for (const codec of ["gzip", "lz4", "zstd"] as const) {
        const batch = batchOf([record(100, { value: Buffer.alloc(1000, "abc") })], { codec })
        batch.bytes.fill(0x55, batch.recordsStart + 4, batch.recordsStart + 12)
        const reason = yield* refusal([batch])
        assert.deepInclude(reason, { _tag: "MalformedRecords", offset: 100 })
        assert.isDefined(reason._tag === "MalformedRecords" ? reason.cause : undefined)
      }
    })
  )

  it.effect.prop(
    "a batch with damaged bytes, or stores it whole: it never breaks",
    [Seed],
    ([seed]) =>
      Effect.gen(function* () {
        const next = random(seed)
        const { batches } = scene(seed)
        for (const batch of batches) {
          if (batch.codec !== 0 || batch.end === batch.recordsStart) continue
          for (let flips = 1 + Math.floor(next() * 3); flips > 0; flips--) {
            // Near record starts more often than in payloads.
            const at = batch.recordsStart + Math.floor(next() * Math.min(60, batch.end - batch.recordsStart))
            batch.bytes[at]! ^= 1 << Math.floor(next() * 8)
          }
        }
        const outcome = yield* Effect.result(write(batches, {}, { chunkBytes: 2000 }))
        if (outcome._tag === "Failure") assert.notStrictEqual(outcome.failure.reason._tag, "SegmentDamaged")
        else assert.strictEqual(outcome.success.uncompressedBytes, streamOf(outcome.success.file).length)
      }),
    { arbitrary: { runs: 300 } }
  )
})
