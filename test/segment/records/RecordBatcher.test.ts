import { assert, describe, it } from "@effect/vitest"
import { plainSection, sealBatch, type UnsealedBatch } from "../../../src/kafka/batch/SealedBatch.ts"
import { RecordBatcher } from "../../../src/segment/records/RecordBatcher.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { batchOf, kafkaRecord, type PlainRecord, stream } from "../plainRecords.ts"

/** Batches of the records, which come in runs of random lengths. */
const batched = (
  records: ReadonlyArray<PlainRecord>,
  targetBytes: number,
  next: () => number
): ReadonlyArray<UnsealedBatch> => {
  const batcher = new RecordBatcher(targetBytes)
  const batches: Array<UnsealedBatch> = []
  for (let from = 0; from < records.length;) {
    const until = from + 1 + Math.floor(next() * 20)
    const run = stream(records.slice(from, until))
    for (let at = 0; at < run.length;) {
      at = batcher.push(run, at)
      if (batcher.stop !== undefined) batches.push(batcher.take())
    }
    from = until
  }
  if (batcher.recordCount > 0) batches.push(batcher.take())
  return batches
}

/** The same, by the slow implementation: groups of records that belong into one batch. */
const grouped = (records: ReadonlyArray<PlainRecord>, targetBytes: number) => {
  const groups: Array<Array<PlainRecord>> = []
  let bytes = Infinity
  for (const record of records) {
    const last = groups.at(-1)
    const previous = last?.at(-1)
    const isHole = previous !== undefined && record.offset !== previous.offset + 1n
    const base = last?.[0] ?? record
    const length = (of: PlainRecord, delta: number) =>
      kafkaRecord({ ...record, offset: BigInt(delta) }, 0n, of.timestamp)
    const more = length(base, last?.length ?? 0).length
    if (last === undefined || isHole || bytes + more > targetBytes) {
      groups.push([record])
      bytes = 61 + length(record, 0).length
    } else {
      last.push(record)
      bytes += more
    }
  }
  return groups
}

describe("record batcher", () => {
  it.prop("gives the batches that a producer would send, for any records", [Seed], ([seed]) => {
    const next = random(seed)
    const targetBytes = [100, 1000, 30_000][Math.floor(next() * 3)]!
    const { records } = scene(seed)
    const batches = batched(records, targetBytes, next)
    const groups = grouped(records, targetBytes)
    assert.deepStrictEqual(
      batches.map(({ recordCount }) => recordCount),
      groups.map(({ length }) => length)
    )
    for (const [index, group] of groups.entries()) {
      const batch = batches[index]!
      const numbered = group.map((record, delta) => ({ ...record, offset: BigInt(delta) }))
      const section = Buffer.concat(numbered.map((record) => kafkaRecord(record, 0n, group[0]!.timestamp)))
      assert.isTrue(plainSection(batch).equals(section))
      assert.isAtMost(batch.bytes.buffer.byteLength, 2 * batch.bytes.length)
      assert.strictEqual(batch.firstOffset, Number(group[0]!.offset))
      assert.strictEqual(batch.lastOffset, Number(group.at(-1)!.offset))
      const sealed = Buffer.concat([...sealBatch(batch, 0, plainSection(batch))])
      const max = group.reduce((most, { timestamp }) => (timestamp > most ? timestamp : most), group[0]!.timestamp)
      const expected = batchOf(numbered, { maxTimestamp: max })
      const bytes = expected.bytes.subarray(expected.start, expected.end)
      // What the slow implementation leaves out: leader epoch, checksum, producer.
      for (const [from, to] of [
        [0, 12],
        [16, 17],
        [21, 43],
        [57, sealed.length]
      ] as const) {
        assert.strictEqual(sealed.toString("hex", from, to), bytes.toString("hex", from, to))
      }
    }
  })
})
