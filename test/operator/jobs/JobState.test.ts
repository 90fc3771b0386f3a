import { assert, describe, it } from "@effect/vitest"
import type { Job, Pod } from "../../../src/kubernetes/Objects.ts"
import * as JobState from "../../../src/operator/jobs/JobState.ts"
import * as StoredData from "../../../src/operator/jobs/StoredData.ts"
import type { RunSummary } from "../../../src/outcome/RunSummary.ts"
import type { EndedRun } from "../../../src/status/Facts.ts"
import { complete, ended, event, failed, failure, job, now, pod, said, success } from "./fixtures.ts"

const runOf = (state: JobState.JobState): EndedRun => {
  if (state._tag !== "Ended") throw new Error(`not ended: ${state._tag}`)
  return state.run
}
const run = (status: NonNullable<Job["status"]>, ...pods: ReadonlyArray<Pod>) =>
  runOf(JobState.read(job(status), pods, now))

const done = ended(0, { exitCode: 0, message: said(success), finishedAt: "2026-11-24T07:04:58Z" })
const stopped = said({
  ...failure,
  outcome: "interrupted",
  exitCode: 21,
  reason: "Interrupted",
  message: "it was interrupted",
  advice: "repeat it"
})

describe("a Job that is complete", () => {
  it("is a success with what its pod says, and the Job's own times", () => {
    assert.deepStrictEqual(JobState.read(job(complete), [done], now), {
      _tag: "Ended",
      isStuck: false,
      run: {
        jobName: job().metadata.name,
        generation: 3,
        cause: "schedule",
        backupId: "production-backup-20261124-070000",
        startMillis: Date.parse("2026-11-24T07:00:02Z"),
        endMillis: Date.parse("2026-11-24T07:05:00Z"),
        outcome: "success",
        size: 1_073_741_824,
        records: 1_000_000,
        addedBytes: 1000,
        addedRecords: 10,
        notes: ["orders/0 is held back"]
      },
      catalogue: success.catalogue!,
      storedData: { damage: { sets: 0, text: "" } }
    })
  })

  it("tells of the stored data what its pod knows, and nothing where that knows nothing", () => {
    const storedDataOf = (over: Partial<RunSummary>) => {
      const state = JobState.read(
        job(complete),
        [ended(0, { exitCode: 0, message: said({ ...success, ...over }) })],
        now
      )
      return "storedData" in state ? state.storedData : undefined
    }
    const damaged = { sets: 1, text: "gone", newest: "a", newestWhole: "b" }
    const verification = { percent: 2, objects: 1, bytes: 2, totalBytes: 100, remainingRuns: 50 }
    assert.deepStrictEqual(storedDataOf({ damaged, verification }), { damage: damaged, verification })
    // A run that knows its backups knows of their damage.
    assert.deepStrictEqual(storedDataOf({}), { damage: { sets: 0, text: "" } })
    // Its retention could not read the storage.
    const { catalogue: _, ...blind } = success
    assert.isUndefined(StoredData.of(blind))
    // An earlier version's.
    assert.isUndefined(StoredData.of({ ...success, command: "list" }))
    assert.deepStrictEqual(StoredData.of({ ...success, command: "list", damaged }), { damage: damaged })
  })

  it("is a success when an earlier attempt had finished the set, whatever id that has", () => {
    const found = { ...success, alreadyComplete: true, backupId: "production-backup-20261124-070001" }
    const { backupId, outcome } = run(complete, ended(0, { exitCode: 0, message: said(found) }))
    assert.deepStrictEqual([outcome, backupId], ["success", "production-backup-20261124-070001"])
  })

  it("has the times of a backup that was complete, and names it an earlier Job's only if that made it", () => {
    // The pod could not list storage.
    const { catalogue: _, ...reported } = { ...success, alreadyComplete: true }
    const of = (completedAt: string) =>
      run(
        complete,
        ended(0, {
          exitCode: 0,
          message: said({
            ...reported,
            made: { startedMillis: Date.parse("2026-11-20T01:00:00Z"), completedMillis: Date.parse(completedAt) }
          })
        })
      )
    const earlier = of("2026-11-20T01:05:00Z")
    assert.deepStrictEqual(
      [earlier.startMillis, earlier.endMillis, earlier.wasComplete],
      [Date.parse("2026-11-20T01:00:00Z"), Date.parse("2026-11-20T01:05:00Z"), true]
    )
    assert.isUndefined(of("2026-11-24T07:02:00Z").wasComplete)
  })

  it("counts the pod that succeeded, also after ones that failed", () => {
    const first = ended(0, { exitCode: 20, message: said({ ...failure, exitCode: 20 }) })
    const second = ended(1, { exitCode: 0, message: said(success) })
    assert.strictEqual(run(complete, first, second).outcome, "success")
  })

  it.each([
    ["no pod", []],
    ["no message", [ended(0, { exitCode: 0 })]],
    ["the end of a log", [ended(0, { exitCode: 0, message: "outcome: success" })]],
    ["half a summary", [ended(0, { exitCode: 0, message: said(success).slice(0, -1) })]],
    ["another command's summary", [ended(0, { exitCode: 0, message: said({ ...success, command: "list" }) })]],
    ["another Job's pod", [{ ...done, metadata: { ...done.metadata, ownerReferences: [] } }]],
    ["a container with another exit code", [ended(0, { exitCode: 1, message: said(success) })]]
  ])("is no success with %s", (_, pods) => {
    const { message, outcome, reason } = run(complete, ...pods)
    assert.deepStrictEqual([outcome, reason], ["failed", "ResultMissing"])
    assert.include(message, "nothing counts as verified")
  })

  it("does not end before it began, whatever clocks say", () => {
    const { endMillis, startMillis } = run({ ...complete, startTime: "2026-11-24T07:05:03Z" }, done)
    assert.strictEqual(endMillis, startMillis)
  })

  it("knows its pods by the Job controller's label where they have no owner, in its own namespace", () => {
    const { ownerReferences: _, ...metadata } = done.metadata
    const orphan = { ...metadata, labels: { "batch.kubernetes.io/job-name": job().metadata.name } }
    assert.strictEqual(run(complete, { ...done, metadata: orphan }).outcome, "success")
    const stranger = { ...orphan, namespace: "another" }
    assert.strictEqual(run(complete, { ...done, metadata: stranger }).outcome, "failed")
  })

  it("is no success when it names no set", () => {
    const { backupId: _, ...nameless } = success
    const { outcome, reason } = run(complete, ended(0, { exitCode: 0, message: said(nameless) }))
    assert.deepStrictEqual([outcome, reason], ["failed", "ManifestMissing"])
  })
})

