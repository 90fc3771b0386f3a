import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import zlib from "node:zlib"
import { decompress } from "../../../src/kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../../src/kafka/batch/RecordBatch.ts"
import * as KbakFormat from "../../../src/segment/kbak/KbakFormat.ts"
import * as OffsetHeaders from "../../../src/segment/records/OffsetHeaders.ts"
import { Transcoder } from "../../../src/segment/records/Transcoder.ts"
import type { SegmentMemory, SegmentSettings } from "../../../src/segment/Segment.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { batchOf, type PlainRecord, stream, streamOf } from "../plainRecords.ts"
import { write } from "../writing.ts"

const MiB = 1024 * 1024
const Compression = Schema.Literals(["none", "zstd", "lz4"])
const all = Number.MAX_SAFE_INTEGER

const records = (count: number, valueBytes: number, first = 0): ReadonlyArray<PlainRecord> =>
  Array.from({ length: count }, (_, i) => ({
    offset: BigInt(first + i),
    timestamp: 1_795_327_000_000n + BigInt(i),
    key: Buffer.from(`key ${i}`),
    value: Buffer.alloc(valueBytes, `value ${i} `),
    headers: []
  }))

/** Writes the batches into as many segments as they fill. */
const segments = (
  batches: ReadonlyArray<RecordBatch>,
  fullBytes: number,
  settings: Partial<SegmentSettings>,
  memory: SegmentMemory
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const format = yield* KbakFormat.make({ compression: "none", level: 1, ...settings }, memory)
      const files: Array<{ readonly file: Buffer; readonly uncompressedBytes: number }> = []
      for (let from: number | undefined = 0; from !== undefined;) {
        const writer = yield* format.open("orders", 3)
        from = yield* writer.append(batches, from, all, fullBytes)
        const sealed = yield* writer.seal
        if (sealed === undefined) continue
        files.push({ file: Buffer.concat(sealed.pieces), uncompressedBytes: sealed.uncompressedBytes })
        sealed.release()
      }
      return files
    })
  )

const longest = (list: ReadonlyArray<PlainRecord>): number => Math.max(...list.map((record) => stream([record]).length))

describe("a batch that is inflated in pieces", () => {
  it.effect.prop(
    "makes the same segment as one that is inflated at once",
    [Seed, Compression],
    ([seed, compression]) =>
      Effect.gen(function* () {
        const { batches } = scene(seed)
        const chunkBytes = 64 + Math.floor(random(seed)() * 30_000)
        const whole = yield* write(batches, { compression }, { chunkBytes })
        const pieces = yield* write(batches, { compression }, { chunkBytes, wholeBytes: 1 })
        assert.strictEqual(pieces.sha256, whole.sha256)
      }),
    { arbitrary: { runs: 40 } }
  )

  it.effect.prop(
    "is transcoded the same wherever it is cut",
    [Seed],
    Effect.fnUntraced(function* ([seed]) {
      const next = random(seed)
      const target = Buffer.alloc(8 * MiB)
      for (const batch of scene(seed).batches) {
        const section = yield* Effect.promise(async () => decompress(batch))
        const transcoded = (cut: (length: number) => number): Buffer => {
          const transcoder = new Transcoder(OffsetHeaders.fromSettings(undefined))
          transcoder.setTarget(target)
          transcoder.setBatch(batch, 0, all)
          let at = 0
          let end = cut(section.length)
          for (;;) {
            // A copy, so that reading beyond it is seen.
            const source = Buffer.from(section.subarray(at, end))
            transcoder.setSource(source, 0, source.length, end === section.length)
            if (transcoder.run() === "done") break
            at += transcoder.sourceAt
            end = Math.max(end, at + transcoder.neededSource + cut(section.length))
            end = Math.min(end, section.length)
          }
          return Buffer.from(target.subarray(0, transcoder.filled))
        }
        const inPieces = transcoded((length) => Math.floor(next() ** 3 * length))
        assert.isTrue(inPieces.equals(transcoded((length) => length)))
      }
    }),
    { arbitrary: { runs: 40 } }
  )

  it.effect("is refused when more follows its last record, or when it ends before it", () =>
    Effect.gen(function* () {
      const list = records(2000, 2000)
      const batch = batchOf(list, { codec: "zstd" })
      for (const recordCount of [1999, 2001, 5]) {
        const reason = yield* Effect.flip(write([{ ...batch, recordCount }], {}, { wholeBytes: 1000 }))
        assert.strictEqual(reason.reason._tag, "MalformedRecords", String(recordCount))
      }
    })
  )
})

