import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import { backupOf, world } from "../world.ts"
import { differs, drilled, drillWorld, metric, nothing, passes, restorable, story, unanswered } from "./world.ts"

describe("drills of a KafkaBackup", () => {
  story(
    "start at each slot once there is a backup, and their result is condition, status, columns, Events and metrics",
    Effect.gen(function* () {
      const { advance, drillEvents, drills, kubectl, start } = yield* drillWorld
      const replica = yield* start()
      yield* kubectl.apply(drilled("shop"))
      yield* advance("1 minute")
      const before = yield* kubectl.status("shop")
      expect(restorable(before)).toMatchObject({ status: "Unknown", reason: "NoBackupYet" })
      expect(before.drill).toMatchObject({ phase: "Pending", nextDrillTime: "2026-11-25T12:15:00Z" })
      yield* advance("26 minutes")
      const status = yield* kubectl.status("shop")
      expect(status.drill).toMatchObject({
        phase: "Passed",
        lastResult: "Passed",
        backupId: "shop-20261125-120000",
        capturedTime: "2026-11-25T12:00:00Z",
        records: 100,
        bytes: 4096,
        seconds: 3,
        estimatedRestoreSeconds: 312,
        comparedLiveRecords: 90,
        nextDrillTime: "2026-11-25T13:15:00Z"
      })
      expect(status.drill?.lastPassedTime).toBe(status.drill?.completionTime)
      expect(restorable(status)).toMatchObject({ status: "True", reason: "DrillPassed" })
      expect(restorable(status)?.message).toContain("shop-20261125-120000 can be restored")
      expect(restorable(status)?.message).toContain("A restore of the whole backup takes about 5m12s.")
      expect(yield* drills).toEqual(["2026-11-25T12:15:00Z"])
      expect(yield* drillEvents).toEqual(["DrillStarted", "DrillPassed"])
      const wide = yield* kubectl.getTable({ wide: true })
      expect(wide.split("\n")[0]).toContain("RESTORABLE")
      const metrics = yield* replica.metrics
      const of = 'name="shop"'
      expect(metric(metrics, "restorable", of)).toBe(1)
      expect(metric(metrics, "drill_estimated_restore_seconds", of)).toBe(312)
      expect(metric(metrics, "drill_last_passed_timestamp_seconds", of)).toBe(
        Date.parse(status.drill?.lastPassedTime ?? "") / 1000
      )
      expect(metric(metrics, "drill_expected_interval_seconds", of)).toBe(3600)
      expect(metric(metrics, "drills_total", of, 'outcome="passed"')).toBe(1)
      expect(metric(metrics, "drills_total", of, 'outcome="failed"')).toBe(0)
      yield* advance("1 hour")
      expect(yield* drills).toEqual(["2026-11-25T12:15:00Z", "2026-11-25T13:15:00Z"])
    })
  )

  story(
    "run the command in their pods, which finds a damaged object of the newest backup",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(drilled("shop"))
      yield* advance("27 minutes")
      const good = yield* kubectl.status("shop")
      expect(restorable(good)).toMatchObject({ status: "True", reason: "DrillPassed" })
      expect(good.drill).toMatchObject({ backupId: "shop-20261125-120000", records: 100, comparedLiveRecords: 100 })
      const key = (yield* backups.keys).find((one) => one.includes("/partition=0/"))!
      yield* backups.tamper(key, (bytes) => bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte)))
      yield* kubectl.annotate("shop", "kafka.oso.sh/drill", "damaged")
      yield* advance("1 minute")
      const bad = yield* kubectl.status("shop")
      expect(restorable(bad)).toMatchObject({ status: "False", reason: "DrillFailed" })
      expect(restorable(bad)?.message).toContain(key)
      expect(bad.drill).toMatchObject({ phase: "Failed", lastResult: "Failed" })
    })
  )

  story(
    "that fail make Restorable False and leave Ready alone, and a drill by annotation cures it",
    Effect.gen(function* () {
      const { advance, drill, drillEvents, drills, kubectl, plays, start } = yield* drillWorld
      const replica = yield* start()
      yield* plays({ ends: [differs, passes] })
      yield* kubectl.apply(drilled("shop"))
      yield* advance("30 minutes")
      const status = yield* kubectl.status("shop")
      expect(restorable(status)).toMatchObject({ status: "False", reason: "DrillFailed" })
      expect(restorable(status)?.message).toContain("live log differs from the backup at orders[0] offset 17")
      expect(restorable(status)?.message).toContain("No drill has passed yet.")
      expect(status.drill).toMatchObject({ phase: "Failed", reason: "Differs", records: 17 })
      expect(status.drill?.lastPassedTime).toBeUndefined()
      expect(status.conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status: "True" })
      expect(metric(yield* replica.metrics, "restorable", 'name="shop"')).toBe(0)
      expect(metric(yield* replica.metrics, "drill_failures_total", 'name="shop"', 'reason="Differs"')).toBe(1)
      yield* drill("shop", "again")
      yield* advance("1 minute")
      expect(yield* drills).toEqual(["2026-11-25T12:15:00Z", "again"])
      expect(restorable(yield* kubectl.status("shop"))).toMatchObject({ status: "True", reason: "DrillPassed" })
      expect((yield* kubectl.status("shop")).drill?.handledTrigger).toBe("again")
      expect(yield* drillEvents).toEqual(["DrillStarted", "DrillFailed", "DrillStarted", "DrillPassed"])
      expect(metric(yield* replica.metrics, "restorable", 'name="shop"')).toBe(1)
    })
  )

  story(
    "that show nothing change no answer, until the last one that passed is too old",
    Effect.gen(function* () {
      const { advance, drillEvents, kubectl, plays, start } = yield* drillWorld
      const replica = yield* start()
      yield* plays({ ends: [passes, unanswered, nothing, unanswered, unanswered] })
      yield* kubectl.apply(drilled("shop", {}, { job: { backoffLimit: 0 } }))
      yield* advance("90 minutes")
      const later = yield* kubectl.status("shop")
      expect(later.drill).toMatchObject({
        phase: "Incomplete",
        lastResult: "Passed",
        incomplete: { reason: "BrokerUnreachable" }
      })
      expect(restorable(later)).toMatchObject({ status: "True", reason: "DrillPassed" })
      expect(restorable(later)?.message).toContain("was not completed: no broker answers")
      yield* advance("2 hours")
      const late = yield* kubectl.status("shop")
      expect(restorable(late)).toMatchObject({ status: "Unknown", reason: "DrillOverdue" })
      expect(metric(yield* replica.metrics, "restorable", 'name="shop"')).toBeUndefined()
      expect((yield* drillEvents).filter((reason) => reason === "DrillOverdue")).toHaveLength(1)
      expect((yield* drillEvents).filter((reason) => reason === "DrillIncomplete")).toHaveLength(3)
    })
  )

  story(
    "wait for the first backup, and the newest slot that passed is then drilled at once",
    Effect.gen(function* () {
      const { advance, drills, kubectl, start } = yield* drillWorld
      yield* start()
      yield* kubectl.apply(drilled("shop", { schedule: "*/5 * * * *" }))
      yield* advance("9 minutes")
      expect(yield* drills).toEqual([])
      expect(restorable(yield* kubectl.status("shop"))?.reason).toBe("NoBackupYet")
      yield* advance("2 minutes")
      expect(yield* drills).toEqual(["2026-11-25T12:00:00Z"])
    })
  )

  story(
    "that were missed while no operator ran are made up for by one",
    Effect.gen(function* () {
      const { advance, drills, kubectl, start } = yield* drillWorld
      const first = yield* start()
      yield* kubectl.apply(drilled("shop"))
      yield* advance("27 minutes")
      yield* first.stop
      yield* advance("310 minutes")
      yield* start()
      yield* advance("5 minutes")
      expect(yield* drills).toEqual(["2026-11-25T12:15:00Z", "2026-11-25T17:15:00Z"])
      expect((yield* kubectl.status("shop")).drill?.skippedSlots).toBe(4)
    })
  )

  story(
    "do not start while suspended, but by the annotation",
    Effect.gen(function* () {
      const { advance, drill, drills, kubectl, start } = yield* drillWorld
      yield* start()
      yield* kubectl.apply(drilled("shop", { suspend: true }))
      yield* advance("3 hours")
      expect(yield* drills).toEqual([])
      const status = yield* kubectl.status("shop")
      expect(restorable(status)).toMatchObject({ status: "Unknown", reason: "AwaitingFirstDrill" })
      expect(restorable(status)?.message).toContain("Suspended")
      yield* drill("shop", "now")
      yield* advance("1 minute")
      expect(yield* drills).toEqual(["now"])
      yield* advance("5 hours")
      expect(restorable(yield* kubectl.status("shop"))).toMatchObject({ status: "True", reason: "DrillPassed" })
    })
  )

  story(
    "of one resource never overlap, and a slot during a drill is skipped",
    Effect.gen(function* () {
      const { advance, drill, drills, kubectl, plays, start, together } = yield* drillWorld
      yield* start()
      yield* plays({ takes: "40 minutes" })
      yield* kubectl.apply(drilled("shop", { schedule: "*/15 * * * *" }))
      yield* advance("20 minutes")
      expect((yield* kubectl.status("shop")).drill).toMatchObject({ phase: "Running" })
      expect(restorable(yield* kubectl.status("shop"))?.reason).toBe("DrillRunning")
      yield* drill("shop", "meanwhile")
      yield* advance("15 minutes")
      expect((yield* kubectl.status("shop")).drill?.pendingTrigger?.token).toBe("meanwhile")
      expect(yield* drills).toHaveLength(1)
      yield* advance("1 hour")
      expect((yield* drills).slice(0, 2)).toEqual(["2026-11-25T12:00:00Z", "meanwhile"])
      expect(yield* together).toEqual([])
    })
  )

  story(
    "run beside a backup, and neither waits for the other",
    Effect.gen(function* () {
      const { advance, drills, kubectl, plays, start } = yield* drillWorld
      yield* start({ settings: { maxConcurrentRuns: 1 } })
      yield* plays({ takes: "2 hours" })
      yield* kubectl.apply(drilled("shop"))
      yield* advance("80 minutes")
      const status = yield* kubectl.status("shop")
      expect(yield* drills).toHaveLength(1)
      expect(status.drill?.phase).toBe("Running")
      expect(status.lastBackupId).toBe("shop-20261125-130000")
    })
  )

  story(
    "of many resources wait in a queue of their own",
    Effect.gen(function* () {
      const { advance, drillJobs, kubectl, plays, start } = yield* drillWorld
      const replica = yield* start({ settings: { maxConcurrentDrills: 2 } })
      yield* plays({ takes: "10 minutes" })
      const names = ["a", "b", "c", "d"]
      for (const name of names) yield* kubectl.apply(drilled(name))
      yield* advance("27 minutes")
      expect(yield* drillJobs).toHaveLength(2)
      expect(metric(yield* replica.metrics, "active_drills")).toBe(2)
      expect(metric(yield* replica.metrics, "queued_drills")).toBe(2)
      const conditions = yield* Effect.forEach(names, (name) => Effect.map(kubectl.status(name), restorable))
      const waiting = conditions.filter((condition) => condition?.message.includes("at most 2 at the same time"))
      expect(waiting).toHaveLength(2)
      yield* advance("25 minutes")
      expect(yield* drillJobs).toHaveLength(4)
    })
  )

  story(
    "that the spec no longer asks for leave no trace, and an annotation without them is refused visibly",
    Effect.gen(function* () {
      const { advance, drill, kubectl, start } = yield* drillWorld
      const replica = yield* start()
      yield* kubectl.apply(drilled("shop"))
      yield* advance("30 minutes")
      expect((yield* kubectl.status("shop")).drill?.phase).toBe("Passed")
      yield* kubectl.patch("shop", { spec: { drill: null } })
      yield* advance("1 minute")
      const without = yield* kubectl.status("shop")
      expect(without.drill).toBeUndefined()
      expect(restorable(without)).toBeUndefined()
      expect(metric(yield* replica.metrics, "drills_total", 'name="shop"')).toBeUndefined()
      yield* drill("shop", "now")
      yield* advance("1 minute")
      const refused = yield* kubectl.status("shop")
      expect(refused.conditions?.find(({ type }) => type === "Warnings")).toMatchObject({ reason: "TriggerRefused" })
      expect(refused.conditions?.find(({ type }) => type === "Warnings")?.message).toContain("has no spec.drill")
    })
  )

  story(
    "added to a resource of old start with the next slot",
    Effect.gen(function* () {
      const { advance, drills, kubectl, start } = yield* drillWorld
      yield* start()
      yield* kubectl.apply(backupOf("shop", { schedule: "0 * * * *" }))
      yield* advance("5 hours")
      yield* kubectl.patch("shop", { spec: { drill: { schedule: "15 * * * *" } } })
      yield* advance("10 minutes")
      expect(yield* drills).toEqual([])
      yield* advance("20 minutes")
      expect(yield* drills).toEqual(["2026-11-25T17:15:00Z"])
    })
  )

  story(
    "end with their resource, before its backups are removed",
    Effect.gen(function* () {
      const { advance, drillJobs, kubectl, plays, start } = yield* drillWorld
      yield* start()
      yield* plays({ takes: "2 hours" })
      yield* kubectl.apply(drilled("kept"))
      yield* kubectl.apply(drilled("removed", {}, { deletionPolicy: "Delete" }))
      yield* advance("30 minutes")
      expect(yield* drillJobs).toHaveLength(2)
      yield* kubectl.delete("kept")
      yield* kubectl.delete("removed")
      yield* advance("1 minute")
      expect(yield* drillJobs).toEqual([])
      yield* advance("10 minutes")
      expect(yield* kubectl.exists("removed")).toBe(false)
    })
  )

  story(
    "are neither repeated nor forgotten when the status is lost",
    Effect.gen(function* () {
      const { advance, behind, drillEvents, drills, kubectl, start } = yield* drillWorld
      const replica = yield* start()
      yield* kubectl.apply(drilled("shop"))
      yield* advance("30 minutes")
      const before = yield* kubectl.status("shop")
      const at = { namespace: "kafka-backup", name: "shop" }
      yield* behind.patch(Kind.kafkaBackups, at, { status: null }, "status")
      yield* advance("10 minutes")
      const { lastScheduledTime: _, scheduledSince: __, ...result } = before.drill ?? {}
      const { drill: { scheduledSince, ...recalled } = {} } = yield* kubectl.status("shop")
      expect(recalled).toEqual(result)
      expect(scheduledSince).toBe("2026-11-25T12:15:00Z")
      expect(yield* drills).toEqual(["2026-11-25T12:15:00Z"])
      expect(yield* drillEvents).toEqual(["DrillStarted", "DrillPassed"])
      expect(metric(yield* replica.metrics, "drills_total", 'outcome="passed"')).toBe(1)
    })
  )

  story(
    "whose Job is deleted by hand are told once, and not made again",
    Effect.gen(function* () {
      const { advance, behind, drillJobs, drills, kubectl, plays, start } = yield* drillWorld
      yield* start()
      yield* plays({ takes: "20 minutes" })
      yield* kubectl.apply(drilled("shop"))
      yield* advance("26 minutes")
      const [job] = yield* drillJobs
      yield* behind.remove(Kind.jobs, job!.metadata, { propagation: "Background" })
      yield* advance("10 minutes")
      const status = yield* kubectl.status("shop")
      expect(status.drill).toMatchObject({ phase: "Incomplete", incomplete: { reason: "JobDeleted" } })
      expect(status.drill?.active).toBeUndefined()
      expect(restorable(status)).toMatchObject({ status: "Unknown", reason: "DrillIncomplete" })
      expect(yield* drills).toHaveLength(1)
    })
  )
})