describe("a Job that failed", () => {
  it("says what its pod said, with the advice", () => {
    const { endMillis, message, outcome, reason } = run(
      failed("PodFailurePolicy"),
      ended(0, { exitCode: 12, message: said(failure) })
    )
    assert.deepStrictEqual([outcome, reason], ["failed", "KafkaAuthenticationFailed"])
    assert.strictEqual(
      message,
      "kafka-0.kafka.svc:9092 refused user backup; check Secret kafka-credentials, keys username and password"
    )
    assert.strictEqual(endMillis, Date.parse("2026-11-24T07:06:00Z"))
  })

  it("is described by its newest pod", () => {
    const older = ended(0, { exitCode: 20, message: said({ ...failure, exitCode: 20, reason: "StoreUnavailable" }) })
    const newer = ended(1, { exitCode: 12, message: said(failure) })
    for (const pods of [
      [older, newer],
      [newer, older]
    ]) {
      assert.strictEqual(run(failed("BackoffLimitExceeded"), ...pods).reason, "KafkaAuthenticationFailed")
    }
  })

  it("is interrupted, not failed, when its pod was", () => {
    const byMessage = run(failed("BackoffLimitExceeded"), ended(0, { exitCode: 21, message: stopped }))
    assert.deepStrictEqual([byMessage.outcome, byMessage.reason], ["interrupted", "Interrupted"])
    const byCode = run(failed("BackoffLimitExceeded"), ended(0, { exitCode: 21 }))
    assert.deepStrictEqual([byCode.outcome, byCode.reason], ["interrupted", "Interrupted"])
  })

  it.each([
    ["out of memory", ended(0, { exitCode: 137, reason: "OOMKilled" }), "OOMKilled", /limit of 2Gi.*limits\.memory/],
    [
      "evicted",
      pod(0, { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." }),
      "Evicted",
      /The node was low on resource: memory; .*requests/
    ],
    [
      "of another architecture",
      ended(0, { exitCode: 128, reason: "StartError", message: "exec format error" }),
      "ContainerCannotRun",
      /exec format error; check the image/
    ],
    ["killed", ended(0, { exitCode: 137, reason: "Error" }), "PodFailed", /exit code 137: .*SIGKILL/],
    ["of another version", ended(0, { exitCode: 2 }), "PodFailed", /exit code 2: .*version/],
    ["broken", ended(0, { exitCode: 1 }), "PodFailed", /exit code 1: internal error.*report/],
    ["strange", ended(0, { exitCode: 99 }), "PodFailed", /exit code 99: .*log/],
    [
      "refused by its node",
      pod(0, { phase: "Failed", reason: "OutOfcpu", message: "Node didn't have enough resource" }),
      "OutOfcpu",
      /Node didn't have enough resource; kubectl describe/
    ]
  ])("says why a pod without last words ended: %s", (_, last, reason, message) => {
    const told = run(failed("BackoffLimitExceeded"), last)
    assert.deepStrictEqual([told.outcome, told.reason], ["failed", reason])
    assert.match(told.message!, message)
  })

  it("names the deadline that was hit, and what the last attempt met before", () => {
    const killed = run(failed("DeadlineExceeded"), ended(0, { exitCode: 21, message: stopped }))
    assert.deepStrictEqual([killed.outcome, killed.reason], ["failed", "DeadlineExceeded"])
    assert.match(killed.message!, /3600 s; .*activeDeadlineSeconds/)
    assert.notInclude(killed.message, "interrupted")
    const waitedFor = "the kafka cluster (kafka-0:9092: the connection was refused)"
    const waiting = run(
      failed("DeadlineExceeded"),
      ended(0, { exitCode: 21, message: said({ ...failure, outcome: "interrupted", waitedFor }) })
    )
    assert.include(waiting.message, `its last problem: it waited for ${waitedFor}`)
    const struggling = run(failed("DeadlineExceeded"), ended(0, { exitCode: 12, message: said(failure) }))
    assert.include(struggling.message, "refused user backup")
    assert.strictEqual(run(failed("DeadlineExceeded")).reason, "DeadlineExceeded")
  })

  it("is described in the Job controller's words where no pod is left", () => {
    const { message, reason } = run(failed("BackoffLimitExceeded"))
    assert.strictEqual(reason, "BackoffLimitExceeded")
    assert.include(message, "Job has reached the specified backoff limit; look at your collected logs")
  })

  it("is a success all the same when its pod had proven the set", () =>
    assert.strictEqual(run(failed("DeadlineExceeded"), done).outcome, "success"))
})

describe("a Job whose container does not start", () => {
  const starting = pod(0, {
    phase: "Pending",
    containerStatuses: [{ name: "backup", state: { waiting: { reason: "ContainerCreating" } } }]
  })
  const mount = event({ kind: "Pod", name: "pod-0" }, "FailedMount", 'volume "storage": no such device', "07:00:40")
  const startMillis = Date.parse("2026-11-24T07:00:02Z")
  /** Observed so many seconds after its start, with a deadline of 45 s. */
  const after = (seconds: number, status: NonNullable<Job["status"]>, ...pods: ReadonlyArray<Pod>) =>
    JobState.read(job(status), pods, startMillis + seconds * 1000, [mount], 45)
  const waitingOf = (state: JobState.JobState) => (state._tag === "Active" ? state.run.waiting : state._tag)

  it("waits until its deadline, and then has failed in the kubelet's words, however short the deadline is", () => {
    assert.deepStrictEqual(waitingOf(after(44, {}, starting)), {
      isReplaceable: true,
      failsAtMillis: startMillis + 45_000
    })
    const given = runOf(after(45, {}, starting))
    assert.deepStrictEqual(
      [given.outcome, given.reason, given.endMillis],
      ["failed", "PodNotStarted", startMillis + 45_000]
    )
    assert.match(given.message!, /did not start within 45 s: VolumeMountFailed: .*no such device/u)
    assert.match(runOf(after(45, {})).message!, /did not start within 45 s: PodNotCreated/u)
  })

  it("has failed in the same words while the operator deletes it", () => {
    const { metadata, ...rest } = job({})
    const deleted = { ...rest, metadata: { ...metadata, deletionTimestamp: "2026-11-24T07:00:48Z" } }
    const state = JobState.read(deleted, [starting], startMillis + 47_000, [mount], 45)
    assert.match(runOf(state).message!, /did not start within 45 s: VolumeMountFailed/u)
  })

  it("waits without a limit where there is none", () => {
    const state = JobState.read(job(), [starting], now, [])
    assert.deepStrictEqual(waitingOf(state), { isReplaceable: true })
  })

  it("no longer waits once its container runs or ended, and cannot be replaced after an attempt", () => {
    const runs = pod(0, { phase: "Running", containerStatuses: [{ name: "backup", state: { running: {} } }] })
    assert.isUndefined(waitingOf(after(100, {}, runs)))
    const first = ended(0, { exitCode: 20, finishedAt: "2026-11-24T07:00:30Z" })
    // The Job controller may pause for six minutes before the next attempt.
    assert.deepStrictEqual(waitingOf(after(100, {}, first)), {
      isReplaceable: false,
      failsAtMillis: Date.parse("2026-11-24T07:07:15Z")
    })
    const second = pod(1, { phase: "Pending" })
    assert.deepStrictEqual(waitingOf(after(62, {}, second, first)), {
      isReplaceable: false,
      failsAtMillis: Date.parse("2026-11-24T07:01:45Z")
    })
    assert.strictEqual(runOf(after(104, {}, second, first)).reason, "PodNotStarted")
  })

  it("is not given up for its start deadline where Kubernetes has announced its end", () => {
    const announced = { conditions: [{ type: "FailureTarget", status: "True", reason: "DeadlineExceeded" }] }
    const state = after(100, announced, starting)
    assert.deepStrictEqual([state._tag, waitingOf(state)], ["Active", undefined])
  })
})

describe("a Job that has not ended", () => {
  const target = (at: string): Job["status"] => ({
    conditions: [{ type: "FailureTarget", status: "True", reason: "DeadlineExceeded", lastTransitionTime: at }]
  })
  const running = (metadata: Partial<Pod["metadata"]> = {}) =>
    pod(0, { phase: "Running", containerStatuses: [{ name: "backup", state: { running: {} } }] }, metadata)
  const tagOf = (status: NonNullable<Job["status"]>, ...pods: ReadonlyArray<Pod>) =>
    JobState.read(job(status), pods, now)._tag

  it("is an active run, under the id that its slot gives", () => {
    assert.deepStrictEqual(JobState.read(job(), [running()], now), {
      _tag: "Active",
      run: {
        jobName: job().metadata.name,
        startMillis: Date.parse("2026-11-24T07:00:02Z"),
        backupId: "production-backup-20261124-070000",
        cause: "schedule"
      }
    })
  })

  it("is active while an end is only announced, also after its pod succeeded", () => {
    assert.strictEqual(tagOf({ ...target("2026-11-24T07:00:00Z") }, running()), "Active")
    assert.strictEqual(tagOf({ conditions: [{ type: "SuccessCriteriaMet", status: "True" }] }, done), "Active")
    assert.strictEqual(tagOf({ succeeded: 1, active: 0 }, done), "Active")
    assert.strictEqual(tagOf({ conditions: [{ type: "Complete", status: "False" }] }, done), "Active")
  })

  it("counts as ended when its end stays announced for five minutes without a pod", () => {
    assert.strictEqual(tagOf({ ...target("2026-11-24T07:25:01Z") }), "Active")
    const state = JobState.read(job({ ...target("2026-11-24T07:25:00Z") }), [], now)
    assert.isTrue(state._tag === "Ended" && state.isStuck)
    assert.strictEqual(runOf(state).reason, "DeadlineExceeded")
  })

  it("counts as ended when its pod has not stopped five minutes after its grace period", () => {
    assert.strictEqual(tagOf({}, running({ deletionTimestamp: "2026-11-24T07:25:01Z" })), "Active")
    const state = JobState.read(job(), [running({ deletionTimestamp: "2026-11-24T07:25:00Z" })], now)
    assert.isTrue(state._tag === "Ended" && state.isStuck)
    const { endMillis, message, outcome, reason } = runOf(state)
    assert.deepStrictEqual([outcome, reason], ["interrupted", "NodeLost"])
    assert.include(message, "kubectl delete pod pod-0 --force")
    assert.strictEqual(endMillis, Date.parse("2026-11-24T07:25:00Z"))
  })

  it("goes on when another pod has taken over from one that does not stop", () =>
    assert.strictEqual(
      tagOf({}, running({ deletionTimestamp: "2026-11-24T07:10:00Z" }), pod(1, { phase: "Running" })),
      "Active"
    ))
})

describe("a Job that is gone", () => {
  const gone = (status: NonNullable<Job["status"]>, ...pods: ReadonlyArray<Pod>) =>
    runOf(JobState.deleted(job(status), pods, now))

  it("was deleted by hand", () => {
    const { endMillis, message, outcome, reason } = gone({}, pod(0, { phase: "Running" }))
    assert.deepStrictEqual([outcome, reason, endMillis], ["interrupted", "JobDeleted", now])
    assert.include(message, "trigger annotation")
  })

  it("names its pod's earlier problem, but not that it was stopped", () => {
    const interrupted = gone({}, ended(0, { exitCode: 21, message: stopped }))
    assert.strictEqual(interrupted.reason, "JobDeleted")
    assert.notInclude(interrupted.message, "it was interrupted")
    assert.include(gone({}, ended(0, { exitCode: 12, message: said(failure) })).message, "refused user backup")
  })

  it("is a success where its pod had proven the set", () => assert.strictEqual(gone({}, done).outcome, "success"))

  it("is read as ever when it had ended before", () => {
    assert.strictEqual(gone(complete, done).outcome, "success")
    assert.strictEqual(gone(failed("PodFailurePolicy"), ended(0, { exitCode: 12 })).reason, "PodFailed")
  })
})

describe("labels and annotations", () => {
  const labelled = (labels: Record<string, string>, annotations: Record<string, string> = {}): Job => {
    const { metadata, ...rest } = job(complete)
    return {
      ...rest,
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, ...labels },
        annotations: { ...metadata.annotations, ...annotations }
      }
    }
  }
  const maintenance = { ...success, removed: 3 }

  it.each([
    ["prune", "prune"],
    ["catalogue", "list"],
    ["cleanup", "prune"]
  ] as const)("make it the end of a %s", (purpose, command) => {
    const purposeful = labelled({ "kafka.oso.sh/purpose": purpose })
    const last = ended(0, { exitCode: 0, message: said({ ...maintenance, command }) })
    assert.deepStrictEqual(JobState.read(purposeful, [last], now), {
      _tag: "EndedMaintenance",
      maintenance: {
        task: purpose,
        jobName: purposeful.metadata.name,
        isSuccess: true,
        removed: 3,
        notes: ["orders/0 is held back"]
      },
      catalogue: success.catalogue!,
      isStuck: false
    })
    const wrong = JobState.read(purposeful, [done], now)
    assert.isTrue(wrong._tag === "EndedMaintenance" && !wrong.maintenance.isSuccess)
    assert.strictEqual(wrong._tag === "EndedMaintenance" && wrong.maintenance.trouble?.reason, "ResultMissing")
  })

  it("make it a maintenance Job that is at work", () => {
    const { status: _, ...active } = labelled({ "kafka.oso.sh/purpose": "prune" })
    assert.deepStrictEqual(JobState.read(active, [pod(0, { phase: "Running" })], now), {
      _tag: "ActiveMaintenance",
      task: "prune",
      jobName: active.metadata.name,
      startMillis: Date.parse("2026-11-24T07:00:01Z")
    })
  })

  it.each([{ "kafka.oso.sh/purpose": "restore" }, { "app.kubernetes.io/managed-by": "Helm" }])(
    "make it foreign: %j",
    (labels) => assert.strictEqual(JobState.read(labelled(labels), [done], now)._tag, "Foreign")
  )

  it("that others have spoilt are replaced by what is likely", () => {
    const spoilt = labelled({}, { "kafka.oso.sh/slot": "noon", "kafka.oso.sh/cause": "?", "kafka.oso.sh/trigger": "a" })
    const { backupId, cause } = runOf(JobState.read(spoilt, [], now))
    assert.deepStrictEqual([backupId, cause], ["production-backup-20261124-070001", "trigger"])
  })
})
