import { assert, describe, it } from "@effect/vitest"
import type { RecordBatch } from "../../../src/kafka/batch/RecordBatch.ts"
import { hasNoHoles, resealBatch } from "../../../src/kafka/batch/ResealedBatch.ts"
import { WindowDigests } from "../../../src/segment/records/WindowDigests.ts"
import { random, scene, Seed } from "../arbitraryRecords.ts"
import { stream } from "../plainRecords.ts"

describe("digests of a record stream", () => {
  it.prop("are those of the records in each window, however the stream is cut or repeated", [Seed], ([seed]) => {
    const next = random(seed)
    const { records } = scene(seed)
    const size = [1, 10, 1000, 100_000][Math.floor(next() * 4)]!
    const from = next() < 0.5 ? 0 : Number(records[Math.floor(next() * records.length)]!.offset)
    const digests = new WindowDigests(size, from)
    for (let at = 0; at < records.length;) {
      const until = at + 1 + Math.floor(next() * 5)
      digests.add(stream(records.slice(at, until)))
      at = next() < 0.2 ? Math.max(0, until - Math.floor(next() * 8)) : until
    }
    const windows = new Map<number, Array<(typeof records)[number]>>()
    for (const record of records) {
      if (record.offset < BigInt(from)) continue
      const window = Math.floor(Number(record.offset) / size)
      windows.set(window, [...(windows.get(window) ?? []), record])
    }
    const expected = [...windows].flatMap(([, some]) => {
      const whole = new WindowDigests(size, from)
      whole.add(stream(some))
      return [...whole.end()]
    })
    assert.deepStrictEqual([...digests.end()], expected)
    assert.deepStrictEqual(
      [...windows.keys()],
      expected.map(([window]) => window)
    )
    assert.strictEqual(digests.recordCount, records.filter(({ offset }) => offset >= BigInt(from)).length)
  })

  it.prop("differ where a single bit of a record does, and say in which window", [Seed], ([seed]) => {
    const next = random(seed)
    const { records } = scene(seed)
    if (records.length === 0) return
    const bytes = stream(records)
    const of = (some: Buffer) => {
      const digests = new WindowDigests(10, 0)
      digests.add(some)
      return digests.end()
    }
    // Length and offset say which window it is, not what is in it.
    let at = 0
    for (let skipped = Math.floor(next() * records.length); skipped > 0; skipped--) at += 4 + bytes.readUInt32LE(at)
    const window = Math.floor(Number(bytes.readBigInt64LE(at + 12)) / 10)
    const places = [...Array(4 + bytes.readUInt32LE(at)).keys()].filter((i) => i >= 20 || (i >= 4 && i < 12))
    const good = of(bytes)
    bytes[at + places[Math.floor(next() * places.length)]!]! ^= 1 << Math.floor(next() * 8)
    const bad = of(bytes)
    assert.deepStrictEqual([...bad.keys()], [...good.keys()])
    assert.deepStrictEqual(
      [...good.keys()].filter((number) => good.get(number) !== bad.get(number)),
      [window]
    )
  })
})

/** The batches of a scene that can be compared as they are, each as it is and as another broker's log has it. */
const placedAgain = (seed: number) =>
  scene(seed)
    .batches.filter((batch) => hasNoHoles(batch) && !batch.logAppendTime)
    .map((batch) => {
      const sent = resealBatch(batch, { producerId: 5, producerEpoch: 1, baseSequence: 9 })
      const bytes = Buffer.concat(sent)
      bytes.writeBigInt64BE(BigInt(batch.baseOffset), 0)
      bytes.writeInt32BE(3, 12)
      // Computed from the records, whatever a producer says.
      bytes.writeBigInt64BE(77n, 35)
      return { batch, again: { ...batch, bytes, start: 0, recordsStart: 61, end: bytes.length } }
    })

const digested = (batches: ReadonlyArray<RecordBatch>, shift = 0) => {
  const digests = new WindowDigests(10, 0)
  for (const batch of batches) digests.addBatch(batch, batch.baseOffset + shift)
  return digests
}

describe("digests of batches that are not opened", () => {
  it.prop("do not depend on the log that the batches lie in, and say which offsets they cover", [Seed], ([seed]) => {
    const pairs = placedAgain(seed)
    const here = digested(pairs.map(({ batch }) => batch))
    const there = digested(pairs.map(({ again }) => again))
    assert.deepStrictEqual([...here.end()], [...there.end()])
    assert.strictEqual(
      here.recordCount,
      pairs.reduce((sum, { batch }) => sum + batch.recordCount, 0)
    )
    for (const { batch } of pairs) assert.isTrue(here.batched.holds(batch.baseOffset, batch.lastOffset + 1))
  })

  it.prop("differ where a bit of the records or of what the header says of them does", [Seed], ([seed]) => {
    const next = random(seed)
    const pairs = placedAgain(seed)
    if (pairs.length === 0) return
    const batches = pairs.map(({ again }) => again)
    const good = [...digested(batches).end()]
    assert.notDeepEqual([...digested(batches, 1).end()], good, "other offsets")
    const { bytes } = batches[Math.floor(next() * batches.length)]!
    // Offset of the last record, base timestamp, record count, and the records.
    const places = [...Array(bytes.length).keys()].filter((at) => (at >= 23 && at < 35) || at >= 57)
    bytes[places[Math.floor(next() * places.length)]!]! ^= 1 << Math.floor(next() * 8)
    assert.notDeepEqual([...digested(batches).end()], good)
  })

  it("differ from those of the same records, and follow them within a window", () => {
    const batch = scene(19).batches.find(hasNoHoles)
    const record = { offset: 0n, timestamp: 1n, key: null, value: Buffer.from("v"), headers: [] }
    const mixed = (isBatchLast: boolean) => {
      const digests = new WindowDigests(1_000_000, 0)
      digests.add(stream([record]))
      if (isBatchLast) digests.addBatch({ ...batch!, recordCount: 3 }, 1)
      else
        digests.add(
          stream([
            { ...record, offset: 1n },
            { ...record, offset: 2n },
            { ...record, offset: 3n }
          ])
        )
      digests.add(stream([{ ...record, offset: 4n }]))
      return digests
    }
    const asBatch = mixed(true)
    const asRecords = mixed(false)
    assert.strictEqual(asBatch.recordCount, 5)
    assert.strictEqual(asRecords.recordCount, 5)
    assert.isTrue(asBatch.batched.holds(1, 4))
    assert.isFalse(asBatch.batched.holds(0, 4))
    assert.notDeepEqual([...asBatch.end()], [...asRecords.end()])
  })
})
