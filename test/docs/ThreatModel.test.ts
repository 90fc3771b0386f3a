import { existsSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { read, root, section } from "./repository.ts"

const page = read("docs/guides/threat-model.md")

/** The rows of tables about what holds. */
const claims = section(page, "What holds, and what proves it")
  .split("\n")
  .filter((line) => line.startsWith("|") && !/^\| (claim|-)/u.test(line))
  .map((line) => {
    const [, claim = "", proof = ""] = line.split("|").map((cell) => cell.trim())
    return { claim, proof }
  })

describe("the threat model", () => {
  it("claims much", () => assert.isAbove(claims.length, 20))

  it.each(claims)("has a proof that exists, or says that it has none: $claim", ({ proof }) => {
    if (proof.startsWith("no test: ")) return
    const file = /`(test\/[^`]+\.ts)`: /u.exec(proof)?.[1] ?? ""
    assert.isTrue(existsSync(join(root, file)) && file !== "", `${proof} names no test file`)
    const names = [...proof.matchAll(/"([^"]+)"/gu)].map(([, name]) => name!)
    assert.isNotEmpty(names)
    for (const name of names) assert.include(read(file), name)
  })
})
