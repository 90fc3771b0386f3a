import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { KafkaBackupStatus } from "../../src/resource/KafkaBackupStatus.ts"
import { next } from "../../src/status/Next.ts"
import * as Previous from "../../src/status/Previous.ts"
import * as Reasons from "../../src/status/Reasons.ts"
import { deepEqual } from "../../src/status/deepEqual.ts"
import type { Facts } from "../../src/status/Facts.ts"
import type { Status } from "../../src/status/Status.ts"
import {
  AnyDay,
  at,
  brief,
  catalogue,
  condition,
  failed,
  hourly,
  made,
  oneTime,
  overlapping,
  running,
  succeeded
} from "./facts.ts"

const success = next({}, hourly({ ended: [succeeded("12:00")] }), at("12:06"))
const failure = next(success, hourly({ ended: [failed("12:30")] }), at("12:36"))

describe("the next status", () => {
  it("of a schedule after a success is as promised", () => {
    const { backupHistory, conditions, ...rest } = success
    assert.deepStrictEqual(rest, {
      phase: "Completed",
      observedGeneration: 1,
      lastBackupId: "orders-20261124-120000",
      lastBackupTime: "2026-11-24T12:00:00Z",
      lastBackupCompletionTime: "2026-11-24T12:05:00Z",
      lastBackupSize: 1_073_741_824,
      lastBackupSizeText: "1.07 GB",
      lastBackupRecords: 1_000_000,
      lastBackupDuration: "5m0s",
      nextScheduledTime: "2026-11-24T13:00:00Z",
      nextText: "2026-11-24T13:00:00Z",
      observedSchedule: "0 * * * * in UTC",
      scheduledSince: "2026-11-24T11:30:00Z"
    })
    assert.deepStrictEqual(
      conditions!.map(({ reason, status, type }) => `${type} ${status} ${reason}`),
      [
        "Ready True BackupScheduled",
        "Progressing False NoRunActive",
        "ScheduleValid True ScheduleValid",
        "KafkaReachable True Reached",
        "StorageReachable True Reached",
        "Verified True BackupVerified",
        "SetsIntact Unknown NotYetTried",
        "DataVerified Unknown NotYetTried",
        "Warnings False NoWarnings"
      ]
    )
    assert.strictEqual(
      condition(success, "Ready").message,
      "Next backup scheduled for 2026-11-24T13:00:00Z. Last success: orders-20261124-120000 at 2026-11-24T12:05:00Z with 1,000,000 records in 1.07 GB."
    )
    assert.strictEqual(
      condition(success, "Verified").message,
      "orders-20261124-120000 was verified in storage at 2026-11-24T12:05:00Z: 1,000,000 records in 1.07 GB."
    )
    assert.lengthOf(backupHistory!, 1)
  })

  it("never loses the last success by a failure, and says both in one sentence each", () => {
    assert.deepStrictEqual(
      [failure.phase, failure.lastBackupId, failure.lastBackupRecords],
      ["Failed", success.lastBackupId, 1_000_000]
    )
    assert.deepStrictEqual(
      ["Ready", "KafkaReachable", "StorageReachable", "Verified"].map((type) => brief(failure, type)),
      ["False BackupFailed", "False KafkaAuthenticationFailed", "True Reached", "True BackupVerified"]
    )
    assert.strictEqual(
      condition(failure, "Ready").message,
      "orders-20261124-123000 failed: SASL authentication was refused by kafka-0:9092; check Secret kafka-credentials. The next scheduled run is at 2026-11-24T13:00:00Z. Last success: orders-20261124-120000 at 2026-11-24T12:05:00Z with 1,000,000 records in 1.07 GB."
    )
  })

  it("is well again after the next success, and moves transition times only of what flipped", () => {
    const well = next(failure, hourly({ ended: [succeeded("13:00")] }), at("13:06"))
    assert.strictEqual(brief(well, "Ready"), "True BackupScheduled")
    const times = (status: Status) =>
      ["Ready", "KafkaReachable", "StorageReachable"].map((type) => condition(status, type).lastTransitionTime)
    assert.deepStrictEqual(times(failure), ["2026-11-24T12:36:00Z", "2026-11-24T12:36:00Z", "2026-11-24T12:06:00Z"])
    assert.deepStrictEqual(times(well), ["2026-11-24T13:06:00Z", "2026-11-24T13:06:00Z", "2026-11-24T12:06:00Z"])
  })

  it("shows the active run and how far it is, also while its pod does not answer", () => {
    const progress = {
      partitionsTotal: 12,
      partitionsDone: 3,
      records: 10,
      bytes: 100,
      percent: 25,
      updatedMillis: at("13:01")
    }
    const seen = next(success, hourly({ active: running("13:00", { progress }) }), at("13:01"))
    assert.deepStrictEqual([seen.phase, brief(seen, "Progressing")], ["Running", "True BackupRunning"])
    assert.deepStrictEqual(seen.activeRun, {
      backupId: "orders-20261124-130000",
      cause: "schedule",
      startTime: "2026-11-24T13:00:00Z",
      jobName: "orders-job-1300"
    })
    assert.deepStrictEqual(seen.progress?.percent, 25)
    const silent = next(seen, hourly({ active: running("13:00") }), at("13:02"))
    assert.deepStrictEqual(silent.progress, seen.progress)
    const another = next(seen, hourly({ active: running("14:00") }), at("14:00"))
    assert.notProperty(another, "progress")
    assert.notProperty(next(seen, hourly(), at("13:10")), "activeRun")
  })

  it("names the place of a queued run, in steps where many are before it", () => {
    const place = (before: number) =>
      /runs at most 10 at the same time\. (.*?)\./u.exec(
        condition(next({}, hourly({ queue: { before, limit: 10, sinceMillis: at("06:30") } }), at("06:31")), "Ready")
          .message
      )?.[1]
    assert.deepStrictEqual([0, 1, 10, 11, 100, 101, 950].map(place), [
      "It is first in the queue",
      "1 run is before it",
      "10 runs are before it",
      "Up to 20 runs are before it",
      "Up to 100 runs are before it",
      "Up to 200 runs are before it",
      "Up to 1,000 runs are before it"
    ])
  })

  it("says in Ready that a run is queued, whatever else is true of the resource", () => {
    const queue = { before: 0, limit: 10, sinceMillis: at("12:30") }
    const once = next({}, oneTime({ ended: [succeeded("12:00", { cause: "once" })] }), at("12:06"))
    for (const waiting of [
      next({}, hourly({ queue }), at("12:31")),
      next(success, hourly({ queue }), at("12:31")),
      next(failure, hourly({ queue }), at("12:37")),
      next(success, hourly({ queue, state: { _tag: "Suspended" } }), at("12:31")),
      next({}, oneTime({ queue }), at("12:31")),
      next(once, oneTime({ queue }), at("12:31"))
    ]) {
      assert.include(condition(waiting, "Ready").message, "A run has been queued since 2026-11-24T12:30:00Z")
      assert.include(condition(waiting, "Ready").message, "It is first in the queue.")
    }
  })

  it("of a one-time backup is unknown, then completed", () => {
    const waiting = next({}, oneTime({ queue: { before: 3, limit: 10, sinceMillis: at("06:30") } }), at("06:30"))
    assert.deepStrictEqual(
      [waiting.phase, brief(waiting, "Ready"), brief(waiting, "Progressing"), brief(waiting, "ScheduleValid")],
      ["Pending", "Unknown AwaitingFirstBackup", "False Queued", "True NoSchedule"]
    )
    assert.strictEqual(
      condition(waiting, "Ready").message,
      "A run has been queued since 2026-11-24T06:30:00Z, because the operator runs at most 10 at the same time. 3 runs are before it. Namespaces take turns."
    )
    assert.notProperty(waiting, "nextScheduledTime")
    const done = next(waiting, oneTime({ ended: [succeeded("06:31", { cause: "once" })] }), at("06:37"))
    assert.deepStrictEqual([done.phase, brief(done, "Ready")], ["Completed", "True BackupCompleted"])
    const broken = next(waiting, oneTime({ ended: [failed("06:31")] }), at("06:37"))
    assert.include(
      condition(broken, "Ready").message,
      "It is not tried again automatically. To try again, set annotation kafka.oso.sh/trigger-backup"
    )
    assert.include(condition(broken, "Ready").message, "No backup has succeeded yet.")
  })

  it.each([
    [
      "mistakes in the spec",
      {
        problems: [
          { field: "spec.topics", message: "is empty: name topics" },
          { field: "spec.schedule", value: '"x"', message: "must be five fields" }
        ],
        state: undefined
      },
      "False InvalidSpec",
      'spec.topics: is empty: name topics; spec.schedule: must be five fields (got "x")'
    ],
    [
      "an impossible schedule",
      { state: { _tag: "Unusable" as const, problems: [{ field: "spec.schedule", message: "never matches" }] } },
      "False InvalidSchedule",
      "spec.schedule: never matches"
    ],
    [
      "a clock that jumped",
      { state: { _tag: "ClockBehind" as const, untilMillis: at("15:00"), nextMillis: at("16:00") } },
      "False ClockBehind",
      "2026-11-24T15:00:00Z"
    ],
    [
      "a refused Job",
      { refusal: { reason: "QuotaExceeded" as const, message: "exceeded quota: compute" } },
      "False JobRefused",
      "exceeded quota: compute"
    ],
    [
      "a cluster that nobody finds",
      { refusal: { reason: "StrimziKafkaMissing" as const, message: "Kafka main does not exist" } },
      "False StrimziUnresolved",
      "No run can be started: StrimziKafkaMissing: Kafka main does not exist"
    ],
    [
      "a pod that cannot start",
      { active: running("13:00", { trouble: { reason: "ImagePullFailed", message: "image not found" } }) },
      "False PodTrouble",
      "image not found"
    ],
    [
      "an interrupted run",
      { ended: [failed("12:30", { outcome: "interrupted" as const, reason: "Interrupted", message: "stopped" })] },
      "False BackupInterrupted",
      "was interrupted: stopped"
    ],
    [
      "suspension",
      { state: { _tag: "Suspended" as const } },
      "True Suspended",
      "no scheduled backup starts until spec.suspend is false"
    ],
    [
      "deletion",
      { deletion: { reason: "RemovingBackups" as const, message: "removing 3 backups" } },
      "False Deleting",
      "is being deleted"
    ]
  ])("says in Ready what %s means, and when the last backup succeeded", (_, over, expected, words) => {
    const status = next(success, hourly(over), at("12:40"))
    assert.strictEqual(brief(status, "Ready"), expected)
    assert.include(condition(status, "Ready").message, words)
    assert.include(condition(status, "Ready").message, "Last success: orders-20261124-120000")
  })

  it("says in Ready what waits for the end of a suspension, and that nothing has succeeded yet", () => {
    const suspended = hourly({ state: { _tag: "Suspended" } })
    const once = { ...suspended, schedule: {} }
    const words = (status: Status, facts: Facts) => condition(next(status, facts, at("12:40")), "Ready").message
    assert.match(words({}, suspended), /no scheduled backup starts until .* No backup has succeeded yet\./)
    assert.match(words({}, once), /the one-time backup does not start until .* No backup has succ/)
    assert.match(words(success, once), /Suspended: no backup starts until .* Last success: /)
    assert.match(words({}, hourly()), /No backup has succeeded yet\./)
  })

  it("of a suspended resource whose last run failed is not well", () => {
    const status = next(failure, hourly({ state: { _tag: "Suspended" } }), at("12:40"))
    assert.strictEqual(brief(status, "Ready"), "False BackupFailed")
    assert.notProperty(status, "nextScheduledTime")
  })

  it("keeps the memory of Due as it is given", () => {
    const memory = {
      observedSchedule: "s",
      sinceMillis: at("11:30"),
      lastSlotMillis: at("12:00"),
      skippedSlots: 4,
      handledTrigger: "7",
      pendingTrigger: { token: "8", firstSeenMillis: at("12:01") }
    }
    const status = next(success, hourly({ memory }), at("12:40"))
    assert.deepStrictEqual(
      [status.lastScheduledTime, status.skippedSlots, status.handledTrigger, status.pendingTrigger?.token],
      ["2026-11-24T12:00:00Z", 4, "7", "8"]
    )
    assert.notProperty(next(status, hourly({ memory: {} }), at("12:41")), "pendingTrigger")
  })

  it("warns of what is worth knowing of the last success until the next one, and of what is ignored", () => {
    const noted = next(
      {},
      hourly({
        ended: [succeeded("12:00", { notes: ["orders[3]: an open transaction holds back offset 7"] })],
        ignoredStorageBlocks: ["azure"],
        refusedTrigger: "must have 1 to 253 characters"
      }),
      at("12:06")
    )
    assert.strictEqual(brief(noted, "Warnings"), "True TriggerRefused")
    for (const words of ["must have 1 to 253", "offset 7", "spec.storage.azure"])
      assert.include(condition(noted, "Warnings").message, words)
    assert.strictEqual(
      brief(next(noted, hourly({ ended: [failed("13:00")] }), at("13:06")), "Warnings"),
      "True BackupNotes"
    )
    assert.strictEqual(
      brief(next(noted, hourly({ ended: [succeeded("13:00")] }), at("13:06")), "Warnings"),
      "False NoWarnings"
    )
  })

  it("says once that storage blocks are ignored, although each backup notes it, too", () => {
    const note = "storage blocks azure are ignored because storageType is s3"
    const status = next(
      {},
      hourly({
        ended: [succeeded("12:00", { notes: [note, "an open transaction"] })],
        ignoredStorageBlocks: ["azure"]
      }),
      at("12:06")
    )
    assert.strictEqual(
      condition(status, "Warnings").message,
      "orders-20261124-120000: an open transaction; ignored because storageType selects another block: spec.storage.azure"
    )
    const only = next(
      {},
      hourly({ ended: [succeeded("12:00", { notes: [note] })], ignoredStorageBlocks: ["azure"] }),
      at("12:06")
    )
    assert.strictEqual(brief(only, "Warnings"), "True StorageBlockIgnored")
  })

  it("keeps what a run waits for while its pod does not answer, until that pod has ended", () => {
    const outage = { target: "storage s3 bucket b", sinceMillis: at("13:00"), cause: "no route" }
    const progress = { partitionsTotal: 1, partitionsDone: 0, records: 1, bytes: 0, updatedMillis: at("13:01"), outage }
    const paused = next(success, hourly({ active: running("13:00", { progress }) }), at("13:01"))
    assert.strictEqual(brief(paused, "Ready"), "False BackupPaused")
    const silent = next(paused, hourly({ active: running("13:00") }), at("13:02"))
    assert.deepStrictEqual(silent.progress, paused.progress)
    const stopped = next(paused, hourly({ active: running("13:00", { isStopped: true }) }), at("13:02"))
    assert.notProperty(stopped.progress, "outage")
    assert.strictEqual(brief(stopped, "StorageReachable"), "True Reached")
  })

  it("is not verified after a run that could not prove its set, and is again after the next", () => {
    const unproven = next(
      success,
      hourly({ ended: [failed("13:00", { reason: "NotProven", message: "segment 3 differs" })] }),
      at("13:06")
    )
    assert.deepStrictEqual(
      [brief(unproven, "Verified"), brief(unproven, "StorageReachable")],
      ["False NotProven", "True Reached"]
    )
    assert.strictEqual(
      brief(next(unproven, hourly({ ended: [failed("14:00")] }), at("14:06")), "Verified"),
      "False NotProven"
    )
    assert.strictEqual(
      brief(next(unproven, hourly({ ended: [succeeded("14:00")] }), at("14:06")), "Verified"),
      "True BackupVerified"
    )
  })

  it.each([
    ["BrokerUnreachable", "False BrokerUnreachable", "Unknown NotYetTried", "Unknown NotYetTried"],
    ["Stalled", "False Stalled", "Unknown NotYetTried", "Unknown NotYetTried"],
    ["TopicMissing", "True Reached", "Unknown NotYetTried", "Unknown NotYetTried"],
    ["StorageAuthorizationFailed", "Unknown NotYetTried", "False StorageAuthorizationFailed", "Unknown NotYetTried"],
    ["OutOfSpace", "Unknown NotYetTried", "False OutOfSpace", "Unknown NotYetTried"],
    ["LockHeld", "Unknown NotYetTried", "True Reached", "Unknown NotYetTried"],
    ["ContentMismatch", "Unknown NotYetTried", "True Reached", "False ContentMismatch"],
    ["SegmentDamaged", "True Reached", "True Reached", "False SegmentDamaged"],
    ["SecretUnusable", "Unknown NotYetTried", "Unknown NotYetTried", "Unknown NotYetTried"],
    ["OOMKilled", "Unknown NotYetTried", "Unknown NotYetTried", "Unknown NotYetTried"]
  ])("lays %s at the right door", (reason, kafka, storage, proof) => {
    const status = next({}, hourly({ ended: [failed("12:00", { reason })] }), at("12:06"))
    assert.deepStrictEqual(
      ["KafkaReachable", "StorageReachable", "Verified"].map((type) => brief(status, type)),
      [kafka, storage, proof]
    )
  })

  it("says whether old backups were removed, until something newer is known", () => {
    const failedPrune = {
      task: "prune" as const,
      jobName: "p1",
      isSuccess: false,
      trouble: { reason: "StorageAuthorizationFailed", message: "Delete is missing" }
    }
    const stuck = next(success, hourly({ maintenance: [failedPrune] }), at("12:10"))
    assert.strictEqual(brief(stuck, "RetentionApplied"), "False PruneFailed")
    assert.include(condition(stuck, "RetentionApplied").message, "Delete is missing")
    assert.strictEqual(
      brief(next(stuck, hourly({ ended: [succeeded("12:00")] }), at("12:11")), "RetentionApplied"),
      "False PruneFailed"
    )
    assert.strictEqual(
      brief(next(stuck, hourly({ ended: [succeeded("13:00")] }), at("13:06")), "RetentionApplied"),
      "True RetentionApplied"
    )
  })

  it("says which backups stay because newer ones lost what they hold, and how to confirm the loss, until none does", () => {
    const heldBack = "nightly-1: topic orders is no longer in the cluster"
    const held = next(success, hourly({ ended: [succeeded("13:00", { heldBack })] }), at("13:06"))
    assert.strictEqual(brief(held, "RetentionApplied"), "False RetentionHeldBack")
    const { message } = condition(held, "RetentionApplied")
    assert.include(message, heldBack)
    assert.include(message, `annotation kafka.oso.sh/accept-loss to ${held.lastBackupId}`)
    const again = next(held, hourly({ ended: [succeeded("14:00", { heldBack })] }), at("14:06"))
    assert.strictEqual(brief(again, "RetentionApplied"), "False RetentionHeldBack")
    const later = hourly({ ended: [succeeded("14:00")] })
    assert.strictEqual(brief(next(held, later, at("14:06")), "RetentionApplied"), "True RetentionApplied")
    const prune = { task: "prune" as const, jobName: "p1", isSuccess: true, removed: 0 }
    assert.strictEqual(
      brief(next(success, hourly({ maintenance: [{ ...prune, heldBack }] }), at("13:10")), "RetentionApplied"),
      "False RetentionHeldBack"
    )
  })

  it("says how many backups storage holds, and when that could not be learnt", () => {
    const listed = next(success, hourly({ catalogue: { ...catalogue("12:00"), total: 1200 } }), at("12:10"))
    assert.strictEqual(
      condition(listed, "StorageListed").message,
      "Storage holds 1,200 verified backups of this resource."
    )
    assert.isTrue(deepEqual(next(listed, hourly(), at("12:20")), listed))
    const maintenance = [{ task: "catalogue" as const, jobName: "c1", isSuccess: false }]
    const unlisted = next(listed, hourly({ maintenance }), at("12:30"))
    assert.strictEqual(brief(unlisted, "StorageListed"), "False ListingFailed")
    assert.deepStrictEqual(unlisted.backupHistory, listed.backupHistory)
  })

  it("after lowered retention holds what storage holds", () => {
    const three = next({}, hourly({ ended: [succeeded("10:00"), succeeded("11:00"), succeeded("12:00")] }), at("12:06"))
    const maintenance = [{ task: "prune" as const, jobName: "p1", isSuccess: true, removed: 2 }]
    const one = next(three, hourly({ generation: 2, maintenance, catalogue: catalogue("12:00") }), at("12:10"))
    assert.deepStrictEqual(
      one.backupHistory?.map(({ backupId }) => backupId),
      ["orders-20261124-120000"]
    )
    assert.strictEqual(condition(one, "RetentionApplied").message, "Job p1 removed 2 old backups.")
    assert.deepStrictEqual([one.observedGeneration, condition(one, "Ready").observedGeneration], [2, 2])
    assert.strictEqual(condition(one, "Ready").lastTransitionTime, condition(three, "Ready").lastTransitionTime)
  })

  it("records a slot that met an active run, beside the run", () => {
    const met = next(success, hourly({ active: running("13:00"), skipped: [overlapping("14:00")] }), at("14:00"))
    assert.deepStrictEqual(
      [met.phase, met.backupHistory?.[0]?.outcome, met.backupHistory?.[0]?.slots],
      ["Running", "skipped", 1]
    )
    assert.strictEqual(next(met, hourly(), at("14:10")).phase, "Completed")
  })

  it("knows no backup any more once storage is seen to be empty", () => {
    const gone = next(success, hourly({ catalogue: catalogue() }), at("12:10"))
    assert.deepStrictEqual([gone.phase, gone.lastBackupId, gone.backupHistory], ["Pending", undefined, []])
  })
})

