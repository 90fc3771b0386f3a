import { assert, describe, it } from "@effect/vitest"
import type { Job, Pod } from "../../../src/kubernetes/Objects.ts"
import * as JobFacts from "../../../src/operator/jobs/JobFacts.ts"
import * as JobState from "../../../src/operator/jobs/JobState.ts"
import * as PodTrouble from "../../../src/operator/jobs/PodTrouble.ts"
import * as ShardsProgress from "../../../src/operator/jobs/ShardsProgress.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import type { RunProgressFacts } from "../../../src/status/Facts.ts"
import { backup, complete, ended, failed, failure, job, jobOf, now, pod, said, success } from "./fixtures.ts"

const sharded = (status: NonNullable<Job["status"]> = {}): Job => ({
  ...job(status),
  spec: jobOf(backup(["job.parallelism", 3])).spec
})

const ofShard = (shard: number, one: Pod): Pod => ({
  ...one,
  metadata: { ...one.metadata, annotations: { "batch.kubernetes.io/job-completion-index": String(shard) } }
})

const shardEnded = (index: number): RunSummary => ({
  version: 1,
  command: "run",
  outcome: "shardEnded",
  exitCode: 0,
  startedAt: success.startedAt,
  completedAt: success.completedAt,
  backupId: success.backupId!,
  addedBytes: 100,
  addedRecords: 20,
  shard: { index, of: 3, partitions: 2, offsets: 30 },
  notes: []
})

const well = (shard: number, summary: RunSummary = shardEnded(shard)) =>
  ofShard(shard, ended(shard, { exitCode: 0, message: said(summary) }))

const badly = (shard: number, n: number, exitCode: number, over: Partial<RunSummary> = {}) =>
  ofShard(shard, ended(n, { exitCode, message: said({ ...failure, exitCode, ...over }) }))

const running = (shard: number, n = shard) =>
  ofShard(shard, pod(n, { phase: "Running", containerStatuses: [{ name: "backup", state: { running: {} } }] }))

const interrupted = { outcome: "interrupted", reason: "Interrupted", message: "it was stopped" } as const

const endOf = (status: NonNullable<Job["status"]>, ...pods: ReadonlyArray<Pod>) => {
  const state = JobState.read(sharded(status), pods, now)
  if (state._tag !== "Ended") throw new Error(`not ended: ${state._tag}`)
  return state.run
}

describe("the Job of a run of several shards", () => {
  it("is an Indexed Job, of which Kubernetes replaces each pod by itself", () => {
    const { spec } = jobOf(backup(["job.parallelism", 3], ["job.backoffLimit", 2]))
    assert.deepInclude(spec, {
      completionMode: "Indexed",
      completions: 3,
      parallelism: 3,
      backoffLimitPerIndex: 2,
      // Without the field before, the failures of all pods count.
      backoffLimit: 6,
      maxFailedIndexes: 0,
      podReplacementPolicy: "Failed"
    })
    assert.deepStrictEqual(spec.podFailurePolicy, jobOf(backup()).spec.podFailurePolicy)
    assert.deepStrictEqual(spec.template.spec.containers[0].args.slice(0, 3), [
      "run",
      "--shard",
      "$(JOB_COMPLETION_INDEX)/3"
    ])
  })

  it("is what it was before where parallelism is 1", () => {
    const { metadata, spec } = jobOf(backup(["job.parallelism", 1]))
    assert.deepStrictEqual(spec, jobOf(backup()).spec)
    assert.deepStrictEqual(metadata, jobOf(backup()).metadata)
    for (const field of ["completionMode", "backoffLimitPerIndex", "maxFailedIndexes"]) assert.notProperty(spec, field)
    assert.notInclude(spec.template.spec.containers[0].args, "--shard")
  })

  it("is made again for another number of pods, as long as none has started", () => {
    const digest = (parallelism: number) => jobOf(backup(["job.parallelism", parallelism])).metadata.annotations
    assert.notDeepEqual(digest(3), digest(4))
    assert.notDeepEqual(digest(1), digest(2))
  })

  it("is a success with what the pod says that made the backup, whichever ended last", () => {
    const found = { ...success, alreadyComplete: true, notes: [] }
    for (const maker of [0, 1, 2]) {
      const others = [0, 1, 2].filter((shard) => shard !== maker)
      const pods = [well(maker, success), well(others[0]!), well(others[1]!, found)]
      const run = endOf(complete, ...pods)
      assert.deepStrictEqual([run.outcome, run.records, run.notes], ["success", 1_000_000, ["orders/0 is held back"]])
    }
  })

  it("is no success while no pod reports a backup", () => {
    const run = endOf(complete, well(0), well(1), well(2))
    assert.deepStrictEqual([run.outcome, run.reason], ["failed", "ResultMissing"])
  })

  it("failed for the reason of the shard that failed, not for that of those that were stopped with it", () => {
    const cause = badly(1, 1, 13, { reason: "TopicMissing", message: "no such topic" })
    for (const pods of [
      [cause, badly(0, 5, 21, interrupted), well(2)],
      [badly(0, 0, 21, interrupted), well(2), cause]
    ]) {
      assert.strictEqual(endOf(failed("PodFailurePolicy"), ...pods).reason, "TopicMissing")
    }
    const temporary = badly(2, 7, 20, { reason: "BrokerUnavailable", message: "no answer" })
    const run = endOf(failed("MaxFailedIndexesExceeded"), badly(0, 9, 21, interrupted), temporary, well(1))
    assert.deepStrictEqual([run.outcome, run.reason], ["failed", "BrokerUnavailable"])
  })

  it("waits for nothing while one of its pods runs, and then from when the last one left its room", () => {
    const waiting = ofShard(2, pod(2, { phase: "Pending" }))
    const wait = (...pods: ReadonlyArray<Pod>) => {
      const state = JobState.read(sharded(), pods, now, [], 600)
      return state._tag === "Active" ? state.run.waiting : state._tag
    }
    assert.isUndefined(wait(waiting, running(0), running(1)))
    const left = "2026-11-24T07:25:00Z"
    const over = [0, 1].map((shard) =>
      ofShard(shard, ended(shard, { exitCode: 0, message: said(shardEnded(shard)), finishedAt: left }))
    )
    assert.deepStrictEqual(wait(waiting, ...over), {
      isReplaceable: false,
      failsAtMillis: Date.parse(left) + 600_000
    })
  })
})

