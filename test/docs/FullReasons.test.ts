import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fullReasons } from "../../src/manifest/FullReason.ts"

const guide = readFileSync(new URL("../../docs/guides/incremental-and-retention.md", import.meta.url), "utf8")

describe("docs/guides/incremental-and-retention.md", () => {
  it("has every reason for which a partition is read in full, and no other", () => {
    const table = guide.slice(guide.indexOf("### Read in full"), guide.indexOf("### A full backup now"))
    const rows = table.split("\n").filter((line) => line.startsWith("| `"))
    const named = rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`([A-Za-z]+)`/gu)].map(([, reason]) => reason))
    assert.deepStrictEqual(named.toSorted(), fullReasons.toSorted())
  })
})
