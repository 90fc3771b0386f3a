import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as DemoCluster from "../../src/cli/demo/DemoCluster.ts"
import { backupId, cluster, desk, jsonLines, layer, manifest, slot, type } from "./terminal.ts"

const earlier = "2026-11-22T12:00:00Z"
const failedId = "nightly-20261122-120000"

/** One backup, and the run of an earlier slot that failed: it asked for a topic that was not there. */
const aFailure = Effect.gen(function* () {
  const kafka = yield* cluster
  yield* DemoCluster.fill(kafka)
  const { claim, directory, file, options } = yield* desk(manifest().replace('topics: ["*"]', "topics: [oders]"))
  const failed = yield* type("run", ...options, "--slot", earlier)
  assert.strictEqual(failed.exitCode, 13, failed.err)
  writeFileSync(file, manifest())
  assert.strictEqual((yield* type("run", ...options, "--slot", slot)).exitCode, 0)
  return { claim, directory, file, kafka, options }
})

describe("kafka-backup list --failed, describe and report", () => {
  it.live("show why a run failed, what to do, and how far it came", () =>
    Effect.gen(function* () {
      const { options } = yield* aFailure
      const listed = yield* type("list", ...options, "--failed")
      assert.strictEqual(listed.exitCode, 0, listed.err)
      const [heading, row, why, hint] = listed.out.split("\n")
      assert.match(heading!, /^RUN +ENDED +REASON +REACHED +NOW +OWNER$/)
      assert.match(
        row!,
        /^nightly-20261122-120000 +\d{4}-\S+Z +TopicMissing +ended while planning +unfinished +nightly$/
      )
      assert.strictEqual(why, `${failedId}: the cluster has no topic oders; did you mean orders?`)
      assert.strictEqual(hint, `kafka-backup report ${failedId} shows what to do, and what was read`)
      for (const command of ["report", "describe"]) {
        const shown = yield* type(command, ...options, failedId)
        assert.strictEqual(shown.exitCode, 0, shown.err)
        assert.match(shown.out, /^Run +nightly-20261122-120000\nOutcome +failed, exit code 13\n/)
        assert.match(shown.out, /\nerror: TopicMissing: the cluster has no topic oders; did you mean orders\?\n/)
        assert.match(shown.out, /\nwhat to do: create the topic/)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("say the same as JSON", () =>
    Effect.gen(function* () {
      const { options } = yield* aFailure
      const [one, ...others] = JSON.parse((yield* type("list", ...options, "--failed", "-o", "json")).out)
      assert.deepStrictEqual(others, [])
      assert.deepInclude(one, {
        backupId: failedId,
        now: "unfinished",
        outcome: "failed",
        reason: "TopicMissing",
        slot: earlier,
        attempt: 1
      })
      const report = JSON.parse((yield* type("report", ...options, failedId, "-o", "json")).out)
      assert.deepInclude(report, { outcome: "failed", exitCode: 13, backupId: failedId })
      const described = JSON.parse((yield* type("describe", ...options, failedId, "-o", "json")).out)
      assert.deepStrictEqual(described, { failedRun: report })
    }).pipe(Effect.provide(layer))
  )

  it.live("leave the list of backups as it is, with one line that names the failed run", () =>
    Effect.gen(function* () {
      const { options } = yield* aFailure
      const lines = (yield* type("list", ...options)).out.trimEnd().split("\n")
      assert.match(lines[1]!, /^nightly-20261122-120000 +unfinished, TopicMissing$/)
      assert.match(lines[2]!, /^nightly-20261123-120000 +complete /)
      assert.match(
        lines[3]!,
        /^1 run has failed \(nightly-20261122-120000, \d{4}-\S+Z: TopicMissing\); list --failed shows it$/
      )
      const json = JSON.parse((yield* type("list", ...options, "-o", "json")).out)
      assert.deepStrictEqual(
        json.map((entry: any) => [entry.backupId, entry.state, entry.failure]),
        [
          [failedId, "unfinished", "TopicMissing"],
          [backupId, "complete", undefined]
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("tell of a run that was repeated with success, and no longer count it", () =>
    Effect.gen(function* () {
      const { kafka, options } = yield* aFailure
      yield* kafka.createTopic("oders")
      // The plan was not made: this attempt takes what the manifest says now.
      assert.strictEqual((yield* type("run", ...options, "--slot", earlier)).exitCode, 0)
      assert.notInclude((yield* type("list", ...options)).out, "failed")
      assert.match((yield* type("list", ...options, "--failed")).out, / TopicMissing .* complete +nightly\n/)
      assert.match((yield* type("report", ...options, failedId)).out, /\nOutcome +success\n/)
    }).pipe(Effect.provide(layer))
  )

  it.live("show the report of a backup, and say where there is none", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* aFailure
      const shown = yield* type("report", ...options, backupId)
      assert.match(shown.out, /^Backup +nightly-20261123-120000\nOutcome +success\n/)
      const report = JSON.parse((yield* type("report", ...options, backupId, "-o", "json")).out)
      assert.deepInclude(report, { outcome: "success", backupId })
      rmSync(join(claim, backupId, "report.json"))
      const without = yield* type("report", ...options, backupId)
      assert.notStrictEqual(without.exitCode, 0)
      assert.match(without.err, /report\.json cannot be read: there is none: another tool made this backup, or /)
      const unknown = yield* type("report", ...options, "nightly-20261123-120001")
      assert.match(
        unknown.err,
        /there is no backup nightly-20261123-120001 in .*; did you mean nightly-20261123-120000\?/
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("say that no run failed, and name a report that nobody can read", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* aFailure
      const folder = join(claim, "_kafka-backup", "failed", "_nightly")
      const [file] = readdirSync(folder)
      const bytes = readFileSync(join(folder, file!))
      writeFileSync(join(folder, file!), bytes.subarray(0, bytes.length / 2))
      assert.match(
        (yield* type("list", ...options, "--failed")).out,
        /^no reports of failed runs in .*\n_kafka-backup\/failed\/_nightly\/20261122T120000-[0-9a-f]{32}\.json cannot be read: /
      )
      rmSync(folder, { recursive: true })
      assert.match((yield* type("list", ...options, "--failed")).out, /^no reports of failed runs in [^\n]*\n$/)
    }).pipe(Effect.provide(layer))
  )

  it.live("keep a run whose storage was the cause from hiding it: its own output says that nothing was kept", () =>
    Effect.gen(function* () {
      const { directory, options } = yield* aFailure
      rmSync(join(directory, "volumes"), { recursive: true })
      const file = join(directory, "report.json")
      const { exitCode, out } = yield* type("run", ...options, "--slot", "2026-11-24T12:00:00Z", "--report", file)
      assert.notStrictEqual(exitCode, 0)
      const last = jsonLines(out).at(-1)
      assert.match(last.notes.at(-1), /^this report is not in storage, so list --failed does not show this run: /)
      assert.deepStrictEqual(JSON.parse(readFileSync(file, "utf8")).notes, last.notes)
    }).pipe(Effect.provide(layer))
  )
})