describe("the trouble of a run of several shards", () => {
  const troubleOf = (...pods: ReadonlyArray<Pod>) => PodTrouble.of(sharded({ failed: 5 }), pods, [], now)

  it("is that of any shard, with the number of its own attempt", () => {
    assert.isUndefined(troubleOf(running(0), running(1), well(2)))
    const trouble = troubleOf(running(0), running(1, 9), badly(1, 1, 20, { reason: "BrokerUnavailable" }), well(2))
    assert.strictEqual(trouble?.reason, "Retrying")
    assert.match(trouble?.message ?? "", /^shard 1, attempt 2 of 4 after BrokerUnavailable/)
  })

  it("names the access mode that a claim needs, where a pod waits for its volume", () => {
    const conditions = [
      { type: "PodScheduled", status: "False", message: "0/3 nodes: persistentvolumeclaim is in use on another node" }
    ]
    const blocked = troubleOf(running(0), running(1), ofShard(2, pod(2, { phase: "Pending", conditions })))
    assert.strictEqual(blocked?.reason, "VolumeClaimUnusable")
    assert.include(blocked?.message, "spec.job.parallelism is 3, and only a ReadWriteMany claim")
    const alone = PodTrouble.of(job(), [pod(2, { phase: "Pending", conditions })], [], now)
    assert.notInclude(alone?.message, "ReadWriteMany")
  })
})

describe("ShardsProgress.sum", () => {
  const answer = (index: number, over: Partial<RunProgressFacts> = {}, offsetsDone = 10): RunProgressFacts => ({
    partitionsTotal: 2,
    partitionsDone: 1,
    records: 9,
    bytes: 50,
    message: "reading",
    shard: { index, of: 3, run: { partitions: 6, offsets: 90 }, offsetsDone },
    updatedMillis: now,
    ...over
  })

  it("adds up what pods answer and what ended ones reported, and each shard once", () => {
    const over = ShardsProgress.ended([well(0), well(0), running(1), badly(2, 7, 20)])
    assert.lengthOf(over, 1)
    assert.deepStrictEqual(ShardsProgress.sum([answer(1), answer(2, { updatedMillis: now + 5 })], over), {
      partitionsTotal: 6,
      partitionsDone: 4,
      recordsTotal: 90,
      offsetsDone: 50,
      percent: 55,
      records: 38,
      bytes: 200,
      message: "reading; 1 of 3 shards have ended",
      updatedMillis: now + 5
    })
    // Its pod reads the shard again.
    assert.strictEqual(ShardsProgress.sum([answer(0), answer(1)], over)?.percent, 22)
  })

  it("is as far as the slowest shard, and waits for what any of them waits for", () => {
    const outage = { target: "storage", sinceMillis: 1, cause: "it is down" }
    const paused = "paused: storage does not answer (it is down)"
    assert.strictEqual(ShardsProgress.sum([answer(0, { message: "verifying" }), answer(1)], [])?.message, "reading")
    const sum = ShardsProgress.sum([answer(0), answer(1, { outage, message: paused })], [])
    assert.deepStrictEqual([sum?.outage, sum?.message], [outage, paused])
    const awaited = "waiting for a Secret: it is missing"
    assert.strictEqual(ShardsProgress.sum([answer(0), answer(1, { message: awaited })], [])?.message, awaited)
  })

  it("knows nothing while no pod answers, and no sum before a pod knows the plan", () => {
    assert.isUndefined(ShardsProgress.sum([], ShardsProgress.ended([well(0)])))
    const { shard: _, ...planning } = answer(0, { message: "planning" })
    assert.deepStrictEqual(ShardsProgress.sum([planning], []), planning)
  })
})

describe("JobFacts.shards", () => {
  it("takes what anybody may have written into a Job or pod for no shard", () => {
    for (const spec of [
      undefined,
      {},
      { completionMode: "Indexed" },
      { completionMode: "Indexed", completions: "x" }
    ]) {
      assert.strictEqual(JobFacts.shards({ ...job(), spec } as Job), 1)
    }
    for (const value of ["", "-1", "x", "1.5"]) {
      const one = {
        ...pod(1, {}),
        metadata: { name: "p", annotations: { "batch.kubernetes.io/job-completion-index": value } }
      }
      assert.include([undefined, 0], JobFacts.shard(one), value)
    }
  })
})
