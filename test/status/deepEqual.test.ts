import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { deepEqual } from "../../src/status/deepEqual.ts"

describe("deepEqual", () => {
  it.prop("finds a status the same as its copy", [Schema.Json], ([json]) => {
    assert.isTrue(deepEqual(json, JSON.parse(JSON.stringify(json))))
  })

  it.each([
    [
      { a: 1, b: [1, { c: 2 }] },
      { b: [1, { c: 2 }], a: 1 }
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [{}, { a: undefined }],
    [{ a: -0 }, { a: 0 }]
  ])("ignores the order of keys, keys without value and the sign of zero: %o, %o", (a, b) => {
    assert.isTrue(deepEqual(a, b))
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
  ])("distinguishes %o and %o", (a, b) => {
    assert.isFalse(deepEqual(a, b))
    assert.isFalse(deepEqual(b, a))
  })
})