describe("a segment", () => {
  it.effect.prop(
    "has at most its target and one batch, or one record where batches are large, and nothing is lost between two",
    [Seed, Compression, Schema.Boolean],
    ([seed, compression, areLarge]) =>
      Effect.gen(function* () {
        const made = scene(seed)
        const fullBytes = 1 + Math.floor(random(seed)() ** 2 * 40_000)
        const memory = { chunkBytes: 500, ...(areLarge ? { wholeBytes: 1 } : {}) }
        const files = yield* segments(made.batches, fullBytes, { compression }, memory)
        assert.isTrue(Buffer.concat(files.map(({ file }) => streamOf(file))).equals(stream(made.records)))
        const byBatch = made.batches.map((batch) =>
          made.records.filter(({ offset }) => offset >= batch.baseOffset && offset <= batch.lastOffset)
        )
        const more = areLarge ? 500 + longest(made.records) : Math.max(...byBatch.map((own) => stream(own).length))
        for (const { uncompressedBytes } of files) assert.isAtMost(uncompressedBytes, fullBytes + more)
      }),
    { arbitrary: { runs: 50 } }
  )

  it.effect("is closed in the middle of a batch that inflates to many times its target", () =>
    Effect.gen(function* () {
      const list = records(600, 100_000)
      const batch = batchOf(list, { codec: "zstd" })
      assert.isBelow(batch.bytes.length, MiB)
      const files = yield* segments([batch], 8 * MiB, { compression: "lz4" }, { wholeBytes: 4 * MiB })
      assert.strictEqual(files.length, 8)
      for (const { uncompressedBytes } of files) assert.isAtMost(uncompressedBytes, 8 * MiB + 4 * MiB)
      assert.isTrue(Buffer.concat(files.map(({ file }) => streamOf(file))).equals(stream(list)))
    })
  )

  it.effect("is one record's alone where that record is larger than the target", () =>
    Effect.gen(function* () {
      const list = [...records(3, 1000), ...records(1, 9 * MiB, 3), ...records(3, 1000, 4)]
      for (const codec of ["none", "zstd"] as const) {
        const files = yield* segments([batchOf(list, { codec })], 8 * MiB, { compression: "zstd" }, { wholeBytes: MiB })
        assert.deepStrictEqual(
          files.map(({ file }) => streamOf(file).length),
          [list.slice(0, 3), list.slice(3, 4), list.slice(4)].map((part) => stream(part).length)
        )
      }
    })
  )
})

