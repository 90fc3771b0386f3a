import { assert, describe, it } from "@effect/vitest"
import { freeMemory } from "../../src/compression/freeMemory.ts"

describe("freeMemory", () => {
  it("empties a large buffer and every view of it", () => {
    const large = Buffer.allocUnsafeSlow(1024 * 1024)
    const view = large.subarray(10)
    freeMemory(view)
    assert.deepStrictEqual([large.length, view.length], [0, 0])
  })

  it("leaves alone what may share memory with others", () => {
    const small = Buffer.from("a part of Node's pool")
    freeMemory(small)
    assert.strictEqual(small.toString(), "a part of Node's pool")
  })
})
