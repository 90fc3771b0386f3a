import { assert, describe } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import { Forbidden } from "../../../src/kubernetes/KubernetesError.ts"
import type { RestoreStatus } from "../../../src/status/restore/RestoreFacts.ts"
import { backupOf, metric } from "../world.ts"
import { ready, reasonOf, restoreFrom, restoreOf, restoreWorld, story } from "./world.ts"

describe("a KafkaRestore", () => {
  story(
    "is restored by one Job, and says when every record was compared",
    Effect.gen(function* () {
      const { apply, backupId, cluster, restoreEvents, restoreJobs, start, target, reached } = yield* restoreWorld
      yield* start()
      yield* apply(restoreOf("back", backupId))
      const done = yield* reached("back", "RestoreCompleted")
      assert.strictEqual(done.phase, "Completed", JSON.stringify(done, null, 2))
      assert.deepInclude(ready(done), { status: "True", reason: "RestoreCompleted" })
      assert.strictEqual(
        ready(done)?.message.split(" Note:")[0],
        `Backup ${backupId} is restored: 100 records in 1 topic. Every record was read back and compared.`
      )
      assert.strictEqual(done.restoredRecords, 100)
      assert.deepStrictEqual(done.restoredTopics, [{ name: "orders", records: 100 }])
      assert.deepStrictEqual(done.offsets, { exact: 1, renumbered: 0 })
      assert.strictEqual(done.progress?.percent, 100)
      assert.isString(done.startedWriting)
      assert.deepStrictEqual(
        ["Preflight", "Verified", "OffsetsExact"].map((type) => reasonOf(done, type)),
        ["Passed", "RecordsCompared", "AllExact"]
      )
      assert.deepStrictEqual(
        (yield* target.committed("orders", 0)).map(({ offset }) => offset),
        (yield* cluster.committed("orders", 0)).map(({ offset }) => offset)
      )
      const [job, ...others] = yield* restoreJobs
      assert.lengthOf(others, 0)
      assert.deepInclude(job?.metadata.ownerReferences?.[0], {
        kind: "KafkaRestore",
        name: "back",
        controller: true,
        blockOwnerDeletion: true
      })
      assert.strictEqual(job?.spec?.ttlSecondsAfterFinished, 86_400)
      assert.deepStrictEqual(yield* restoreEvents, ["RestoreStarted", "RestoreWriting", "RestoreCompleted"])
    })
  )

  story(
    "with backupRef takes storage and the newest backup from the KafkaBackup, and shows which one",
    Effect.gen(function* () {
      const { apply, backupId, get, restoreEvents, start, target, reached } = yield* restoreWorld
      yield* start()
      yield* apply(restoreFrom("back", { name: "shop" }))
      const done = yield* reached("back", "RestoreCompleted")
      assert.strictEqual(done.phase, "Completed", JSON.stringify(done, null, 2))
      assert.deepInclude(done.resolved, {
        backupId,
        why: "it is the newest of 1 complete backup of KafkaBackup shop"
      })
      assert.match(done.resolved?.capturedAt ?? "", /^2026-11-2/)
      assert.strictEqual(done.resolved?.coversUntil, done.resolved?.capturedAt)
      assert.isString(done.resolved?.coversFrom)
      assert.match(
        ready(done)?.message ?? "",
        new RegExp(`^Backup ${backupId} is restored: .*was chosen: it is the newest`)
      )
      assert.lengthOf(yield* target.committed("orders", 0), 100)
      assert.deepStrictEqual(yield* restoreEvents, ["RestoreStarted", "RestoreWriting", "RestoreCompleted"])
      // What the user wrote stays as it is.
      assert.notProperty((yield* get("back")).spec, "storage")
    })
  )

  story(
    "with backupRef to a KafkaBackup that does not exist says so, and starts when it does",
    Effect.gen(function* () {
      const { advance, apply, kubectl, restoreEvents, restoreJobs, start, reached } = yield* restoreWorld
      yield* start()
      yield* apply(restoreFrom("back", { name: "store" }))
      const waits = yield* reached("back", "BackupMissing")
      assert.strictEqual(waits.phase, "Pending")
      assert.strictEqual(
        ready(waits)?.message,
        "KafkaBackup store does not exist in namespace kafka-backup. The restore starts once it can be used."
      )
      assert.lengthOf(yield* restoreJobs, 0)
      yield* kubectl.apply(backupOf("store", { suspend: true, schedule: "0 * * * *" }))
      yield* advance("1 minute")
      const none = yield* reached("back", "RestoreFailed")
      assert.match(ready(none)?.message ?? "", /KafkaBackup store has no complete backup in /)
      assert.strictEqual(reasonOf(none, "Preflight"), "NoBackup")
      assert.deepStrictEqual(yield* restoreEvents, ["BackupMissing", "RestoreStarted", "RestoreFailed"])
    })
  )

  story(
    "that is complete is never started again, not even when its Job is gone, a value of the annotation is new, and the operator is another one",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, restoreJobs, retry, start, status, reached } = yield* restoreWorld
      const operator = yield* start()
      yield* apply(restoreOf("back", backupId, { retentionHold: "forever" }))
      const before = yield* reached("back", "RestoreCompleted")
      yield* advance("25 hours")
      assert.lengthOf(yield* restoreJobs, 0)
      yield* operator.stop
      yield* kubernetes.forgetCalls
      yield* start({ name: "operator-9" })
      yield* retry("back", "again")
      yield* advance("1 hour")
      assert.deepStrictEqual(yield* status("back"), before)
      const creates = (yield* kubernetes.calls).filter(({ kind, verb }) => verb === "create" && kind === "jobs")
      assert.lengthOf(creates, 0)
    })
  )

  story(
    "that begins as a dry run writes nothing, and becomes the restore when dryRun is set to false",
    Effect.gen(function* () {
      const { apply, backupId, patch, restoreEvents, restoreJobs, start, target, reached } = yield* restoreWorld
      yield* start()
      yield* apply(restoreOf("back", backupId, { dryRun: true }))
      const draft = yield* reached("back", "DryRunPassed")
      assert.strictEqual(draft.phase, "Completed")
      assert.deepInclude(ready(draft), {
        status: "True",
        reason: "DryRunPassed",
        message: `Backup ${backupId} can be restored: 100 records in 1 topic. Nothing was written. Set spec.dryRun to false to start the restore.`
      })
      assert.isUndefined(draft.startedWriting)
      assert.isUndefined(draft.restoredRecords)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(target.committed("orders", 0))))
      yield* patch("back", { spec: { dryRun: false } })
      assert.strictEqual(ready(yield* reached("back", "RestoreCompleted"))?.reason, "RestoreCompleted")
      assert.lengthOf(yield* target.committed("orders", 0), 100)
      assert.lengthOf(yield* restoreJobs, 2)
      assert.deepStrictEqual(yield* restoreEvents, [
        "RestoreStarted",
        "DryRunPassed",
        "RestoreStarted",
        "RestoreWriting",
        "RestoreCompleted"
      ])
    })
  )

  story(
    "into a topic that holds records fails and names it, and is tried again by an edit or by the annotation only",
    Effect.gen(function* () {
      const { advance, apply, backupId, patch, restoreJobs, retry, start, status, target, reached } =
        yield* restoreWorld
      yield* start()
      yield* target.createTopic("orders", { partitions: 2 })
      yield* target.produce("orders", 0, [{ key: "x", value: "y" }])
      yield* apply(restoreOf("back", backupId))
      const refused = yield* reached("back", "RestoreFailed")
      assert.strictEqual(refused.phase, "Failed")
      assert.deepInclude(ready(refused), { status: "False", reason: "RestoreFailed" })
      assert.match(ready(refused)!.message, /^PreflightFailed: .*orders holds records already.*Nothing was written\./)
      assert.include(ready(refused)!.message, "annotation kafka.oso.sh/retry")
      assert.deepStrictEqual(
        ["Preflight", "Verified", "OffsetsExact"].map((type) => reasonOf(refused, type)),
        ["TargetNotEmpty", "NotYetCompared", "NotYetPlanned"]
      )
      assert.lengthOf(yield* restoreJobs, 1)
      yield* advance("2 hours")
      assert.lengthOf(yield* restoreJobs, 1)

      yield* retry("back", "1")
      yield* advance("2 minutes")
      assert.strictEqual((yield* status("back")).phase, "Failed")
      assert.lengthOf(yield* restoreJobs, 2)
      yield* patch("back", { spec: { topicMapping: { orders: "restored" } } })
      assert.strictEqual(ready(yield* reached("back", "RestoreCompleted"))?.reason, "RestoreCompleted")
      assert.lengthOf(yield* target.committed("restored", 0), 100)
      assert.lengthOf(yield* target.committed("orders", 0), 1)
    })
  )

  story(
    "rests when the annotation gets an earlier value again or is removed, also after the Job of that value is gone",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, restoreEvents, restoreJobs, retry, start, status, target } =
        yield* restoreWorld
      yield* start()
      yield* target.createTopic("orders", { partitions: 2 })
      yield* target.produce("orders", 0, [{ key: "x", value: "y" }])
      yield* apply(restoreOf("back", backupId))
      yield* advance("2 minutes")
      for (const value of ["1", "2"]) {
        yield* retry("back", value)
        yield* advance("2 minutes")
      }
      assert.lengthOf(yield* restoreJobs, 3)
      yield* target.deleteTopic("orders")
      yield* kubernetes.forgetCalls
      for (const value of ["1", null]) {
        yield* retry("back", value)
        yield* advance("2 minutes")
        const resting = yield* status("back")
        assert.strictEqual(resting.phase, "Failed")
        assert.deepInclude(ready(resting), { status: "False", reason: "RestoreFailed" })
        assert.match(
          ready(resting)!.message,
          /^Nothing is started: .* Job back-restore-[0-9a-f]{16} has run for that value\. To try again, set it to a value that is new\. The last attempt failed: PreflightFailed: /
        )
      }
      yield* advance("30 hours")
      assert.lengthOf(yield* restoreJobs, 0)
      const creates = (yield* kubernetes.calls).filter(({ kind, verb }) => verb === "create" && kind === "jobs")
      assert.lengthOf(creates, 0)
      assert.lengthOf(
        (yield* restoreEvents).filter((reason) => reason === "RestoreStarted"),
        3
      )
    })
  )

  story(
    "cannot be edited once it began to write",
    Effect.gen(function* () {
      const { apply, backupId, patch, start, reached } = yield* restoreWorld
      yield* start()
      yield* apply(restoreOf("back", backupId))
      assert.isString((yield* reached("back", "RestoreCompleted")).startedWriting)
      const refused = yield* Effect.flip(patch("back", { spec: { offsets: "New" } }))
      assert.include(refused.message, "this restore has begun to write")
    })
  )

  story(
    "that is deleted while it is at work is stopped, and an Event says that topics stay as they are",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, kubectl, remove, restoreEvents, restoreJobs, start } =
        yield* restoreWorld
      yield* start()
      yield* kubernetes.node.run(() => Effect.never)
      for (const propagation of ["Background", "Foreground"] as const) {
        yield* apply(restoreOf(`back-${propagation.toLowerCase()}`, backupId))
        yield* advance("1 minute")
        assert.lengthOf(yield* restoreJobs, 1)
        yield* remove(`back-${propagation.toLowerCase()}`, propagation)
        yield* advance("2 minutes")
        assert.lengthOf(yield* restoreJobs, 0)
        assert.lengthOf(
          (yield* kubectl.pods).filter(({ status }) => status?.phase === "Running"),
          0
        )
      }
      assert.deepStrictEqual(yield* restoreEvents, [
        "RestoreStarted",
        "RestoreCancelled",
        "RestoreStarted",
        "RestoreCancelled"
      ])
    })
  )

  story(
    "whose Job is deleted by a person has failed, and continues with a new value of the annotation",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, restoreJobs, retry, start, status, reached } = yield* restoreWorld
      yield* start()
      yield* kubernetes.node.trouble(() => ({ _tag: "Unschedulable", message: "no node" }))
      yield* apply(restoreOf("back", backupId))
      yield* advance("1 minute")
      const [job] = yield* restoreJobs
      yield* kubernetes.behind.remove(Kind.jobs, job!.metadata, { propagation: "Foreground" })
      yield* advance("2 minutes")
      const stopped = yield* status("back")
      assert.strictEqual(stopped.phase, "Failed", JSON.stringify(stopped))
      assert.match(ready(stopped)!.message, /^JobDeleted: Job .* was deleted before it ended/)
      yield* kubernetes.node.trouble()
      yield* advance("1 hour")
      assert.lengthOf(yield* restoreJobs, 0)
      yield* retry("back", "go on")
      assert.strictEqual(ready(yield* reached("back", "RestoreCompleted"))?.reason, "RestoreCompleted")
    })
  )

  story(
    "that is edited before it began to write is started anew with the new spec",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, patch, restoreJobs, start, status, target, reached } =
        yield* restoreWorld
      yield* start()
      yield* kubernetes.node.trouble(() => ({ _tag: "Waiting", reason: "ImagePullBackOff", message: "no such image" }))
      yield* apply(restoreOf("back", backupId))
      yield* advance("3 minutes")
      const stuck = yield* status("back")
      assert.deepInclude(ready(stuck), { status: "False", reason: "PodTrouble" })
      assert.strictEqual(stuck.phase, "Pending")
      yield* patch("back", { spec: { topicMapping: { orders: "renamed" } } })
      yield* advance("10 seconds")
      yield* kubernetes.node.trouble()
      assert.strictEqual(ready(yield* reached("back", "RestoreCompleted"))?.reason, "RestoreCompleted")
      assert.lengthOf(yield* target.committed("renamed", 0), 100)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(target.committed("orders", 0))))
      assert.lengthOf(yield* restoreJobs, 1)
    })
  )

  story(
    "that is edited after it began to write, before the status says so, is never called complete for the new spec",
    Effect.gen(function* () {
      const {
        advance,
        apply,
        backupId,
        kubernetes,
        patch,
        reached,
        restoreEvents,
        restoreJobs,
        retry,
        start,
        status,
        target
      } = yield* restoreWorld
      // The pod begins to write while no operator is there to hear of it.
      const first = yield* start({ name: "operator-1" })
      yield* kubernetes.plan(({ client, kind, verb }) =>
        client === "operator-1" && verb === "create" && kind === "jobs"
          ? [{ _tag: "Crash", moment: "after", kill: first.stop }]
          : []
      )
      yield* target.inject({ _tag: "Delayed", millis: 20_000 }, { operation: "produce" })
      yield* apply(restoreOf("back", backupId))
      yield* advance("1 second")
      const isMade = Effect.map(target.wire.topicConfigs(["orders"]), (found) => found.has("orders"))
      assert.isTrue(yield* isMade)
      assert.isUndefined((yield* status("back")).startedWriting)
      yield* patch("back", { spec: { topicMapping: { orders: "renamed" } } })
      yield* start({ name: "operator-2" })
      yield* advance("10 seconds")
      const writing = yield* status("back")
      assert.match(ready(writing)!.message, /generation 1 of the spec, from before the last edit\.$/)
      assert.strictEqual(reasonOf(writing, "Ready"), "Restoring")
      const late = yield* reached("back", "EditTooLate")
      assert.strictEqual(late.phase, "Failed", JSON.stringify(late, null, 2))
      assert.deepInclude(ready(late), { status: "False", reason: "EditTooLate" })
      assert.match(
        ready(late)!.message,
        /^The edit came too late: Job back-restore-[0-9a-f]{16} had begun to write\. It restored backup .* as generation 1 of the spec says\. /
      )
      assert.strictEqual(reasonOf(late, "Verified"), "NotYetCompared")
      assert.strictEqual(reasonOf(late, "OffsetsExact"), "NotYetPlanned")
      assert.isUndefined(late.restoredTopics)
      assert.strictEqual(reasonOf(late, "RetentionHeld"), "HeldWithoutEnd")
      yield* retry("back", "again")
      yield* advance("2 hours")
      assert.strictEqual(reasonOf(yield* status("back"), "Ready"), "EditTooLate")
      assert.lengthOf(yield* restoreJobs, 1)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(target.committed("renamed", 0))))
      assert.notInclude(yield* restoreEvents, "RestoreCompleted")
    })
  )

  story(
    "and a KafkaBackup of the same name do not disturb each other, and backups go on without the kind KafkaRestore",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubectl, kubernetes, start, reached } = yield* restoreWorld
      yield* kubernetes.uninstall(Kind.kafkaRestores)
      yield* start()
      yield* kubectl.trigger("shop", "1")
      yield* advance("2 minutes")
      assert.lengthOf((yield* kubectl.status("shop")).backupHistory ?? [], 2)
      yield* kubernetes.install(Kind.kafkaRestores)
      yield* apply(restoreOf("shop", backupId))
      assert.strictEqual(ready(yield* reached("shop", "RestoreCompleted"))?.reason, "RestoreCompleted")
      assert.lengthOf((yield* kubectl.status("shop")).backupHistory ?? [], 2)
      assert.strictEqual((yield* kubectl.status("shop")).phase, "Completed")
    })
  )

  story(
    "has metrics until it is deleted: its phase, its progress, and each end of a Job once",
    Effect.gen(function* () {
      const { advance, apply, backupId, reached, remove, retry, start, target } = yield* restoreWorld
      const { metrics } = yield* start()
      yield* target.createTopic("orders", { partitions: 2 })
      yield* target.produce("orders", 0, [{ key: "x", value: "y" }])
      yield* apply(restoreOf("back", backupId))
      yield* reached("back", "RestoreFailed")
      const failed = yield* metrics
      assert.strictEqual(metric(failed, "restore_failed", 'name="back"'), 1)
      assert.strictEqual(metric(failed, "restores", 'phase="Failed"'), 1)
      assert.strictEqual(metric(failed, "restore_failures_total", 'reason="PreflightFailed"'), 1)
      yield* target.deleteTopic("orders")
      yield* retry("back", "1")
      yield* reached("back", "RestoreCompleted")
      yield* advance("1 hour")
      const done = yield* metrics
      const values = ["restore_failed", "restore_ready", "restore_progress_ratio", "restore_records"]
      assert.deepStrictEqual(
        values.map((name) => metric(done, name, 'name="back"')),
        [0, 1, 1, 100]
      )
      assert.strictEqual(metric(done, "restores_ended_total", 'outcome="success"'), 1)
      assert.strictEqual(metric(done, "restores_ended_total", 'outcome="failed"'), 1)
      assert.isDefined(metric(done, "restore_last_duration_seconds", 'name="back"'))
      yield* remove("back")
      yield* advance("1 minute")
      const gone = yield* metrics
      assert.isUndefined(metric(gone, "restore_ready", 'name="back"'))
      assert.strictEqual(metric(gone, "restores", 'phase="Completed"'), 0)
    })
  )

  story(
    "keeps old records for as long as retentionHold says, and then gives the topics their retention, with a Job of its own",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, reached, restoreEvents, restoreJobs, start, status, target } =
        yield* restoreWorld
      yield* start()
      yield* apply(restoreOf("back", backupId, { retentionHold: "6h" }))
      const done = yield* reached("back", "RestoreCompleted")
      const retention = Effect.map(
        target.wire.topicConfigs(["orders"]),
        (found) => found.get("orders")?.["retention.ms"]
      )
      const held = (found: RestoreStatus) => found.conditions?.find(({ type }) => type === "RetentionHeld")
      const end = new Date(Date.parse(done.completionTime!) + 6 * 3_600_000).toISOString().replace(".000", "")
      assert.deepInclude(held(done), {
        status: "True",
        reason: "Held",
        message: `retention.ms and retention.bytes of the restored topics are -1 until ${end}, so that brokers keep old records. Keep this resource until then: without it nothing ends the hold.`
      })
      assert.notInclude(ready(done)?.message, "--end-hold")
      yield* advance("350 minutes")
      assert.strictEqual(held(yield* status("back"))?.reason, "Held")
      assert.strictEqual(yield* retention, "-1")
      yield* kubernetes.node.trouble(() => ({ _tag: "Unschedulable", message: "no node" }))
      yield* advance("20 minutes")
      const stuck = held(yield* status("back"))
      assert.deepInclude(stuck, { status: "True", reason: "HoldNotEnded" })
      assert.match(stuck!.message, /^PodUnschedulable: .*no node/)
      yield* kubernetes.node.trouble()
      yield* advance("5 minutes")
      const ended = yield* status("back")
      assert.deepInclude(held(ended), { status: "False", reason: "HoldEnded" })
      assert.isUndefined(yield* retention)
      assert.strictEqual(ready(ended)?.reason, "RestoreCompleted")
      assert.deepStrictEqual((yield* restoreEvents).slice(-3), [
        "RestoreCompleted",
        "RetentionHoldNotEnded",
        "RetentionHoldEnded"
      ])
      assert.lengthOf(yield* restoreJobs, 2)
      yield* advance("30 hours")
      assert.lengthOf(yield* restoreJobs, 0)
      assert.deepStrictEqual(yield* status("back"), ended)
    })
  )

  story(
    "that may not remember its hold says that nothing ends it, and makes no Job for it",
    Effect.gen(function* () {
      const { advance, apply, backupId, get, reached, restoreJobs, start, status, target } = yield* restoreWorld
      yield* apply(restoreOf("back", backupId, { retentionHold: "1h" }))
      const { uid } = (yield* get("back")).metadata
      yield* target.deny("ReadGroup", `kafka-backup-restore-${uid}`)
      yield* start()
      const done = yield* reached("back", "RestoreCompleted")
      const held = (found: RestoreStatus) => found.conditions?.find(({ type }) => type === "RetentionHeld")
      assert.deepInclude(held(done), { status: "True", reason: "HeldWithoutEnd" })
      assert.match(held(done)!.message, /are -1 until somebody sets them/)
      yield* advance("3 hours")
      assert.lengthOf(yield* restoreJobs, 1)
      assert.deepStrictEqual(held(yield* status("back")), held(done))
    })
  )

  story(
    "whose hold cannot be ended says why: the API server rejects the Job",
    Effect.gen(function* () {
      const { advance, apply, backupId, kubernetes, reached, restoreEvents, start, status } = yield* restoreWorld
      yield* start()
      yield* apply(restoreOf("back", backupId, { retentionHold: "1h" }))
      yield* reached("back", "RestoreCompleted")
      const detail = "exceeded quota: jobs, used: count/jobs.batch=9"
      let isFull = true
      yield* kubernetes.plan(({ kind, verb }) =>
        isFull && verb === "create" && kind === "jobs"
          ? [{ _tag: "Fail", reason: new Forbidden({ detail, isNamespaceTerminating: false, isQuota: true }) }]
          : []
      )
      yield* advance("70 minutes")
      const condition = (yield* status("back")).conditions?.find(({ type }) => type === "RetentionHeld")
      assert.deepInclude(condition, { status: "True", reason: "HoldNotEnded" })
      assert.match(condition!.message, /^QuotaExceeded: .*exceeded quota/)
      assert.strictEqual((yield* restoreEvents).at(-1), "RetentionHoldNotEnded")
      isFull = false
      yield* advance("5 minutes")
      assert.strictEqual(reasonOf(yield* status("back"), "RetentionHeld"), "HoldEnded")
    })
  )
})