describe("a backup that is overdue", () => {
  const daily = (over = {}) =>
    hourly({
      schedule: { text: "0 9 * * 1-5" },
      memory: { sinceMillis: at("00:00") },
      state: { _tag: "Scheduled", nextMillis: at("13:00"), intervalSeconds: 86_400 },
      ...over
    })
  const days = (n: number) => n * 86_400_000

  it("makes Ready false after two intervals, and the message does not change from then on", () => {
    const late = next(success, hourly(), at("14:05:01"))
    assert.strictEqual(brief(next(success, hourly(), at("14:05")), "Ready"), "True BackupScheduled")
    assert.strictEqual(brief(late, "Ready"), "False BackupOverdue")
    assert.isTrue(deepEqual(next(late, hourly(), at("20:00")), late))
  })

  it("is never one of a schedule of working days on a Sunday", () => {
    // The 27th is a Friday.
    const friday = next(
      {},
      daily({ ended: [succeeded("09:00", { startMillis: at("09:00") + days(3), endMillis: at("09:05") + days(3) })] }),
      at("09:06") + days(3)
    )
    assert.strictEqual(brief(next(friday, daily(), at("22:00") + days(5)), "Ready"), "True BackupScheduled")
    assert.strictEqual(brief(next(friday, daily(), at("09:30") + days(6)), "Ready"), "True BackupScheduled")
    assert.strictEqual(brief(next(friday, daily(), at("09:30") + days(7)), "Ready"), "False BackupOverdue")
  })

  it("is counted from when the schedule was resumed or edited", () => {
    const resumed = hourly({ memory: { sinceMillis: at("19:30") } })
    assert.strictEqual(brief(next(success, resumed, at("19:40")), "Ready"), "True BackupScheduled")
  })

  it("is noticed where no backup has ever succeeded, too", () => {
    const status = next({}, hourly(), at("13:40"))
    assert.strictEqual(brief(status, "Ready"), "False BackupOverdue")
    assert.include(condition(status, "Ready").message, "No backup has succeeded yet.")
  })
})

