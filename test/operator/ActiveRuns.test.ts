import { assert, describe, it } from "vitest"
import type { Job, Pod } from "../../src/kubernetes/Objects.ts"
import * as ActiveRuns from "../../src/operator/ActiveRuns.ts"
import { ended, job, pod } from "./jobs/fixtures.ts"

const createdMillis = Date.parse("2026-11-24T07:00:01Z")
const late = createdMillis + ActiveRuns.graceMillis
const key = `kafka-backup/${job().metadata.name}`

const ofJob = (one: Pod): Pod => ({
  ...one,
  metadata: { ...one.metadata, labels: { "batch.kubernetes.io/job-name": job().metadata.name } }
})
const pending = ofJob(pod(0, { phase: "Pending" }))
const running = ofJob(pod(0, { phase: "Running", containerStatuses: [{ name: "backup", state: { running: {} } }] }))
const failed = ofJob(ended(0, { exitCode: 20 }))

/** What counts long after the Job was made, when these were observed in this order. */
const counted = (...observed: ReadonlyArray<Job | Pod>): number => {
  const runs = ActiveRuns.make()
  const pods: Array<Pod> = []
  for (const one of observed) {
    if (one.kind === "Job") runs.observeJob(one as Job, () => pods)
    else {
      pods.push(one as Pod)
      runs.observePod(one as Pod)
    }
  }
  return runs.load(late).ofNamespace("kafka-backup")
}

describe("the runs that count towards the budget", () => {
  it("are all new ones, for a minute, and after it those whose container has started", () => {
    const runs = ActiveRuns.make()
    runs.observeJob(job(), () => [])
    assert.strictEqual(runs.load(late - 1).total, 1)
    assert.strictEqual(runs.load(late).total, 0)
    assert.deepStrictEqual([runs.count(), runs.starting()], [1, 1])
    runs.observePod(running)
    assert.strictEqual(runs.load(late).total, 1)
    assert.deepStrictEqual([runs.count(), runs.starting()], [1, 0])
    runs.end(key)
    assert.deepStrictEqual([runs.count(), runs.load(0).total], [0, 0])
  })

  it("are new checks for a quarter of a minute only", () => {
    const checks = ActiveRuns.make(ActiveRuns.checkGraceMillis)
    checks.observeJob(job(), () => [])
    assert.strictEqual(checks.load(createdMillis + 14_999).total, 1)
    assert.strictEqual(checks.load(createdMillis + 15_000).total, 0)
    checks.observePod(running)
    assert.strictEqual(checks.load(late).total, 1)
  })

  it("are the same in whatever order Jobs and pods are observed", () => {
    assert.strictEqual(counted(job(), running), 1)
    assert.strictEqual(counted(running, job()), 1)
    assert.strictEqual(counted(job(), pending), 0)
    assert.strictEqual(counted(pending, job()), 0)
  })

  it("include those between two attempts, also when the pods that ended are gone", () => {
    assert.strictEqual(counted(job(), failed), 1)
    assert.strictEqual(counted(job({ failed: 1 })), 1)
    assert.strictEqual(counted(job(), running, job({ active: 1 }), pending), 1)
  })

  it("do not include a new Job for the pods of an earlier one of its name", () => {
    const again: Job = { ...job(), metadata: { ...job().metadata, uid: "another-uid" } }
    assert.strictEqual(counted(job(), running, again, running), 0)
  })
})
