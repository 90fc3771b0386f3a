import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { restoreStatusPage } from "../../../scripts/RestoreStatusReference.ts"
import type { Objection } from "../../../src/restore/RestorePlan.ts"
import type { RestoreReasonOf } from "../../../src/status/restore/RestoreReasons.ts"
import { isObjection, restoreReasons, restoreTypes } from "../../../src/status/restore/RestoreReasons.ts"

/** Does not compile when a restore has an objection that is no reason of the condition. */
const known = <O extends RestoreReasonOf<"Preflight">>(reasons: ReadonlyArray<O>) => reasons
const all: ReadonlyArray<Objection["reason"]> = known<Objection["reason"]>(["TargetNotEmpty", "NotInBackup"])

describe("docs/reference/restore-status.md", () => {
  it("says what the tables say (npm run reference writes it)", () => {
    const page = readFileSync(new URL("../../../docs/reference/restore-status.md", import.meta.url), "utf8")
    assert.strictEqual(page, restoreStatusPage)
  })

  it("explains every condition type and reason", () => {
    for (const type of Object.keys(restoreTypes)) assert.include(restoreStatusPage, `### ${type}\n`)
    for (const name of Object.keys(restoreReasons)) assert.include(restoreStatusPage, `| \`${name}\` |`)
  })

  it("has the objections of a restore as reasons of Preflight, and no reason of another condition", () => {
    for (const reason of all) assert.isTrue(isObjection(reason))
    assert.isFalse(isObjection("RestoreCompleted"))
    assert.isFalse(isObjection("constructor"))
  })
})
