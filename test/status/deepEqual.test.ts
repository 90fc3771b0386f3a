import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { isSame } from "../../src/status/deepEqual.ts"

describe("isSame", () => {
  it.prop("finds a status the same as its copy", [Schema.Json], ([json]) => {
    assert.isTrue(isSame(json, JSON.parse(JSON.stringify(json))))
  })

  it.each([
    [
      { a: 1, b: [1, { c: 2 }] },
      { b: [1, { c: 2 }], a: 1 }
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [{}, { a: undefined }]
  ])("does not care for the order of keys or keys without value: %o, %o", (a, b) => {
    assert.isTrue(isSame(a, b))
  })

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [
      [1, 2],
      [2, 1]
    ],
    [[], {}],
    [{ a: null }, {}],
    ["1", 1]
  ])("tells %o and %o apart", (a, b) => {
    assert.isFalse(isSame(a, b))
    assert.isFalse(isSame(b, a))
  })
})