describe("a status that was edited by hand", () => {
  const facts = hourly({ ended: [succeeded("11:00"), failed("12:00")], catalogue: catalogue("11:00", "10:00") })
  const fresh = next({}, facts, at("12:06"))

  it.prop(
    "converges to what a fresh operator would write, whatever was written into it",
    [AnyDay, Schema.Json],
    ([day, json]) => {
      const edited = Previous.read({
        ...next({}, made(day), at("12:00")),
        lastBackupId: "faked",
        lastBackupRecords: 5,
        phase: "Running",
        activeRun: json,
        progress: json
      })
      // What a check showed is not known from anything else: without it there is another check.
      const { preflight: _, ...others } = edited
      const repaired = next({ ...others, conditions: [], backupHistory: [] }, facts, at("12:06"))
      assert.isTrue(deepEqual(repaired, fresh))
      // Failures and gaps that were made up cannot be distinguished from those that happened; successes can.
      const last = next(edited, facts, at("12:06"))
      assert.deepStrictEqual(
        last.backupHistory?.flatMap(({ backupId, outcome }) => (outcome === "success" ? [backupId] : [])),
        ["orders-20261124-110000", "orders-20261124-100000"]
      )
      assert.deepStrictEqual(
        [last.lastBackupId, last.lastBackupRecords, last.activeRun, last.progress],
        ["orders-20261124-110000", 1_000_000, undefined, undefined]
      )
    }
  )

  it("loses unknown conditions", () => {
    const foreign = { ...condition(fresh, "Ready"), type: "Sunny" }
    assert.isTrue(deepEqual(next({ ...fresh, conditions: [foreign, ...fresh.conditions!] }, facts, at("12:07")), fresh))
  })
})