describe("memory of a run", () => {
  it.live("is waited for in turns by batches and records of which each takes all of it", () =>
    Effect.gen(function* () {
      const memory = { wholeBytes: MiB, inflateBytes: 2 * MiB, recordBytes: 6 * MiB, compressions: 1 }
      const list = [...records(40, 100_000), ...records(1, 5 * MiB, 40), ...records(5, 1000, 41)]
      for (const compression of ["none", "zstd", "lz4"] as const) {
        const format = yield* KbakFormat.make({ compression, level: 1 }, memory)
        const sizes = yield* Effect.forEach(
          (["gzip", "lz4", "zstd", "none", "gzip", "zstd"] as const).map((codec) => batchOf(list, { codec })),
          Effect.fnUntraced(function* (batch) {
            const writer = yield* format.open("orders", 0)
            for (let from: number | undefined = 0; from !== undefined;)
              from = yield* writer.append([batch], from, all, 100 * MiB)
            const sealed = yield* writer.seal
            sealed?.release()
            return sealed?.uncompressedBytes
          }),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(new Set(sizes), new Set([stream(list).length]))
      }
    }).pipe(Effect.scoped)
  )

  it.effect("does not hold a record of any size: a larger one is refused with the limit that it needs", () =>
    Effect.gen(function* () {
      const batches = (["none", "gzip", "lz4", "zstd"] as const).map((codec) =>
        batchOf([...records(1, 10), ...records(1, 7 * MiB, 1)], { codec })
      )
      const neededMemory: SegmentMemory["neededMemory"] = (what) => ("recordBytes" in what ? 10 * what.recordBytes : 0)
      for (const batch of batches) {
        const memory = { wholeBytes: MiB, recordBytes: 6 * MiB, neededMemory }
        const error = yield* Effect.flip(write([batch], { compression: "zstd" }, memory))
        assert.deepInclude(error.reason, { _tag: "RecordTooLarge", topic: "orders", partition: 3, offset: 0 })
        assert.strictEqual(
          error.message,
          "orders[3] batch at offset 0: a record has 8 MiB uncompressed, and the memory limit allows records of up to 6 MiB"
        )
        assert.match(error.advice, /^raise spec\.resources\.limits\.memory to at least 71Mi, or exclude the topic/)
      }
    })
  )

  it.effect(
    "does not hold any window of zstd: a batch that fills a larger one is refused with the limit it needs",
    () =>
      Effect.gen(function* () {
        const windowed = (mebibytes: number, valueBytes: number) => {
          const batch = batchOf(records(40, valueBytes))
          const params = { [zlib.constants.ZSTD_c_windowLog]: 20 + Math.log2(mebibytes) }
          const section = zlib.zstdCompressSync(batch.bytes.subarray(batch.recordsStart, batch.end), {
            params: { ...params, [zlib.constants.ZSTD_c_contentSizeFlag]: 0 }
          })
          const bytes = Buffer.concat([batch.bytes.subarray(0, batch.recordsStart), section])
          return { ...batch, bytes, codec: 4, end: bytes.length }
        }
        const neededMemory: SegmentMemory["neededMemory"] = (what) => ("windowBytes" in what ? 3 * what.windowBytes : 0)
        const memory = { wholeBytes: MiB, windowBytes: 4 * MiB, neededMemory }
        const error = yield* Effect.flip(write([windowed(8, 200_000)], {}, memory))
        assert.strictEqual(
          error.message,
          "orders[3] batch at offset 0: the producer compressed it with a zstd window of 8 MiB, and the memory limit allows windows of up to 4 MiB"
        )
        assert.match(error.advice, /^raise spec\.resources\.limits\.memory to at least 24Mi, or exclude the topic/)
        // A window that is not filled takes no memory.
        assert.strictEqual((yield* write([windowed(8, 90_000)], {}, memory)).recordCount, 40)
        assert.strictEqual((yield* write([windowed(4, 200_000)], {}, memory)).recordCount, 40)
      })
  )

  it.effect("is free again after an append that was interrupted or failed", () =>
    Effect.gen(function* () {
      const memory = { wholeBytes: MiB, inflateBytes: 2 * MiB, recordBytes: 6 * MiB }
      const format = yield* KbakFormat.make({ compression: "none", level: 1 }, memory)
      const good = batchOf(records(100, 50_000), { codec: "zstd" })
      const damaged = { ...good, recordCount: 101 }
      for (let turn = 0; turn < 20; turn++) {
        const writer = yield* format.open("orders", 0)
        assert.strictEqual((yield* Effect.flip(writer.append([damaged], 0, all))).reason._tag, "MalformedRecords")
        const cut = yield* format.open("orders", 0)
        yield* Effect.raceFirst(
          cut.append([good], 0, all),
          Effect.forEach(Array(turn * 3), () => Effect.yieldNow)
        )
      }
      const writer = yield* format.open("orders", 0)
      yield* writer.append([good], 0, all)
      assert.strictEqual(writer.recordCount(), 100)
    }).pipe(Effect.scoped)
  )
})
