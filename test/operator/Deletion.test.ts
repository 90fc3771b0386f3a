import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import * as Pins from "../../src/manifest/Pins.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as OwnerLock from "../../src/manifest/OwnerLock.ts"
import { StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import { condition, hourly, metric, purposeOf, runsAmong, setsIn, story, world } from "./world.ts"

/** A resource with one success. */
const withSet = (spec: Readonly<Record<string, unknown>>) =>
  Effect.gen(function* () {
    const all = yield* world
    const replica = yield* all.start()
    yield* all.kubectl.apply(hourly("hourly", spec))
    yield* all.advance("11 minutes")
    expect(setsIn(yield* all.backups.keys)).toHaveLength(1)
    return { ...all, replica }
  })

describe("deleting a KafkaBackup", () => {
  story(
    "keeps its data, and ends at once although the operator is not there",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica } = yield* withSet({})
      yield* replica.stop
      yield* kubectl.delete("hourly")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )

  story(
    "takes its series out of the metrics",
    Effect.gen(function* () {
      const { advance, kubectl, replica } = yield* withSet({})
      expect(metric(yield* replica.metrics, "last_success_timestamp_seconds", 'name="hourly"')).toBeGreaterThan(0)
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      expect(yield* replica.metrics).not.toContain('name="hourly"')
    })
  )

  story(
    "with deletionPolicy Delete removes its data by a Job that it does not own",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSet({ deletionPolicy: "Delete" })
      const uid = (yield* kubectl.get("hourly")).metadata.uid
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(setsIn(yield* backups.keys)).toEqual([])
      const cleanup = (yield* kubectl.jobs).find((job) => purposeOf(job) === "cleanup")
      expect(cleanup?.metadata.ownerReferences ?? []).toEqual([])
      expect(cleanup?.metadata.labels?.["kafka.oso.sh/uid"]).toBe(uid)
      expect((yield* kubectl.events).map(({ reason }) => reason)).toEqual(
        expect.arrayContaining(["CleanupStarted", "CleanupFinished"])
      )
      yield* advance("20 minutes")
      expect(yield* kubectl.jobs).toEqual([])
    })
  )

  story(
    "with deletionPolicy Delete removes nothing while a backup is pinned, says so, and goes on once it is not",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSet({ deletionPolicy: "Delete" })
      const [first] = setsIn(yield* backups.keys)
      yield* Pins.create(backups.store, BackupId.make(first!), { reason: undefined, who: "ann" })
      yield* kubectl.delete("hourly")
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toEqual([first])
      const cleanedUp = condition(yield* kubectl.status("hourly"), "CleanedUp")
      expect(cleanedUp?.status).toBe("False")
      expect(cleanedUp?.message).toContain(`nothing is removed, because backup ${first} is pinned`)
      yield* Pins.remove(backups.store, BackupId.make(first!))
      yield* advance("1 hour")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(setsIn(yield* backups.keys)).toEqual([])
    })
  )

  story(
    "lets go at the first attempt: its own last words are no conflict",
    Effect.gen(function* () {
      const { advance, kubectl, replica } = yield* withSet({ deletionPolicy: "Delete" })
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      const metrics = yield* replica.metrics
      expect(metric(metrics, "reconciles_total", 'result="changed"')).toBeGreaterThan(0)
      expect(metric(metrics, "reconciles_total", 'result="retry"')).toBe(0)
    })
  )

  story(
    "with deletionPolicy Delete stops the run that is active before it removes anything",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSet({
        deletionPolicy: "Delete",
        incremental: { enabled: false }
      })
      yield* kubectl.patch("hourly", { spec: { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } } })
      yield* kubectl.trigger("hourly", "running")
      yield* advance("10 seconds")
      expect((yield* kubectl.status("hourly")).phase).toBe("Running")
      yield* kubectl.delete("hourly")
      yield* advance("3 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
      expect(yield* backups.keys).toEqual([])
    })
  )

  story(
    "gives no advice to set a trigger, which starts nothing on a resource that is gone",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* withSet({ deletionPolicy: "Delete" })
      yield* kubernetes.node.trouble((pod) =>
        purposeOf(pod) === "run" ? { _tag: "Unschedulable", message: "0/3 nodes are available" } : undefined
      )
      yield* kubectl.trigger("hourly", "running")
      yield* advance("1 minute")
      const run = runsAmong(yield* kubectl.jobs).find(({ status }) => status?.completionTime === undefined)
      // Somebody else's finalizer holds the Job back.
      const ref = { namespace: "kafka-backup", name: run!.metadata.name }
      yield* kubernetes.behind.patch(Kind.jobs, ref, { metadata: { finalizers: ["example.org/hold"] } })
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      const status = yield* kubectl.status("hourly")
      expect(condition(status, "CleanedUp")).toMatchObject({ reason: "EndingRuns" })
      expect(condition(status, "Progressing")?.message).toContain("is being deleted; stored data is kept.")
      const notes = (yield* kubectl.events).map(({ note }) => note)
      expect(JSON.stringify([status, notes])).not.toContain("set the trigger annotation")
      yield* kubernetes.behind.patch(Kind.jobs, ref, { metadata: { finalizers: [] } })
      yield* advance("2 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
    })
  )

  story(
    "is tried again for an hour while the clean-up fails, visibly, and then leaves a Job that finishes it by hand",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes } = yield* withSet({ deletionPolicy: "Delete" })
      yield* backups.disturb({
        _tag: "Fail",
        operation: "list",
        reason: new StorageAuthorizationFailed({ detail: "s3:ListBucket is denied", advice: "allow it" }),
        times: Infinity
      })
      yield* kubectl.delete("hourly")
      yield* advance("2 minutes")
      const waiting = condition(yield* kubectl.status("hourly"), "CleanedUp")
      expect(waiting).toMatchObject({ status: "False", reason: "CleanupRetrying" })
      expect(waiting?.message).toMatch(
        /^Attempt \d to remove the stored backups failed: .*ListBucket.*\. The next attempt starts at 2026-11-25T12:0\d:\d\dZ\. The clean-up is given up at 2026-11-25T13:01:00Z\.$/u
      )
      yield* advance("45 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(true)
      yield* advance("15 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      const events = yield* kubectl.events
      expect(events.filter(({ reason }) => reason === "CleanupRetrying").length).toBeGreaterThan(8)
      const event = events.find(({ reason }) => reason === "CleanupGivenUp")
      expect(event).toMatchObject({ type: "Warning" })
      expect(event?.note).toContain("ListBucket")
      expect(event?.note).toContain("the stored backups are kept")
      const [left, ...others] = (yield* kubectl.jobs).filter((job) => job.spec?.["suspend"] === true)
      expect(others).toEqual([])
      expect(event?.note).toContain(
        `To remove them, run: kubectl --namespace kafka-backup patch job ${left?.metadata.name} --type merge --patch '{"spec":{"suspend":false}}'`
      )
      yield* advance("1 day")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      yield* backups.calm
      const ref = { namespace: "kafka-backup", name: left!.metadata.name }
      yield* kubernetes.behind.patch(Kind.jobs, ref, { spec: { suspend: false } })
      yield* advance("1 minute")
      expect(yield* backups.keys).toEqual([])
      yield* advance("20 minutes")
      expect(yield* kubectl.jobs).toEqual([])
    })
  )

  story(
    "outlives the lock of a process that was killed",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSet({ deletionPolicy: "Delete" })
      const { name, uid = "" } = (yield* kubectl.get("hourly")).metadata
      const killed = { ...backups.store, delete: () => Effect.die("killed") }
      yield* Effect.exit(OwnerLock.holding(killed, { uid, name }, "a killed pod", Effect.die("killed")))
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      yield* advance("90 seconds")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(yield* backups.keys).toEqual([])
    })
  )

  story(
    "cleans up as soon as the store works again, also after the operator was restarted",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica, start } = yield* withSet({ deletionPolicy: "Delete" })
      yield* backups.disturb({
        _tag: "Fail",
        operation: "list",
        reason: new StorageAuthorizationFailed({ detail: "s3:ListBucket is denied", advice: "allow it" }),
        times: Infinity
      })
      yield* kubectl.delete("hourly")
      yield* advance("10 minutes")
      yield* replica.stop
      yield* advance("25 minutes")
      yield* backups.calm
      yield* start()
      yield* advance("6 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(yield* backups.keys).toEqual([])
      expect((yield* kubectl.events).map(({ reason }) => reason)).not.toContain("CleanupGivenUp")
    })
  )

  story(
    "reports no clean-up as failed before its pod's summary is read",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* withSet({ deletionPolicy: "Delete" })
      yield* kubernetes.holdWatches(Kind.pods)
      yield* kubectl.delete("hourly")
      yield* advance("2 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      const reasons = (yield* kubectl.events).map(({ reason }) => reason)
      expect(reasons).toContain("CleanupFinished")
      expect(reasons).not.toContain("CleanupGivenUp")
    })
  )

  story(
    "ends within the hour although the clean-up's pod never starts",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* withSet({ deletionPolicy: "Delete" })
      yield* kubernetes.node.trouble(() => ({ _tag: "Unschedulable", message: "0/3 nodes are available" }))
      yield* kubectl.delete("hourly")
      yield* advance("30 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(true)
      expect((yield* kubectl.events).find(({ reason }) => reason === "CleanupTrouble")?.note).toContain("0/3 nodes")
      yield* advance("35 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect((yield* kubectl.events).map(({ reason }) => reason)).toContain("CleanupGivenUp")
    })
  )

  story(
    "ends when the policy is changed back to Retain meanwhile, and keeps the data that is left",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes } = yield* withSet({ deletionPolicy: "Delete" })
      yield* kubernetes.node.trouble(() => ({ _tag: "Unschedulable", message: "0/3 nodes are available" }))
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      yield* kubectl.patch("hourly", { spec: { deletionPolicy: "Retain" } })
      yield* advance("1 minute")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      yield* kubernetes.node.trouble()
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )

  story(
    "ends in a namespace that is being deleted, where no Job can be made",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes } = yield* withSet({ deletionPolicy: "Delete" })
      yield* kubernetes.behind.remove(Kind.namespaces, { name: "kafka-backup" })
      yield* advance("2 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )

  story(
    "lets go of the finalizer when the policy is Retain again before it is deleted",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica } = yield* withSet({ deletionPolicy: "Delete" })
      expect((yield* kubectl.get("hourly")).metadata.finalizers).toEqual(["kafka.oso.sh/cleanup"])
      yield* kubectl.patch("hourly", { spec: { deletionPolicy: "Retain" } })
      yield* advance("1 minute")
      expect((yield* kubectl.get("hourly")).metadata.finalizers ?? []).toEqual([])
      yield* replica.stop
      yield* kubectl.delete("hourly")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )

  story(
    "while an answer to the operator is on its way leaves nothing in the caches",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      const replica = yield* start()
      yield* kubernetes.disturb({
        _tag: "Run",
        moment: "after",
        when: ({ kind, subresource, verb }) => kind === "kafkabackups" && verb === "apply" && subresource === "status",
        effect: Effect.andThen(Effect.orDie(kubectl.delete("hourly")), Effect.sleep("1 second"))
      })
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("5 minutes")
      expect(yield* kubectl.exists("hourly")).toBe(false)
      yield* kubernetes.forgetCalls
      yield* advance("3 hours")
      expect(yield* kubernetes.calls).toEqual([])
      expect(yield* replica.metrics).not.toContain('name="hourly"')
    })
  )
})

