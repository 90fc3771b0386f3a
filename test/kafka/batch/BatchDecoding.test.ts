import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { crc32c as crc } from "@node-rs/crc32"
import { crc32 } from "node:zlib"
import { decodeBatches, type RecordSet } from "../../../src/kafka/batch/BatchDecoding.ts"
import {
  encodeBatch,
  encodeMarker,
  type NewBatch,
  type NewRecord
} from "../../../src/kafka/batch/RecordBatchEncoding.ts"

const record = (
  offset: number,
  key: Buffer | null = Buffer.from(`k${offset}`)
): NewRecord & { readonly offset: number } => ({
  offset,
  key,
  value: Buffer.from(`v${offset}`),
  headers: [],
  timestamp: 1_700_000_000_000 + offset
})

const batch = (from: number, count: number, more: Partial<NewBatch> = {}) =>
  encodeBatch({ baseOffset: from, records: Array.from({ length: count }, (_, i) => record(from + i)), ...more })

const set = (parts: ReadonlyArray<Buffer>, more: Partial<RecordSet> = {}): RecordSet => ({
  records: Buffer.concat(parts),
  from: 0,
  until: 1_000_000,
  maxBytes: 1024 * 1024,
  highWatermark: -1,
  aborted: [],
  ...more
})

const ranges = (records: RecordSet) =>
  decodeBatches(records).batches.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])
const problemOf = (records: RecordSet) => decodeBatches(records).problem

