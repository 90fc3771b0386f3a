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
const isWhole = (other: WholeElsewhere.Held, ...damaged: ReadonlyArray<WholeElsewhere.Range>) =>
  WholeElsewhere.isWhole(range(10, 19), holding(0, 40), other, damaged)

describe("A newer backup has whole what is damaged of an older one", () => {
  it("where it holds all of its offsets, and none of them is damaged there", () => {
    assert.isTrue(isWhole(holding(0, 40)))
    assert.isTrue(isWhole(holding(10, 20), range(0, 9), range(20, 29)))
    assert.isFalse(isWhole(holding(11, 40)))
    assert.isFalse(isWhole(holding(0, 19)))
    assert.isFalse(isWhole(holding(0, 40), range(19, 25)))
  })

  it("unless Kafka deleted some of them while it was read", () => {
    assert.isFalse(isWhole(holding(0, 40, gap(0, 11))))
    assert.isFalse(isWhole(holding(0, 40, gap(12, 15))))
    assert.isFalse(isWhole(holding(0, 40, gap(19, 30))))
    assert.isTrue(isWhole(holding(0, 40, gap(0, 10), gap(20, 30), gap(12, 15, 1))))
  })
})
