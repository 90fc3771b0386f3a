import { assert, describe, it } from "@effect/vitest"
import { OffsetRanges } from "../../../src/segment/records/OffsetRanges.ts"
import { random, Seed } from "../arbitraryRecords.ts"

describe("ranges of offsets", () => {
  it.prop("hold what lies in one of them as a whole, and join what has no gap between", [Seed], ([seed]) => {
    const next = random(seed)
    const ranges = new OffsetRanges()
    const all = new Set<number>()
    let gaps = 0
    let at = 0
    for (let left = Math.floor(next() * 20); left > 0; left--) {
      const gap = next() < 0.5 ? 0 : 1 + Math.floor(next() * 3)
      if (gap > 0 || all.size === 0) gaps++
      const until = at + gap + 1 + Math.floor(next() * 4)
      ranges.add(at + gap, until)
      for (let offset = at + gap; offset < until; offset++) all.add(offset)
      at = until
    }
    assert.strictEqual(ranges.count, gaps)
    for (let from = 0; from < at + 3; from++) {
      for (let until = from + 1; until < at + 4; until++) {
        const inside = Array.from({ length: until - from }, (_, i) => all.has(from + i))
        assert.strictEqual(ranges.holds(from, until), !inside.includes(false), `${from} to ${until}`)
      }
    }
  })
})
