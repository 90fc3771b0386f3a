import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { statusPage } from "../../scripts/StatusReference.ts"
import { eventReasons } from "../../src/status/EventReasons.ts"
import { reasons, types } from "../../src/status/Reasons.ts"
import { runReasons } from "../../src/outcome/RunReasons.ts"

describe("docs/reference/status.md", () => {
  it("says what the tables say (npm run reference writes it)", () => {
    const page = readFileSync(new URL("../../docs/reference/status.md", import.meta.url), "utf8")
    assert.strictEqual(page, statusPage)
  })

  it("explains every condition type, reason and event", () => {
    for (const type of Object.keys(types)) assert.include(statusPage, `### ${type}\n`)
    for (const name of [...Object.keys(reasons), ...Object.keys(eventReasons), ...Object.keys(runReasons)]) {
      assert.include(statusPage, `| \`${name}\` |`)
    }
  })
})

describe("reasons", () => {
  it("are words in CamelCase, each of a type that exists", () => {
    for (const [name, { of }] of Object.entries(reasons)) {
      assert.match(name, /^[A-Z][A-Za-z]+$/)
      assert.isAbove(of.length, 0, name)
      for (const type of of) assert.property(types, type, name)
    }
    for (const name of Object.keys(eventReasons)) assert.match(name, /^[A-Z][A-Za-z]+$/)
  })
})
