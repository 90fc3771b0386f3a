import { assert, describe, it } from "@effect/vitest"
import * as SegmentLimit from "../../src/backup/SegmentLimit.ts"

const part = (name: string, ...sizes: ReadonlyArray<number>) => ({
  name,
  segments: sizes.map((uncompressed_size) => ({ uncompressed_size }))
})

const names = (parts: ReadonlyArray<{ readonly name: string }>) => parts.map(({ name }) => name)

describe("SegmentLimit.beyond", () => {
  const large = part("large", 100, 100, 100, 100, 100, 100, 1, 1)
  const small = part("small", 1, 1, 1, 1)
  const smaller = part("smaller", 1, 1, 1, 1, 1, 1)

  it("reads nothing again up to the limit", () => {
    assert.deepStrictEqual(names(SegmentLimit.beyond([large, small, smaller], 100, 18)), [])
  })

  it("reads the partition again that becomes most segments fewer, and no more than it takes", () => {
    assert.deepStrictEqual(names(SegmentLimit.beyond([large, small, smaller], 100, 17)), ["smaller"])
    assert.deepStrictEqual(names(SegmentLimit.beyond([large, small, smaller], 100, 11)), ["smaller", "small"])
  })

  it("never reads a partition again that would stay about as long", () => {
    assert.deepStrictEqual(names(SegmentLimit.beyond([large, small], 100, 1)), ["small"])
  })

  it("takes a segment whose size nobody knows for a full one", () => {
    const unknown = { name: "unknown", segments: [{}, {}, {}] }
    assert.deepStrictEqual(names(SegmentLimit.beyond([unknown], 100, 1)), [])
  })
})
