import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { condition, hourly, metric, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

describe("a scheduled KafkaBackup", () => {
  story(
    "is backed up once at each of its slots",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("3 hours")
      expect(setsIn(yield* backups.keys)).toEqual([
        "hourly-20261125-120000",
        "hourly-20261125-130000",
        "hourly-20261125-140000"
      ])
      expect(runsAmong(yield* kubectl.jobs)).toHaveLength(3)
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success", "success", "success"])
      expect(status.nextScheduledTime).toBe("2026-11-25T15:00:00Z")
      expect(status.skippedSlots).toBeUndefined()
    })
  )

  story(
    "waits for the next slot after it was resumed, and does not make up for those it was suspended in",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { suspend: true }))
      yield* advance("15 minutes")
      expect(condition(yield* kubectl.status("hourly"), "Ready")).toMatchObject({ status: "True", reason: "Suspended" })
      expect((yield* kubectl.status("hourly")).nextScheduledTime).toBeUndefined()
      yield* kubectl.patch("hourly", { spec: { suspend: false } })
      yield* advance("10 minutes")
      expect(yield* kubectl.jobs).toEqual([])
      expect((yield* kubectl.status("hourly")).nextScheduledTime).toBe("2026-11-25T13:00:00Z")
      yield* advance("50 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-130000"])
      expect((yield* kubectl.status("hourly")).skippedSlots).toBeUndefined()
    })
  )

  story(
    "does not stop a run that is active when it is suspended",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } }))
      yield* advance("610 seconds")
      expect((yield* kubectl.status("hourly")).phase).toBe("Running")
      yield* kubectl.patch("hourly", { spec: { suspend: true } })
      yield* advance("2 hours")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )

  story(
    "counts from now on when its schedule is edited",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { schedule: "0 0 * * *" }))
      yield* advance("15 minutes")
      // 12:05. Slots at 12:00, 12:01, … that the new schedule would have had are past.
      yield* kubectl.patch("hourly", { spec: { schedule: "0,1,2,30 * * * *", startingDeadlineSeconds: 3600 } })
      yield* advance("5 minutes")
      expect(yield* kubectl.jobs).toEqual([])
      const status = yield* kubectl.status("hourly")
      expect(status.nextScheduledTime).toBe("2026-11-25T12:30:00Z")
      expect(status.skippedSlots).toBeUndefined()
      yield* advance("25 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-123000"])
    })
  )

  story(
    "skips a slot that meets a running run, and says so once",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* world
      yield* cluster.produce(
        "orders",
        1,
        Array.from({ length: 300 }, (_, n) => ({ key: `k${n}`, value: "v" }))
      )
      const replica = yield* start()
      yield* kubectl.apply(
        hourly("busy", { schedule: "*/5 * * * *", rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } })
      )
      yield* advance("14 minutes")
      const status = yield* kubectl.status("busy")
      expect(outcomes(status)).toContain("skipped")
      const gap = status.backupHistory?.find(({ outcome }) => outcome === "skipped")
      expect(gap).toMatchObject({ reason: "Overlapping", slots: 1, startTime: "2026-11-25T12:00:00Z" })
      expect(status.skippedSlots).toBe(1)
      const events = (yield* kubectl.events).filter(({ reason }) => reason === "SlotsSkipped")
      expect(events).toHaveLength(1)
      expect(events[0]?.series).toBeUndefined()
      expect(metric(yield* replica.metrics, "skipped_slots_total", 'name="busy"', 'reason="Overlapping"')).toBe(1)
    })
  )

  story(
    "makes up for an outage with one run at most, and counts what it missed in one Event",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      const first = yield* start()
      yield* kubectl.apply(hourly("hourly", { startingDeadlineSeconds: 1800 }))
      yield* advance("15 minutes")
      yield* first.stop
      yield* advance("185 minutes") // 15:10: slots 13:00, 14:00 and 15:00 passed
      const second = yield* start()
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000", "hourly-20261125-150000"])
      const status = yield* kubectl.status("hourly")
      expect(status.skippedSlots).toBe(2)
      expect(outcomes(status)).toEqual(["success", "skipped", "success"])
      expect(status.backupHistory?.[1]).toMatchObject({ reason: "Missed", slots: 2 })
      expect((yield* kubectl.events).filter(({ reason }) => reason === "SlotsSkipped")).toHaveLength(1)
      expect(metric(yield* second.metrics, "skipped_slots_total", 'name="hourly"', 'reason="Missed"')).toBe(2)
    })
  )

  story(
    "starts nothing after an outage when the last slot is past its deadline",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      const first = yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("15 minutes")
      yield* first.stop
      yield* advance("95 minutes") // 13:40: half the interval is over
      yield* start()
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory?.[0]).toMatchObject({ outcome: "skipped", reason: "TooLate", slots: 1 })
      // No field set this deadline.
      expect(status.backupHistory?.[0]?.message).toContain("by default half the interval")
      expect(status.nextScheduledTime).toBe("2026-11-25T14:00:00Z")
      expect(yield* kubectl.events).toEqual(
        expect.arrayContaining([expect.objectContaining({ reason: "SlotsSkipped", type: "Warning" })])
      )
    })
  )

  story(
    "keeps the plan of the run that is active when its spec is edited",
    Effect.gen(function* () {
      const { advance, backups, cluster, kubectl, start, store } = yield* world
      yield* cluster.createTopic("payments", { partitions: 1 })
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } }))
      yield* advance("610 seconds")
      yield* kubectl.patch("hourly", {
        spec: { topics: ["payments"], storage: { s3: { bucket: "elsewhere" } } }
      })
      yield* advance("10 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      expect((yield* kubectl.status("hourly")).lastBackupRecords).toBe(100)
      yield* advance("1 hour")
      expect(setsIn(yield* (yield* store("s3:elsewhere")).keys)).toEqual(["hourly-20261125-130000"])
    })
  )

  story(
    "whose last slot lies in the future waits and says so, and an edit of the schedule ends the wait",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("1 minute")
      yield* kubernetes.behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka-backup", name: "hourly" },
        { status: { lastScheduledTime: "2026-11-26T11:00:00Z" } },
        "status"
      )
      yield* advance("15 minutes")
      expect(yield* kubectl.jobs).toEqual([])
      const status = yield* kubectl.status("hourly")
      expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "ClockBehind" })
      expect(status.nextScheduledTime).toBe("2026-11-26T12:00:00Z")
      expect((yield* kubectl.events).filter(({ reason }) => reason === "ClockBehind")).toHaveLength(1)
      yield* kubectl.patch("hourly", { spec: { schedule: "0,30 * * * *" } })
      yield* advance("30 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-123000"])
      expect(condition(yield* kubectl.status("hourly"), "Ready")?.status).toBe("True")
    })
  )
})