describe("decodeBatches", () => {
  it("describes each batch by its header", () => {
    const bytes = batch(5, 3, { codec: "gzip", logAppendTime: 77 })
    const [found] = decodeBatches(set([batch(0, 5), bytes])).batches.slice(1)
    const start = batch(0, 5).length
    assert.deepInclude(found, {
      start,
      recordsStart: start + 61,
      end: start + bytes.length,
      codec: 1,
      baseOffset: 5,
      lastOffset: 7,
      recordCount: 3,
      logAppendTime: true
    })
  })

  it("advances by the batch, not by its last record", () => {
    const holey = encodeBatch({ baseOffset: 10, records: [record(12), record(15)], lastOffset: 29 })
    assert.deepStrictEqual(ranges(set([holey], { from: 10 })), [[10, 29]])
    assert.strictEqual(decodeBatches(set([holey], { from: 10 })).position, 30)
  })

  it("tells the epoch of the last batch that moved the position, of a marker too", () => {
    const marker = encodeMarker({ baseOffset: 12, producerId: 1, type: "abort", timestamp: 0, leaderEpoch: 7 })
    const epochOf = (...given: Parameters<typeof set>) => decodeBatches(set(...given)).leaderEpoch
    assert.strictEqual(epochOf([batch(10, 1, { leaderEpoch: 3 }), batch(11, 1, { leaderEpoch: 5 })]), 5)
    assert.strictEqual(epochOf([batch(10, 1, { leaderEpoch: 3 }), batch(11, 1, { leaderEpoch: 5 }), marker]), 7)
    assert.isUndefined(
      epochOf([batch(10, 1, { leaderEpoch: -1 })]),
      "as a batch of a log from before Kafka 0.11 that was converted"
    )
  })

  it("advances over a batch that compaction emptied, and delivers nothing of it", () => {
    const emptied = encodeBatch({ baseOffset: 0, records: [], lastOffset: 9 })
    assert.deepStrictEqual(decodeBatches(set([emptied])), { batches: [], position: 10, leaderEpoch: 0 })
  })

  it("delivers only what overlaps the range, and stops at its end", () => {
    const parts = [batch(0, 10), batch(10, 10), batch(20, 10), batch(30, 10)]
    const decoded = decodeBatches(set(parts.slice(1), { from: 15, until: 25 }))
    assert.deepStrictEqual(
      decoded.batches.map(({ baseOffset }) => baseOffset),
      [10, 20]
    )
    assert.strictEqual(decoded.position, 25)
  })

  it("knows that a hole reaches the end when the next batch begins beyond it", () => {
    assert.deepStrictEqual(decodeBatches(set([batch(50, 2)], { from: 10, until: 20 })), { batches: [], position: 20 })
  })

  it("takes a cut behind a whole batch for the end of the answer, wherever the cut is", () => {
    const whole = batch(0, 2)
    const next = batch(2, 2)
    for (let cut = 0; cut < next.length; cut++) {
      const decoded = decodeBatches(set([whole, next.subarray(0, cut)]))
      assert.deepStrictEqual([decoded.batches.length, decoded.position, decoded.problem], [1, 2, undefined])
    }
  })

  it("takes a cut inside the first batch for damage, unless the fetch's ceiling explains it", () => {
    const whole = batch(0, 2)
    for (let cut = 1; cut < whole.length; cut++) {
      const records = whole.subarray(0, cut)
      assert.strictEqual(problemOf(set([records]))?._tag, "Corrupt")
      const explained = problemOf(set([records], { maxBytes: cut }))
      assert.strictEqual(explained?._tag, "CutShort")
    }
    assert.deepStrictEqual(problemOf(set([whole.subarray(0, 40)], { maxBytes: 40 })), {
      _tag: "CutShort",
      neededBytes: whole.length
    })
  })

  it("refuses lengths that no batch can have", () => {
    for (const length of [-1, 0, 48, 0x7fffffff]) {
      const bytes = batch(0, 2)
      bytes.writeInt32BE(length, 8)
      assert.strictEqual(problemOf(set([bytes]))?._tag, "Corrupt")
    }
  })

  it("keeps what precedes a damaged batch", () => {
    const damaged = batch(2, 2)
    damaged[70]! ^= 1
    const decoded = decodeBatches(set([batch(0, 2), damaged, batch(4, 2)]))
    assert.deepStrictEqual([decoded.batches.length, decoded.position, decoded.problem?._tag], [1, 2, "Corrupt"])
  })

  it("says which old format it does not read, in any place of the set", () => {
    for (const magic of [0, 1]) {
      const message = Buffer.alloc(40)
      message.writeInt32BE(28, 8)
      message[16] = magic
      message.writeUInt32BE(crc32(message.subarray(16)), 12)
      const first = problemOf(set([message]))
      assert.strictEqual(first?._tag, "Unsupported")
      assert.include(JSON.stringify(first), `v${magic}`)
      const second = decodeBatches(set([batch(0, 1), message]))
      assert.deepStrictEqual([second.position, second.problem?._tag], [1, "Unsupported"])
      message[30]! ^= 1
      assert.strictEqual(problemOf(set([message]))?._tag, "Corrupt", "a damaged format byte is no old format")
    }
  })

  it("refuses codecs that do not exist, and offsets that a number cannot hold", () => {
    const rechecked = (change: (bytes: Buffer) => void) => {
      const bytes = batch(0, 1)
      change(bytes)
      bytes.writeUInt32BE(crc(bytes.subarray(21)), 17)
      return problemOf(set([bytes]))
    }
    for (const codec of [5, 6, 7]) {
      assert.strictEqual(rechecked((bytes) => bytes.writeInt16BE(codec, 21))?._tag, "Unsupported")
    }
    assert.strictEqual(rechecked((bytes) => bytes.writeBigInt64BE(2n ** 53n, 0))?._tag, "Unsupported")
    assert.strictEqual(
      rechecked((bytes) => bytes.writeBigInt64BE(2n ** 53n - 1n, 0)),
      undefined
    )
    assert.strictEqual(rechecked((bytes) => bytes.writeBigInt64BE(-5n, 0))?._tag, "Corrupt")
    assert.strictEqual(rechecked((bytes) => bytes.writeInt32BE(2, 57))?._tag, "Corrupt", "more records than offsets")
    assert.strictEqual(rechecked((bytes) => bytes.writeInt32BE(-1, 23))?._tag, "Corrupt")
  })

  it("believes nothing of a set whose batches are out of order", () => {
    for (const parts of [
      [batch(10, 5), batch(12, 5)],
      [batch(10, 5), batch(0, 5)],
      [batch(10, 5), batch(10, 5)]
    ]) {
      const decoded = decodeBatches(set(parts))
      assert.deepStrictEqual([decoded.batches.length, decoded.position, decoded.problem?._tag], [0, 0, "Corrupt"])
    }
  })

  it("believes no batch at or beyond the high watermark", () => {
    assert.strictEqual(problemOf(set([batch(0, 5)], { highWatermark: 5 })), undefined)
    assert.strictEqual(problemOf(set([batch(0, 5)], { highWatermark: 4 }))?._tag, "Corrupt")
  })

  it("does not let a batch that begins too early hide a hole", () => {
    const early = set([batch(3, 5), batch(110, 10)], { from: 100 })
    assert.strictEqual(problemOf(early)?._tag, "Corrupt")
    const honest = set([batch(90, 5), batch(95, 10)], { from: 100 })
    assert.deepStrictEqual(ranges(honest), [[95, 104]])
  })
})