describe("any status after any day", () => {
  const Later = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

  it.prop(
    "is valid, has documented reasons, and is the same when asked again",
    [AnyDay, AnyDay, Later],
    ([yesterday, today, laterMillis]) => {
      const previous = next({}, made(yesterday), at("12:00"))
      const facts = made(today)
      const status = next(previous, facts, at("13:00"))
      Schema.decodeUnknownSync(KafkaBackupStatus)(status)
      assert.deepStrictEqual(Previous.read(status), status)
      assert.deepStrictEqual(next(status, facts, at("13:00")), status, "asked again")
      const later = next(status, facts, at("13:00") + laterMillis)
      const isOverdueNow = brief(later, "Ready") === "False BackupOverdue"
      assert.isTrue(deepEqual(later, status) || isOverdueNow, "asked later")
      for (const { observedGeneration, reason, type } of status.conditions!) {
        assert.isTrue(Reasons.isOf(reason, type as Reasons.ConditionType), `${type} ${reason}`)
        // Retention was applied for the spec of its time.
        if (type === "RetentionApplied") assert.isAtMost(observedGeneration!, facts.generation)
        else assert.strictEqual(observedGeneration, facts.generation)
      }
      assert.deepStrictEqual(
        status.conditions!.map(({ type }) => type),
        Object.keys(Reasons.types).filter((type) => status.conditions!.some((each) => each.type === type))
      )
    },
    { arbitrary: { runs: 300 } }
  )
})
