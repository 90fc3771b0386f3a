import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import { finished, programs, start, type Started } from "./processes.ts"

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "kafka-backup-offsets-"))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A reset of groups, each of which takes a second; the first signal comes while the first one is being set. */
const stopped = async (groups: ReadonlyArray<string>, second: (process: Started) => Promise<unknown>) => {
  const file = join(directory, "reset.json")
  const log = join(directory, "termination-log")
  writeFileSync(log, "")
  const spec = {
    kafkaCluster: { bootstrapServers: ["in-memory:9092"] },
    strategy: "earliest",
    consumerGroups: groups,
    topics: ["orders"],
    parallelism: 1
  }
  const manifest = { apiVersion: "kafka.oso.sh/v1alpha1", kind: "KafkaOffsetReset", metadata: { name: "early" }, spec }
  writeFileSync(file, JSON.stringify(manifest))
  const process = start(programs.inMemory, ["offsets", "apply", "-f", file, "--summary", log], { SLOW_SINK: "yes" })
  await process.said(`group ${groups[0]} is being set`)
  process.child.kill("SIGTERM")
  await second(process)
  process.child.kill("SIGTERM")
  const code = await process.ended
  return { code, err: process.err(), summary: Result.getOrThrow(SummaryCodec.decode(readFileSync(log, "utf8"))) }
}

describe("the process of work on offsets", () => {
  it("counts signals within half a second as one, and ends what it has begun", async () => {
    const { code, summary } = await stopped(["a", "b"], () => setTimeout(50))
    assert.deepStrictEqual([code, summary.outcome], [0, "success"])
    assert.deepStrictEqual(summary.restore?.groups?.groupsReset, ["a", "b"])
  })

  it("ends at once at the second signal, with a code that Kubernetes does not repeat, and names the groups", async () => {
    const { code, err, summary } = await stopped(["a", "b", "c"], (process) =>
      Promise.all([process.said("group b is being set"), setTimeout(600)])
    )
    assert.strictEqual(code, exitCodes.targetUnusable, err)
    assert.match(err, /stopped at once: 2 of 3 consumer groups are left, since the work was stopped: b: /)
    assert.deepInclude(summary, { outcome: "failed", exitCode: exitCodes.targetUnusable, reason: "GroupsSkipped" })
    assert.deepStrictEqual(summary.restore?.groups?.groupsReset, ["a"])
    assert.deepStrictEqual(
      summary.restore?.groups?.groupsSkipped.map(({ group }) => group),
      ["b", "c"]
    )
  })

  const cluster = { kafkaCluster: { bootstrapServers: ["in-memory:9092"] } }

  const byHand = (name: string, kind: string, spec: object) => {
    const file = join(directory, name)
    writeFileSync(file, JSON.stringify({ apiVersion: "kafka.oso.sh/v1alpha1", kind, metadata: { name: "hand" }, spec }))
    return ["-f", file, "-o", "json"]
  }

  it("of a rollback by hand ends at a signal with a code that is not repeated, and names the group", async () => {
    mkdirSync(join(directory, "volumes", "claim"), { recursive: true })
    const storage = { storageType: "pvc", pvc: { claimName: "claim" } }
    const spec = { ...cluster, storage, snapshotId: "before", consumerGroups: ["billing"] }
    const volumes = ["--volumes", join(directory, "volumes")]
    const snapshot = byHand("snapshot.json", "KafkaOffsetRollback", { ...spec, operation: "snapshot" })
    const stored = await finished(programs.inMemory, ["offsets", "snapshot", ...snapshot, ...volumes])
    assert.strictEqual(stored.exitCode, 0, stored.err)
    const rollback = byHand("rollback.json", "KafkaOffsetRollback", { ...spec, operation: "rollback" })
    const process = start(programs.inMemory, ["offsets", "rollback", ...rollback, ...volumes], { SLOW_GROUPS: "yes" })
    await process.said("group billing is being set")
    process.child.kill("SIGINT")
    assert.strictEqual(await process.ended, exitCodes.targetUnusable)
    const { error, groupsSkipped, snapshotId } = JSON.parse(process.out())
    assert.deepStrictEqual([error.reason, snapshotId, groupsSkipped[0].group], ["GroupsSkipped", "before", "billing"])
    assert.notInclude(process.err(), "createSnapshot")
  })

  it.each(["reset", "apply"])(
    "of %s by hand ends at once at the second signal, and names the groups",
    async (command) => {
      const spec = {
        ...cluster,
        strategy: "earliest",
        consumerGroups: ["a", "stuck"],
        topics: ["orders"],
        parallelism: 1
      }
      const args = byHand("stuck.json", "KafkaOffsetReset", spec)
      const process = start(programs.inMemory, ["offsets", command, ...args], { SLOW_GROUPS: "yes" })
      await process.said("group stuck is being set")
      process.child.kill("SIGINT")
      await setTimeout(600)
      process.child.kill("SIGINT")
      assert.strictEqual(await process.ended, exitCodes.targetUnusable, process.err())
      assert.match(
        process.err(),
        command === "reset"
          ? /^stopped: 1 of 2 consumer groups was set: a; of stuck some offsets may be set/m
          : /^stopped at once: 1 of 2 consumer groups are left, since the work was stopped: stuck: /m
      )
      const { error, exitCode, groupsReset, groupsSkipped } = JSON.parse(process.out())
      assert.deepStrictEqual([exitCode, error.reason], [exitCodes.targetUnusable, "GroupsSkipped"])
      assert.deepStrictEqual([groupsReset[0].group, groupsSkipped[0].group], ["a", "stuck"])
    }
  )
})
