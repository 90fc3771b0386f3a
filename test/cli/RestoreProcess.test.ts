import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as RestoreSpec from "../../src/identity/RestoreSpec.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { finished, programs, start } from "./processes.ts"
import { backupId, jsonLines, manifest, slot } from "./terminal.ts"

let directory: string
let volumes: ReadonlyArray<string>

const restore = {
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaRestore",
  metadata: { name: "back" },
  spec: {
    backupId,
    targetCluster: { bootstrapServers: ["target:9092"] },
    storage: { storageType: "pvc", pvc: { claimName: "backups" } }
  }
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "kafka-backup-restore-"))
  mkdirSync(join(directory, "volumes", "backups"), { recursive: true })
  volumes = ["--volumes", join(directory, "volumes")]
  writeFileSync(join(directory, "backup.yaml"), manifest())
  const args = ["run", "-f", join(directory, "backup.yaml"), ...volumes, "--slot", slot]
  const { err, exitCode } = await finished(programs.inMemory, args)
  assert.strictEqual(exitCode, 0, err)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe("the process of a restore", () => {
  it("stops between two batches on SIGTERM, ends with 21, and reports no success", async () => {
    const log = join(directory, "termination-log")
    writeFileSync(log, "")
    const text = Result.getOrThrow(RestoreSpec.encode(Result.getOrThrow(KafkaRestore.parse(JSON.stringify(restore)))))
    const process = start(programs.inMemory, ["restore", "-f", "env:SPEC", ...volumes, "--summary", log], {
      SPEC: text,
      SLOW_SINK: "yes"
    })
    await process.said("a batch is on its way")
    process.child.kill("SIGTERM")
    assert.strictEqual(await process.ended, 21)
    const lines = jsonLines(process.err()).map(({ msg }) => msg as string)
    const count = (wanted: string) => lines.filter((line) => line === wanted).length
    assert.isAbove(count("a batch is on its way"), 0)
    assert.strictEqual(count("a batch has arrived"), count("a batch is on its way"))
    const report = jsonLines(process.out()).at(-1)
    assert.deepInclude(report, { type: "report", outcome: "interrupted", exitCode: 21 })
    assert.match(report.error.message, /^the restore of nightly-20261123-120000 was interrupted; everything that was/)
    const summary = Result.getOrThrow(SummaryCodec.decode(readFileSync(log, "utf8")))
    assert.deepInclude(summary, { command: "restore", outcome: "interrupted", exitCode: 21, reason: "Interrupted" })
    assert.isString(summary.restore?.startedWriting)
  })

  it("serves its progress and metrics while it works", async () => {
    const file = join(directory, "restore.json")
    writeFileSync(file, JSON.stringify(restore))
    const args = ["restore", "-f", file, ...volumes, "--listen", "127.0.0.1:0"]
    const process = start(programs.inMemory, args, { SLOW_SINK: "yes" })
    await process.said("a batch is on its way")
    // Without a terminal, a line of a log says how far it is.
    await process.said("restoring nightly-20261123-120000: 0 of ")
    const logged = process
      .err()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .join("\n")
    const address = jsonLines(logged).find(({ address }) => address !== undefined).address as string
    const progress = (await (await fetch(`${address}/progress`)).json()) as object
    assert.deepInclude(progress, { step: "writing", backupId, percent: 0, records: 0 })
    const metrics = await (await fetch(`${address}/metrics`)).text()
    assert.match(metrics, /^kafka_restore_step\{step="writing"\} 1$/m)
    process.child.kill("SIGTERM")
    assert.strictEqual(await process.ended, 21)
    assert.include(process.err(), "stopped: what was written stays, and the same command continues the restore")
  })

  it("of work on offsets says on SIGTERM which groups were set, and how to go on with the others", async () => {
    const file = join(directory, "reset.json")
    const spec = {
      kafkaCluster: { bootstrapServers: ["in-memory:9092"] },
      consumerGroups: ["first", "second"],
      topics: ["orders"],
      strategy: "earliest",
      parallelism: 1
    }
    const reset = { apiVersion: "kafka.oso.sh/v1alpha1", kind: "KafkaOffsetReset", metadata: { name: "again" }, spec }
    writeFileSync(file, JSON.stringify(reset))
    const process = start(programs.inMemory, ["offsets", "reset", "-f", file, "-o", "json"], { SLOW_GROUPS: "yes" })
    await process.said("group second is being set")
    process.child.kill("SIGTERM")
    assert.strictEqual(await process.ended, 19)
    assert.match(
      process.err(),
      /^stopped: 1 of 2 consumer groups was set: first; of second some offsets may be set\. Repeat the command for the others alone: give --group GROUP/m
    )
    const { error, exitCode, groupsReset, groupsSkipped } = JSON.parse(process.out())
    assert.deepInclude(error, { reason: "GroupsSkipped", isRetryable: false })
    assert.match(error.advice, /for these groups alone.*--group GROUP/)
    assert.strictEqual(exitCode, 19)
    assert.deepStrictEqual([groupsReset[0].group, groupsSkipped[0].group], ["first", "second"])
  })

  it("says at once by hand, and in a dry run, which broker does not answer", async () => {
    // Nothing listens on port 1.
    const unreachable = { bootstrapServers: ["127.0.0.1:1"] }
    const file = join(directory, "unreachable.json")
    writeFileSync(file, JSON.stringify({ ...restore, spec: { ...restore.spec, targetCluster: unreachable } }))
    const backup = join(directory, "unreachable-backup.yaml")
    writeFileSync(backup, manifest().replace(/bootstrapServers:.*/u, 'bootstrapServers: ["127.0.0.1:1"]'))
    for (const args of [
      ["restore", "-f", file],
      ["restore", "-f", file, "--end-hold"],
      ["restore", "-f", file, "--dry-run"],
      ["drill", "-f", backup],
      ["drill", "-f", backup, "--dry-run"]
    ]) {
      const { err, exitCode } = await finished(programs.real, [...args, ...volumes])
      assert.strictEqual(exitCode, 20, err)
      assert.match(err, /127\.0\.0\.1:1/)
      assert.notInclude(err, "pauseMillis")
    }
  })
})
