import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import * as Pins from "../../src/manifest/Pins.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import { StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import { condition, hourly, metric, outcomes, purposeOf, setsIn, story, world } from "./world.ts"

/** A resource with this many successes, one for each trigger. */
const withSets = (count: number, spec: Readonly<Record<string, unknown>> = {}) =>
  Effect.gen(function* () {
    const all = yield* world
    const replica = yield* all.start()
    yield* all.kubectl.apply(hourly("hourly", { suspend: true, ...spec }))
    for (let n = 1; n <= count; n++) {
      yield* all.kubectl.trigger("hourly", `t${n}`)
      yield* all.advance("1 minute")
    }
    return { ...all, replica }
  })

describe("retention", () => {
  story(
    "lowered removes old sets without waiting for a run, and history follows",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica } = yield* withSets(4)
      expect(setsIn(yield* backups.keys)).toHaveLength(4)
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 2 } } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-115200", "hourly-20261125-115300"])
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory?.map(({ backupId }) => backupId)).toEqual([
        "hourly-20261125-115300",
        "hourly-20261125-115200"
      ])
      expect(condition(status, "RetentionApplied")).toMatchObject({ status: "True", reason: "RetentionApplied" })
      expect((yield* kubectl.events).map(({ reason }) => reason)).toContain("BackupsPruned")
      expect(metric(yield* replica.metrics, "prunes_total", 'name="hourly"', 'outcome="success"')).toBe(1)
      yield* advance("2 hours")
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
    })
  )

  story(
    "by age or by periods removes old sets after an edit, once, and then with each run",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(4, { retention: { maxAge: "2h" } })
      expect(setsIn(yield* backups.keys)).toHaveLength(4)
      expect((yield* kubectl.status("hourly")).appliedRetention).toBe("maxAge 2h")
      // All four were made within one hour.
      yield* kubectl.patch("hourly", { spec: { retention: { maxAge: null, keep: { hourly: 2 } } } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-115300"])
      const status = yield* kubectl.status("hourly")
      expect(status.appliedRetention).toBe("hourly 2")
      expect(condition(status, "RetentionApplied")).toMatchObject({ status: "True", reason: "RetentionApplied" })
      yield* kubectl.patch("hourly", { spec: { retention: { keep: null, maxAge: "1h" } } })
      yield* advance("2 hours")
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
      yield* kubectl.trigger("hourly", "late")
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect((yield* kubectl.status("hourly")).appliedRetention).toBe("maxAge 1h")
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
    })
  )

  story(
    "leaves pinned backups alone, by either means, and starts no Job for them",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(3, { retention: { backups: 3 } })
      const [first, second, third] = setsIn(yield* backups.keys)
      yield* kubectl.annotate("hourly", "kafka.oso.sh/pin", first!)
      yield* Pins.create(backups.store, BackupId.make(second!), { reason: undefined, who: "ann" })
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual([first, second, third])
      expect((yield* kubectl.status("hourly")).pinnedBackups).toBe(2)
      yield* kubectl.trigger("hourly", "t4")
      const prunes = new Set<string>()
      for (let minute = 0; minute < 10; minute++) {
        yield* advance("1 minute")
        for (const job of yield* kubectl.jobs) if (purposeOf(job) === "prune") prunes.add(job.metadata.uid!)
      }
      // That of the edit.
      expect(prunes.size).toBe(1)
      const stored = setsIn(yield* backups.keys)
      expect(stored.slice(0, 2)).toEqual([first, second])
      expect(stored).toHaveLength(3)
      yield* kubectl.annotate("hourly", "kafka.oso.sh/pin", "")
      yield* kubectl.trigger("hourly", "t5")
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      expect((yield* kubectl.status("hourly")).pinnedBackups).toBe(1)
    })
  )

  story(
    "that cannot be applied does not hold up the run of the next slot",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* withSets(3)
      yield* kubernetes.node.trouble((pod) =>
        purposeOf(pod) === "prune" ? { _tag: "Unschedulable", message: "0/3 nodes are available" } : undefined
      )
      yield* kubectl.patch("hourly", { spec: { suspend: false, retention: { backups: 1 } } })
      yield* advance("2 minutes")
      expect((yield* kubectl.jobs).map(purposeOf)).toContain("prune")
      yield* advance("10 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.lastBackupId).toBe("hourly-20261125-120000")
      expect(outcomes(status)).toEqual(["success"])
    })
  )

  story(
    "lowered outlives the lock of a process that was killed",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(2)
      const { name, uid = "" } = (yield* kubectl.get("hourly")).metadata
      const killed = { ...backups.store, delete: () => Effect.die("killed") }
      yield* Effect.exit(OwnerLock.holding(killed, { uid, name }, "a killed pod", Effect.die("killed")))
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      yield* advance("90 seconds")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect((yield* kubectl.events).map(({ reason }) => reason)).not.toContain("PruneFailed")
    })
  )

  story(
    "that failed is tried again about an hour later, without a run",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(2)
      yield* backups.disturb({
        _tag: "Fail",
        operation: "list",
        reason: new StorageAuthorizationFailed({ detail: "s3:ListBucket is denied", advice: "allow it" }),
        times: Infinity
      })
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("2 minutes")
      const failed = condition(yield* kubectl.status("hourly"), "RetentionApplied")
      expect(failed).toMatchObject({ status: "False", reason: "PruneFailed" })
      expect(failed?.message).toMatch(/s3:ListBucket is denied.*\. The operator tries again about an hour later\.$/u)
      yield* backups.calm
      yield* advance("65 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect(condition(yield* kubectl.status("hourly"), "RetentionApplied")?.status).toBe("True")
    })
  )

  story(
    "holds back what newer backups lost, says so once, and goes on when the loss is accepted",
    Effect.gen(function* () {
      const { advance, backups, cluster, kubectl } = yield* withSets(2, { retention: { backups: 1 }, topics: ["*"] })
      yield* cluster.createTopic("payments", { partitions: 1 })
      yield* cluster.produce("payments", 0, [{ value: "1" }])
      yield* kubectl.trigger("hourly", "with payments")
      yield* advance("1 minute")
      yield* cluster.deleteTopic("payments")
      for (const token of ["without", "again", "and again"]) {
        yield* kubectl.trigger("hourly", token)
        yield* advance("1 minute")
      }
      const status = yield* kubectl.status("hourly")
      const [held, newest] = setsIn(yield* backups.keys)
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      expect(status.lastBackupId).toBe(newest)
      expect(condition(status, "RetentionApplied")).toMatchObject({ status: "False", reason: "RetentionHeldBack" })
      expect(condition(status, "RetentionApplied")?.message).toContain(`${held}: topic payments is no longer in the`)
      expect((yield* kubectl.events).filter(({ reason }) => reason === "RetentionHeldBack")).toHaveLength(1)
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
      yield* kubectl.annotate("hourly", "kafka.oso.sh/accept-loss", newest!)
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toEqual([newest])
      const accepted = yield* kubectl.status("hourly")
      expect(condition(accepted, "RetentionApplied")).toMatchObject({ status: "True", reason: "RetentionApplied" })
    })
  )

  story(
    "is tried once where a confirmed loss is not the one that holds a backup back",
    Effect.gen(function* () {
      const { advance, backups, cluster, kubectl } = yield* withSets(1, { retention: { backups: 1 }, topics: ["*"] })
      yield* cluster.createTopic("payments", { partitions: 1 })
      yield* cluster.produce("payments", 0, [{ value: "1" }])
      yield* kubectl.annotate("hourly", "kafka.oso.sh/accept-loss", "topic:logs-*")
      yield* kubectl.trigger("hourly", "with payments")
      yield* advance("1 minute")
      yield* cluster.deleteTopic("payments")
      yield* kubectl.trigger("hourly", "without")
      const prunes = new Set<string>()
      for (let minute = 0; minute < 30; minute++) {
        yield* advance("1 minute")
        for (const job of (yield* kubectl.jobs).filter((one) => purposeOf(one) === "prune"))
          prunes.add(job.metadata.uid!)
      }
      expect(prunes.size).toBe(1)
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      yield* kubectl.annotate("hourly", "kafka.oso.sh/accept-loss", "topic:pay*")
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )

  story(
    "raised or absent removes nothing",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(3)
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 5 } } })
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(3)
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
    })
  )

  story(
    "is applied by each run at its end, and status says what storage still holds",
    Effect.gen(function* () {
      const { backups, kubectl } = yield* withSets(4, { retention: { backups: 2 } })
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success", "success"])
      expect(condition(status, "StorageListed")?.message).toContain("2 verified backups")
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
    })
  )

  story(
    "that cannot be applied is said, and not tried again while its Job is there",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica } = yield* withSets(3)
      yield* backups.disturb({
        _tag: "Fail",
        operation: "delete",
        reason: new StorageAuthorizationFailed({ detail: "s3:DeleteObject is denied", advice: "allow it" }),
        times: Infinity
      })
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("30 minutes")
      const prunes = (yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")
      expect(prunes).toHaveLength(1)
      const status = yield* kubectl.status("hourly")
      expect(condition(status, "RetentionApplied")).toMatchObject({ status: "False", reason: "PruneFailed" })
      expect(condition(status, "RetentionApplied")?.message).toContain("DeleteObject")
      expect((yield* kubectl.events).filter(({ reason }) => reason === "PruneFailed")).toHaveLength(1)
      expect(metric(yield* replica.metrics, "prunes_total", 'name="hourly"', 'outcome="failed"')).toBe(1)

      yield* backups.calm
      yield* advance("90 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect(condition(yield* kubectl.status("hourly"), "RetentionApplied")?.status).toBe("True")
    })
  )

  story(
    "waits for a run that is active",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(3)
      const slow = { incremental: { enabled: false }, rateLimit: { recordsPerSecond: 1 } }
      yield* kubectl.patch("hourly", { spec: slow })
      yield* kubectl.trigger("hourly", "slow")
      yield* advance("20 seconds")
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("10 seconds")
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )
})

