import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as KafkaBackup from "../../src/resource/KafkaBackup.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as OffsetResource from "../../src/resource/OffsetResource.ts"

const parsers: Readonly<Record<string, (text: string) => Result.Result<unknown, ManifestParser.ManifestError>>> = {
  [KafkaBackup.kind]: ManifestParser.parse,
  [KafkaRestore.kind]: KafkaRestore.parse,
  KafkaOffsetReset: (text) => OffsetResource.parse(text, ["KafkaOffsetReset"]),
  KafkaOffsetRollback: (text) => OffsetResource.parse(text, ["KafkaOffsetRollback"])
}

/** The YAML blocks of a page, without the indentation of a list. */
const blocks = (page: string): ReadonlyArray<string> =>
  [...page.matchAll(/^( *)```yaml\n([\s\S]*?)^\1```$/gm)].map(([, indent = "", text = ""]) =>
    text.replaceAll(new RegExp(`^${indent}`, "gm"), "")
  )

const kindOf = (text: string): string => /^kind: (\w+)$/m.exec(text)?.[1] ?? ""

const pages = ["README.md", ...readdirSync("docs/guides").map((name) => join("docs/guides", name))]
const manifests = pages.flatMap((page) =>
  blocks(readFileSync(page, "utf8"))
    .filter((text) => kindOf(text) in parsers)
    .map((text, index) => ({ page, number: index + 1, kind: kindOf(text), text }))
)

describe("manifests in the documentation", () => {
  it("are many", () => {
    assert.isAbove(manifests.filter(({ kind }) => kind === KafkaRestore.kind).length, 8)
    assert.isAbove(manifests.filter(({ kind }) => kind.startsWith("KafkaOffset")).length, 1)
    assert.isAbove(manifests.filter(({ kind }) => kind === KafkaBackup.kind).length, 1)
  })

  it.each(manifests)("$page: $kind number $number is accepted", ({ kind, text }) => {
    const parsed = parsers[kind]!(text)
    assert.isTrue(Result.isSuccess(parsed), Result.isFailure(parsed) ? parsed.failure.message : "")
  })
})
