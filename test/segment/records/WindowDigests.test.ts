import { assert, describe, it } from "@effect/vitest"
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
