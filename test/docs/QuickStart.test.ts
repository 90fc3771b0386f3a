import { assert, describe, it } from "@effect/vitest"
import { leftOut, quickStart, steps } from "./guideSteps.ts"
import { read } from "./repository.ts"

describe("the quick start", () => {
  it("has a name at each of its blocks, and none twice", () => {
    const names = steps(quickStart).map(({ name }) => name)
    assert.notInclude(names, "")
    assert.lengthOf(new Set(names), names.length)
    // None that the test would overlook for its form.
    assert.strictEqual(read(quickStart).match(/^ *(```|~~~)/gmu)?.length, 2 * names.length)
  })

  it("has every step that is said to be left out", () => {
    assert.includeMembers(
      steps(quickStart).map(({ name }) => name),
      Object.keys(leftOut)
    )
  })
})
