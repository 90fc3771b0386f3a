import { assert, describe, it } from "@effect/vitest"
import { CatalogueError, SetIncomplete } from "../../src/manifest/CatalogueError.ts"

const adviceFor = (backupId: string) =>
  new CatalogueError({ reason: new SetIncomplete({ backupId, state: "unfinished" }) }).advice

describe("CatalogueError", () => {
  it("names the slot of a run that has not finished, where its id tells it", () => {
    assert.match(adviceFor("orders-20261130-040500"), /its next attempt finishes it;.* --slot 2026-11-30T04:05:00Z$/)
    assert.match(adviceFor("by-hand"), / --slot <slot>$/)
  })
})
