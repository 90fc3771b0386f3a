import { assert, describe, it } from "@effect/vitest"
import * as LostOffsets from "../../src/backup/LostOffsets.ts"

const one = (logStart: number, ...gaps: ReadonlyArray<readonly [number, number]>): LostOffsets.ReadAgain => ({
  segment: { start_offset: 10, end_offset: 19 },
  logStart,
  gaps: gaps.map(([from, until]) => ({ from, until })),
  found: { isPutBack: false }
})
const ranges = (all: ReadonlyArray<LostOffsets.Range>) => all.map(({ from, until }) => [from, until])
const both = (of: LostOffsets.ReadAgain) => [ranges(LostOffsets.read(of)), ranges(LostOffsets.lost(of))]

describe("LostOffsets", () => {
  it("are below the start of the log, and in gaps that were found while it was read", () => {
    assert.deepStrictEqual(both(one(5)), [[[10, 20]], []])
    assert.deepStrictEqual(both(one(15)), [[[15, 20]], [[10, 15]]])
    assert.deepStrictEqual(both(one(20)), [[], [[10, 20]]])
    assert.deepStrictEqual(both(one(12, [17, 30], [13, 15], [0, 10])), [
      [
        [12, 13],
        [15, 17]
      ],
      [
        [10, 12],
        [13, 15],
        [17, 20]
      ]
    ])
  })

  it("are none where the object is right again", () => {
    assert.deepStrictEqual(both({ ...one(15, [17, 18]), found: { isPutBack: true } }), [[[10, 20]], []])
  })
})
