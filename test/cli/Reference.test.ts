import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as ExitCode from "../../src/outcome/ExitCodes.ts"
import { RunError } from "../../src/backup/RunError.ts"
import { KafkaError } from "../../src/kafka/KafkaError.ts"
import { CatalogueError } from "../../src/manifest/CatalogueError.ts"
import { SegmentError } from "../../src/segment/SegmentError.ts"
import { ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import { commandLinePage } from "../../scripts/CommandLineReference.ts"
import { metricsPage } from "../../scripts/MetricsReference.ts"

const page = (name: string) => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8")

/** Reasons of the commands themselves; their codes stand beside them in src/cli. */
const ofCommands = new Set([
  "InternalError",
  "UsageError",
  "BadManifest",
  "OutputEnded",
  "VerificationFailed",
  "NotInBackup",
  "PruneRefused",
  "KeepsEverything"
])

describe("docs/reference/exit-codes.md", () => {
  const rows = page("exit-codes.md")
    .split("\n")
    .flatMap((line) => {
      const [, code, name, , reasons] = line.split("|").map((cell) => cell.trim())
      return /^\d+$/.test(code ?? "")
        ? [{ code: Number(code), name: name!.slice(1, -1), reasons: reasons!.match(/\w+/g) ?? [] }]
        : []
    })

  it("lists every exit code, under its name, in ascending order", () => {
    assert.deepStrictEqual(
      rows.map(({ code, name }) => [name, code]),
      Object.entries(ExitCode.exitCodes)
    )
  })

  it("lists every reason with the code that it leads to, and no other", () => {
    const tags = [KafkaError, ObjectStoreError, SegmentError, CatalogueError, RunError].flatMap(({ fields }) =>
      fields.reason.members.map((reason) => reason.fields._tag.schema.literal as string)
    )
    assert.isAbove(tags.length, 30)
    const expected = new Set(
      tags.flatMap((_tag) =>
        [true, false].map((isRetryable) => {
          const code = ExitCode.of({ reason: { _tag }, isRetryable } as ExitCode.BackupFailure)
          return `${code} ${_tag}`
        })
      )
    )
    // Never without hope: see KafkaError.isRetryable.
    expected.delete("18 Stalled")
    const listed = rows.flatMap(({ code, reasons }) =>
      reasons.filter((reason) => !ofCommands.has(reason)).map((reason) => `${code} ${reason}`)
    )
    assert.deepStrictEqual(listed.toSorted(), [...expected].toSorted())
  })
})

describe("docs/reference/command-line.md", () => {
  it.effect("shows every command as --help does (npm run reference writes it)", () =>
    Effect.map(commandLinePage, (wanted) => assert.strictEqual(page("command-line.md"), wanted))
  )
})

describe("docs/reference/metrics.md", () => {
  it.effect("shows every metric of a run as Prometheus gets it (npm run reference writes it)", () =>
    Effect.map(metricsPage, (wanted) => assert.strictEqual(page("metrics.md"), wanted))
  )
})
