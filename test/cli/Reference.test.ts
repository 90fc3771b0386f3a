import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as FailureReasons from "../../src/outcome/FailureReasons.ts"
import { commandLinePage, pluginPage } from "../../scripts/CommandLineReference.ts"
import { metricsPage } from "../../scripts/MetricsReference.ts"

const page = (name: string) => readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8")

/** Reasons of the commands themselves; their codes stand beside them in src/cli. */
const ofCommands = new Set([
  "InternalError",
  "UsageError",
  "BadManifest",
  "OutputEnded",
  "ClusterDiffers",
  "NothingToCompare",
  "VerificationFailed",
  "NotInBackup",
  "BackupsLocked",
  "PruneRefused",
  "BackupsPinned",
  "KeepsEverything",
  "GroupsLeft",
  "GroupsSkipped",
  "OffsetsRefused",
  "OffsetsDiffer",
  "SnapshotNotFound",
  "ExportNotProven"
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
      Object.entries(exitCodes)
    )
  })

  it("lists every reason with the code that it leads to, and no other", () => {
    const expected = FailureReasons.failureReasons.flatMap((_tag) => {
      const codes = [true, false].map((isRetryable) => FailureReasons.exitCode({ reason: { _tag }, isRetryable }))
      // Of these it depends on the case whether waiting may help; see KafkaError.isRetryable.
      if (_tag === "BrokerUnreachable" || _tag === "ProtocolFailure" || _tag === "TokenUnavailable") {
        return codes.map((code) => `${code} ${_tag}`)
      }
      return [`${_tag === "Stalled" ? exitCodes.temporary : codes[1]} ${_tag}`]
    })
    const listed = rows.flatMap(({ code, reasons }) =>
      reasons.filter((reason) => !ofCommands.has(reason)).map((reason) => `${code} ${reason}`)
    )
    assert.deepStrictEqual(listed.toSorted(), expected.toSorted())
  })
})

describe("docs/reference/command-line.md", () => {
  it.effect("shows every command as --help does (npm run reference writes it)", () =>
    Effect.map(commandLinePage, (wanted) => assert.strictEqual(page("command-line.md"), wanted))
  )
})

describe("docs/reference/kubectl-plugin.md", () => {
  it.effect("shows every command of the plugin as --help does (npm run reference writes it)", () =>
    Effect.map(pluginPage, (wanted) => assert.strictEqual(page("kubectl-plugin.md"), wanted))
  )
})

describe("docs/reference/metrics.md", () => {
  it.effect("shows every metric of a run as Prometheus gets it (npm run reference writes it)", () =>
    Effect.map(metricsPage, (wanted) => assert.strictEqual(page("metrics.md"), wanted))
  )
})
