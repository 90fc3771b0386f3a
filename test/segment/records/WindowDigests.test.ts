import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
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
    const expected = [...windows].map(([window, some]) => [
      window,
      createHash("sha256").update(stream(some)).digest("hex")
    ])
    assert.deepStrictEqual([...digests.end()], expected)
    assert.strictEqual(digests.recordCount, records.filter(({ offset }) => offset >= BigInt(from)).length)
  })
})
