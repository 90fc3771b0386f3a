import { assert, describe, it } from "@effect/vitest"
import { decodeBatches } from "../../../src/kafka/batch/BatchDecoding.ts"
import { recordsSection } from "../../../src/kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../../src/kafka/batch/RecordBatch.ts"
import { encodeBatch } from "../../../src/kafka/batch/RecordBatchEncoding.ts"
import { hasNoHoles, resealBatch } from "../../../src/kafka/batch/ResealedBatch.ts"
import { checkBatch } from "../../../src/kafka/memory/ProducedBatch.ts"
import { random, scene, Seed } from "../../segment/arbitraryRecords.ts"

/** Timestamps may be any 64-bit numbers. */
const forever = "Infinity"
/** A topic as a restore makes it. */
const topic = { "message.timestamp.before.max.ms": forever, "message.timestamp.after.max.ms": forever }

const producer = { producerId: 4_294_967_299_000, producerEpoch: 7, baseSequence: 2_147_483_646 }

/** The batch as a broker has it that was told these things. */
const found = (bytes: Buffer): RecordBatch => {
  const [batch] = decodeBatches({
    records: bytes,
    from: 0,
    until: Number.MAX_SAFE_INTEGER,
    maxBytes: bytes.length,
    highWatermark: -1,
    aborted: []
  }).batches
  return batch!
}

describe("a stored batch that is sealed again", () => {
  it.prop("is what a broker takes, with the same records, for any batch without holes", [Seed], ([seed]) => {
    for (const batch of scene(seed).batches) {
      if (!hasNoHoles(batch) || batch.logAppendTime) continue
      const before = Buffer.from(batch.bytes)
      const pieces = resealBatch(batch, producer)
      assert.deepStrictEqual(batch.bytes, before, "the stored batch is not written to")
      const sent = Buffer.concat(pieces)
      const checked = checkBatch(pieces, { ...topic, "max.message.bytes": String(sent.length) }, 0)
      if (checked._tag === "Refused") return assert.fail(checked.detail)
      assert.deepStrictEqual(checked.batch.producer, producer)
      assert.strictEqual(checked.batch.records.length, batch.recordCount)
      const again = found(sent)
      assert.strictEqual(again.codec, batch.codec)
      assert.strictEqual(again.lastOffset, batch.lastOffset - batch.baseOffset)
      assert.deepStrictEqual(recordsSection(again), recordsSection(batch))
      const timestamps = (one: RecordBatch) => one.bytes.subarray(one.start + 27, one.start + 43)
      assert.deepStrictEqual(timestamps(again), timestamps(batch))
    }
  })

  it.prop("has nothing of the log and the producer that it comes from", [Seed], ([seed]) => {
    const next = random(seed)
    const records = [{ offset: 900, key: Buffer.from("k"), value: null, headers: [], timestamp: 12 }]
    const of = (more: {
      readonly producerId?: number
      readonly transactional?: boolean
      readonly leaderEpoch?: number
    }) => Buffer.concat(resealBatch(found(encodeBatch({ baseOffset: 900, records, ...more })), producer))
    const producerId = Math.floor(next() * 1e15)
    const leaderEpoch = Math.floor(next() * 1000)
    assert.deepStrictEqual(of({ producerId, transactional: next() < 0.5, leaderEpoch }), of({}))
  })

  it("is no longer marked with a delete horizon, which brokers set while they compact", () => {
    const bytes = encodeBatch({
      baseOffset: 0,
      records: [{ offset: 0, key: Buffer.from("k"), value: null, headers: [], timestamp: 12 }]
    })
    const batch = found(bytes)
    const plain = Buffer.concat(resealBatch(batch, producer))
    bytes.writeInt16BE(0x40, 21)
    assert.deepStrictEqual(Buffer.concat(resealBatch(batch, producer)), plain)
  })
})
