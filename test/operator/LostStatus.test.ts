import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import { backupOf, condition, hourly, purposeOf, runsAmong, story, world } from "./world.ts"

/** A resource with three backups, the last of them of trigger value `t2`, and its status before it is lost. */
const withBackups = (manifest: ReturnType<typeof backupOf>) =>
  Effect.gen(function* () {
    const here = yield* world
    const { advance, kubectl, kubernetes, start } = here
    const replica = yield* start()
    const { name } = manifest.metadata
    yield* kubectl.apply(manifest)
    yield* advance("1 minute")
    for (let n = 0; n < 3; n++) {
      yield* kubectl.trigger(name, `t${n}`)
      yield* advance("1 minute")
    }
    yield* advance("3 minutes")
    const loseStatus = kubernetes.behind.patch(
      Kind.kafkaBackups,
      { namespace: "kafka-backup", name },
      { status: null },
      "status"
    )
    return { ...here, replica, loseStatus, before: yield* kubectl.status(name) }
  })

type History = { readonly backupHistory?: ReadonlyArray<{ readonly backupId?: string; readonly outcome: string }> }

const backups = ({ backupHistory = [] }: History) =>
  backupHistory.flatMap(({ backupId, outcome }) => (outcome === "success" ? [backupId] : []))

describe("a lost status is read from storage again", () => {
  for (const [what, manifest] of [
    ["of a schedule", hourly("b", {})],
    ["of a suspended resource", hourly("b", { suspend: true })],
    ["of a one-time backup", backupOf("b")]
  ] as const) {
    story(
      `${what}, with a trigger annotation whose Job still exists`,
      Effect.gen(function* () {
        const { advance, before, kubectl, loseStatus } = yield* withBackups(manifest)
        yield* loseStatus
        yield* advance("1 minute")
        const after = yield* kubectl.status("b")
        expect(backups(after)).toEqual(backups(before))
        expect(after.lastBackupId).toBe(before.lastBackupId)
        expect(after.handledTrigger).toBe("t2")
        expect(condition(after, "StorageListed")).toMatchObject({ status: "True", reason: "Listed" })
        // Known again, it is not read again.
        yield* advance("20 minutes")
        expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "catalogue")).toEqual([])
      })
    )
  }

  story(
    "while the run of a slot is due, and the run follows",
    Effect.gen(function* () {
      const { advance, before, kubectl, loseStatus, replica, start } = yield* withBackups(
        hourly("b", { job: { ttlSecondsAfterFinished: 30 } })
      )
      yield* kubectl.patch("b", { spec: { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } } })
      yield* replica.stop
      yield* advance("3 minutes")
      yield* loseStatus
      // It is noon now: the run of the slot is due, and so is the listing.
      yield* start({ name: "another" })
      yield* advance("40 seconds")
      const during = yield* kubectl.status("b")
      expect(during.phase).toBe("Running")
      expect(during.activeRun?.backupId).toBe("b-20261125-120000")
      expect(backups(during)).toEqual(backups(before))
      // Nobody remembers which slots had their runs, so none is called skipped.
      expect(during.skippedSlots).toBeUndefined()
      expect((yield* kubectl.events).map(({ reason }) => reason)).not.toContain("SlotsSkipped")
    })
  )

  story(
    "twice, and holds up no run while the listing of the first time is still there",
    Effect.gen(function* () {
      const { advance, before, kubectl, loseStatus } = yield* withBackups(
        hourly("b", { suspend: true, job: { ttlSecondsAfterFinished: 30 } })
      )
      yield* loseStatus
      yield* advance("1 minute")
      expect(backups(yield* kubectl.status("b"))).toEqual(backups(before))
      yield* loseStatus
      yield* kubectl.trigger("b", "new")
      yield* advance("2 minutes")
      expect(backups(yield* kubectl.status("b"))).toHaveLength(4)
    })
  )

  story(
    "although storage was away at first, and the condition says so until then",
    Effect.gen(function* () {
      const {
        advance,
        backups: store,
        before,
        kubectl,
        loseStatus
      } = yield* withBackups(hourly("b", { suspend: true }))
      yield* store.disturb({
        operation: "list",
        times: Infinity,
        _tag: "Fail",
        reason: new StoreUnavailable({ detail: "no route" })
      })
      yield* loseStatus
      yield* advance("30 minutes")
      expect(condition(yield* kubectl.status("b"), "StorageListed")).toMatchObject({
        status: "False",
        reason: "ListingFailed"
      })
      yield* store.calm
      yield* advance("2 hours")
      expect(backups(yield* kubectl.status("b"))).toEqual(backups(before))
    })
  )

  story(
    "once an invalid spec is corrected",
    Effect.gen(function* () {
      const { advance, before, kubectl, kubernetes, loseStatus } = yield* withBackups(hourly("b", { suspend: true }))
      const place = { namespace: "kafka-backup", name: "b" }
      yield* kubernetes.behind.patch(Kind.kafkaBackups, place, { spec: { timeZone: "Mars/Base" } })
      yield* loseStatus
      yield* advance("1 minute")
      const lost = yield* kubectl.status("b")
      expect(condition(lost, "Ready")?.reason).toBe("InvalidSpec")
      expect(condition(lost, "StorageListed")).toMatchObject({ status: "Unknown", reason: "StatusLost" })
      expect(condition(lost, "Ready")?.message).toContain("unknown until storage is listed")
      yield* kubernetes.behind.patch(Kind.kafkaBackups, place, { spec: { timeZone: null } })
      yield* advance("1 minute")
      expect(backups(yield* kubectl.status("b"))).toEqual(backups(before))
    })
  )

  story(
    "after a Job was deleted that nobody saw end, also when the next run cannot start",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes } = yield* withBackups(hourly("b", { suspend: true }))
      yield* kubectl.patch("b", { spec: { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } } })
      yield* kubectl.trigger("b", "long")
      yield* advance("20 seconds")
      const running = runsAmong(yield* kubectl.jobs).find(
        ({ metadata }) => metadata.annotations?.["kafka.oso.sh/trigger"] === "long"
      )
      yield* kubernetes.behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka-backup", name: "b" },
        {
          spec: { timeZone: "Mars/Base" }
        }
      )
      yield* kubernetes.behind.remove(Kind.jobs, { namespace: "kafka-backup", name: running!.metadata.name })
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("b"), "StorageListed")).toMatchObject({
        status: "Unknown",
        reason: "ListingDue"
      })
      yield* kubernetes.behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka-backup", name: "b" },
        {
          spec: { timeZone: null }
        }
      )
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("b"), "StorageListed")?.status).toBe("True")
    })
  )
})
