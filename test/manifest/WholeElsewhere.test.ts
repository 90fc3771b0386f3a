import { assert, describe, it } from "@effect/vitest"
import * as WholeElsewhere from "../../src/manifest/WholeElsewhere.ts"

const range = (firstOffset: number, lastOffset: number): WholeElsewhere.Range => ({
  topic: "orders",
  partition: 0,
  firstOffset,
  lastOffset
})
const gap = (from: number, until: number, partition = 0): WholeElsewhere.Held["gaps"][number] => ({
  topic: "orders",
  partition,
  from,
  until,
  reason: "offset_out_of_range"
})
const holding = (from: number, until: number, ...gaps: WholeElsewhere.Held["gaps"]): WholeElsewhere.Held => ({
  topics: [{ name: "orders", partitions: [{ partition: 0, from, until, records: until - from }] }],
  gaps
})
/** The parts of offsets 10 to 19 that the other one holds. */
const parts = (other: WholeElsewhere.Held, ...damaged: ReadonlyArray<WholeElsewhere.Range>) =>
  WholeElsewhere.parts(range(10, 19), holding(0, 40), other, damaged).map((one) => [one.firstOffset, one.lastOffset])
const whole = [[10, 19]]

describe("Another backup has whole what is damaged of one", () => {
  it("where it holds all of its offsets, and none of them is damaged there", () => {
    assert.deepStrictEqual(parts(holding(0, 40)), whole)
    assert.deepStrictEqual(parts(holding(10, 20), range(0, 9), range(20, 29)), whole)
    assert.deepStrictEqual(parts(holding(11, 40)), [[11, 19]])
    assert.deepStrictEqual(parts(holding(0, 19)), [[10, 18]])
    assert.deepStrictEqual(parts(holding(20, 40)), [])
    assert.deepStrictEqual(parts(holding(0, 40), range(19, 25)), [[10, 18]])
    assert.deepStrictEqual(parts(holding(0, 40), range(0, 40)), [])
  })

  it("not where a restore leaves out what is below the log's start", () => {
    const [topic] = holding(0, 40).topics
    const other = { gaps: [], topics: [{ ...topic!, partitions: [{ ...topic!.partitions[0]!, logStart: 15 }] }] }
    assert.deepStrictEqual(parts(other), [[15, 19]])
  })

  it("unless Kafka deleted some of them while it was read", () => {
    assert.deepStrictEqual(parts(holding(0, 40, gap(0, 11))), [[11, 19]])
    assert.deepStrictEqual(parts(holding(0, 40, gap(12, 15))), [
      [10, 11],
      [15, 19]
    ])
    assert.deepStrictEqual(parts(holding(0, 40, gap(19, 30))), [[10, 18]])
    assert.deepStrictEqual(parts(holding(0, 40, gap(0, 10), gap(20, 30), gap(12, 15, 1))), whole)
  })
})