describe("decodeBatches of transactions", () => {
  const of = (producerId: number, from: number, count: number, key?: Buffer | null) =>
    encodeBatch({
      baseOffset: from,
      records: Array.from({ length: count }, (_, i) => record(from + i, key)),
      producerId,
      transactional: true
    })
  const marker = (producerId: number, baseOffset: number, type: "abort" | "commit") =>
    encodeMarker({ producerId, baseOffset, type, timestamp: 0 })

  it("drops aborted batches and markers, keeps those of other producers in between", () => {
    const parts = [
      of(1, 0, 2),
      of(2, 2, 2),
      batch(4, 2),
      marker(1, 6, "abort"),
      marker(2, 7, "commit"),
      of(1, 8, 1),
      marker(1, 9, "commit")
    ]
    const decoded = set(parts, { aborted: [{ producerId: 1, firstOffset: 0 }] })
    assert.deepStrictEqual(ranges(decoded), [
      [2, 3],
      [4, 5],
      [8, 8]
    ])
    assert.strictEqual(decodeBatches(decoded).position, 10)
  })

  it("is not fooled by a record whose key looks like an abort marker's", () => {
    const lookalike = Buffer.from([0, 0, 0, 0])
    const parts = [of(1, 0, 1, lookalike), of(1, 1, 2), marker(1, 3, "abort")]
    assert.deepStrictEqual(ranges(set(parts, { aborted: [{ producerId: 1, firstOffset: 0 }] })), [])
  })

  it("knows transactions that began before the range", () => {
    const parts = [of(1, 100, 2), marker(1, 102, "abort"), of(1, 103, 2), marker(1, 105, "commit")]
    assert.deepStrictEqual(ranges(set(parts, { from: 100, aborted: [{ producerId: 1, firstOffset: 3 }] })), [
      [103, 104]
    ])
  })

  it("takes the list of aborted transactions in any order, several per producer", () => {
    const parts = [
      of(1, 0, 1),
      marker(1, 1, "abort"),
      of(1, 2, 1),
      marker(1, 3, "commit"),
      of(1, 4, 1),
      marker(1, 5, "abort")
    ]
    const aborted = [
      { producerId: 1, firstOffset: 4 },
      { producerId: 1, firstOffset: 0 }
    ]
    assert.deepStrictEqual(ranges(set(parts, { aborted })), [[2, 2]])
  })

  it("keeps what an idempotent producer wrote outside of a transaction", () => {
    const plain = encodeBatch({ baseOffset: 0, records: [record(0)], producerId: 1 })
    assert.deepStrictEqual(ranges(set([plain], { aborted: [{ producerId: 1, firstOffset: 0 }] })), [[0, 0]])
  })
})

describe("decodeBatches of arbitrary damage", () => {
  const damage = Schema.Struct({
    sizes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 }))).check(
      Schema.isMinLength(1),
      Schema.isMaxLength(6)
    ),
    bits: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))).check(
      Schema.isMaxLength(3)
    ),
    cut: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })),
    cuts: Schema.Boolean,
    maxBytes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3000 }))
  })

  it.prop(
    "never delivers a byte that was not written, never throws, never goes back",
    [damage],
    ([{ sizes, bits, cut, cuts, maxBytes }]) => {
      let next = 0
      const parts = sizes.map((count) => {
        const bytes = batch(next, count)
        next += count
        return bytes
      })
      const sound = Buffer.concat(parts)
      const records = Buffer.from(sound)
      const starts = parts.map((_, i) => parts.slice(0, i).reduce((total, part) => total + part.length, 0))
      for (const bit of bits) {
        const at = bit % (records.length * 8)
        // No checksum covers base offset and leader epoch; what protects the offsets is their order (see above).
        const inBatch = (at >> 3) - starts.findLast((start) => start <= at >> 3)!
        if (inBatch < 8 || (inBatch >= 12 && inBatch < 16)) continue
        records[at >> 3]! ^= 1 << (at & 7)
      }
      const arrived = cuts ? records.subarray(0, cut % (records.length + 1)) : records
      const decoded = decodeBatches(set([arrived], { maxBytes, highWatermark: next }))
      assert.isAtLeast(decoded.position, 0)
      assert.isAtMost(decoded.position, next)
      for (const found of decoded.batches) {
        const original = sound.subarray(found.start, found.end)
        assert.isTrue(starts.includes(found.start))
        const delivered = Buffer.from(arrived.subarray(found.start, found.end))
        original.copy(delivered, 12, 12, 16)
        assert.isTrue(delivered.equals(original))
      }
      const delivered = decoded.batches.reduce((total, { recordCount }) => total + recordCount, 0)
      assert.strictEqual(decoded.position, delivered, "a position that outruns the records loses some")
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop(
    "notices a wrong base offset behind the first batch, because it breaks the order or leaves the log",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 63 })),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 }))
    ],
    ([bit, which]) => {
      const parts = [batch(100, 10), batch(110, 10), batch(120, 10), batch(130, 10)]
      parts[which]![bit >> 3]! ^= 1 << (7 - (bit & 7))
      const decoded = decodeBatches(set(parts, { from: 100, highWatermark: 140 }))
      assert.isDefined(decoded.problem)
      for (const { baseOffset, start } of decoded.batches)
        assert.strictEqual(baseOffset, 100 + (start / parts[0]!.length) * 10)
    },
    { arbitrary: { runs: 500 } }
  )

  it.prop(
    "stays calm before bytes that are no record set at all",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))).check(Schema.isMaxLength(300))],
    ([bytes]) => {
      const decoded = decodeBatches(set([Buffer.from(bytes)]))
      assert.deepStrictEqual(decoded.batches, [])
      assert.strictEqual(decoded.position, 0)
    },
    { arbitrary: { runs: 500 } }
  )
})
