import { assert, describe, it } from "@effect/vitest"
import * as Completion from "../../src/backup/Completion.ts"

describe("Completion.tooLong", () => {
  it("refuses a manifest that no command would read, with its length and what to do", () => {
    assert.deepStrictEqual(Completion.tooLong(256 * 1024 * 1024), [])
    const [problem] = Completion.tooLong(256 * 1024 * 1024 + 1)
    assert.match(problem!, /would have 257 MiB, and at most 256 MiB can be read again: select fewer topics/u)
  })
})