describe("history", () => {
  story(
    "drops a backup that was removed from storage by hand as soon as storage is listed again",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSets(3)
      const [first = ""] = setsIn(yield* backups.keys)
      for (const key of yield* backups.keys) {
        if (key.includes(first)) yield* backups.store.delete(key)
      }
      yield* kubectl.trigger("hourly", "next")
      yield* advance("1 minute")
      const ids = (yield* kubectl.status("hourly")).backupHistory?.map(({ backupId }) => backupId)
      expect(ids).toHaveLength(3)
      expect(ids).not.toContain(first)
    })
  )

  story(
    "is read from storage by a Job when the status was lost",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* withSets(3, { job: { ttlSecondsAfterFinished: 30 } })
      yield* advance("10 minutes")
      const before = yield* kubectl.status("hourly")
      const place = { namespace: "kafka-backup", name: "hourly" }
      // Handled already: nothing but the history is missing.
      yield* kubernetes.behind.patch(Kind.kafkaBackups, place, { metadata: { annotations: null } })
      yield* advance("1 minute")
      yield* kubernetes.behind.patch(Kind.kafkaBackups, place, { status: null }, "status")
      yield* advance("5 minutes")
      const after = yield* kubectl.status("hourly")
      const runs = (status: typeof after) => status.backupHistory?.map(({ backupId, outcome }) => [backupId, outcome])
      expect(runs(after)).toEqual(runs(before))
      expect(after.lastBackupId).toBe(before.lastBackupId)
      expect(after.lastBackupRecords).toBe(before.lastBackupRecords)
      expect(after.phase).toBe("Completed")
    })
  )

  for (const [what, status] of [
    ["garbage", { phase: "Pending", backupHistory: [], conditions: [], lastBackupId: "nonsense" }],
    ["edited by hand", { lastBackupRecords: 7, skippedSlots: 3, lastScheduledTime: "2031-01-01T00:00:00Z" }]
  ] as const) {
    story(
      `converges after the status was ${what}`,
      Effect.gen(function* () {
        const { advance, kubectl, kubernetes } = yield* withSets(2)
        yield* advance("2 minutes")
        const before = yield* kubectl.status("hourly")
        yield* kubernetes.behind.patch(
          Kind.kafkaBackups,
          { namespace: "kafka-backup", name: "hourly" },
          { status },
          "status"
        )
        yield* advance("2 minutes")
        yield* kubectl.trigger("hourly", "after")
        yield* advance("2 minutes")
        const after = yield* kubectl.status("hourly")
        expect(after.lastBackupRecords).toBe(before.lastBackupRecords)
        expect(outcomes(after)).toEqual(["success", "success", "success"])
        expect(after.phase).toBe("Completed")
        const reasons = ({ conditions = [] }: typeof after) => conditions.map(({ reason, type }) => `${type} ${reason}`)
        expect(reasons(after)).toEqual(reasons(before))
      })
    )
  }
})