describe("a KafkaBackup that takes the name of a deleted one", () => {
  const named = (events: ReadonlyArray<{ readonly reason?: string }>, name: string) =>
    events.filter(({ reason }) => reason === name)

  /** An hourly resource with two backups, deleted and created again three hours later. */
  const recreated = (spec: Readonly<Record<string, unknown>>) =>
    Effect.gen(function* () {
      const all = yield* withSet({})
      yield* all.kubectl.trigger("hourly", "before")
      yield* all.advance("1 minute")
      yield* all.kubectl.delete("hourly")
      yield* all.advance("3 hours")
      yield* all.kubectl.apply(hourly("hourly", { suspend: true, ...spec }))
      return all
    })

  story(
    "adopts its backups: in history and retention, and says so once",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica, start } = yield* recreated({ retention: { backups: 2 } })
      yield* kubectl.trigger("hourly", "new")
      yield* advance("2 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory?.map(({ backupId }) => backupId)).toEqual([
        "hourly-20261125-150200",
        "hourly-20261125-120100"
      ])
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      expect(status.adoptedBackups).toBe(1)
      expect(named(yield* kubectl.events, "BackupsAdopted")).toMatchObject([
        { type: "Normal", note: expect.stringMatching(/^1 backup of an earlier resource .* counts as /u) }
      ])
      yield* replica.stop
      yield* start()
      for (const token of ["newer", "newest"]) {
        yield* kubectl.trigger("hourly", token)
        yield* advance("2 minutes")
      }
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      expect((yield* kubectl.status("hourly")).adoptedBackups).toBe(0)
      expect(named(yield* kubectl.events, "BackupsAdopted")).toHaveLength(1)
    })
  )

  story(
    "removes adopted backups with its own when it is deleted, but only after it has made one itself",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* recreated({ deletionPolicy: "Delete" })
      yield* advance("10 seconds")
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      expect(named(yield* kubectl.events, "CleanupFinished")[0]).toMatchObject({
        note: expect.stringContaining("2 backups of an earlier resource of this name stay")
      })
      yield* kubectl.apply(hourly("hourly", { suspend: true, deletionPolicy: "Delete" }))
      yield* kubectl.trigger("hourly", "new")
      yield* advance("2 minutes")
      yield* kubectl.delete("hourly")
      yield* advance("1 minute")
      expect(yield* backups.keys).toEqual([])
    })
  )

  story(
    "prunes adopted backups after an edit that was made while a run was active",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* recreated({
        retention: { backups: 10 },
        incremental: { enabled: false }
      })
      yield* kubectl.trigger("hourly", "new")
      yield* advance("2 minutes")
      yield* kubectl.patch("hourly", { spec: { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } } })
      yield* kubectl.trigger("hourly", "slow")
      yield* advance("20 seconds")
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 2 } } })
      yield* advance("10 seconds")
      expect(setsIn(yield* backups.keys).length).toBeGreaterThan(2)
      yield* advance("10 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
    })
  )

  story(
    "prunes once and not again and again while retention leaves the backups of the other alone",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withSet({})
      yield* advance("2 hours")
      expect(setsIn(yield* backups.keys)).toHaveLength(3)
      yield* kubectl.delete("hourly")
      yield* kubectl.apply(hourly("hourly", { suspend: true }))
      yield* kubectl.trigger("hourly", "new")
      yield* advance("2 minutes")
      expect((yield* kubectl.status("hourly")).adoptedBackups).toBe(3)
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 1 } } })
      yield* advance("20 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(4)
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
      yield* advance("2 hours")
      yield* kubectl.trigger("hourly", "newer")
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )
})
