import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { triggerAnnotation } from "../../src/resource/KafkaBackup.ts"
import { backupOf, condition, hourly, metric, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

describe("the trigger annotation", () => {
  story(
    "starts one run for each new value, and none for one it has had",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("1 minute")
      yield* kubectl.trigger("hourly", "1764071460")
      yield* advance("1 minute")
      yield* kubectl.trigger("hourly", "1764071460")
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect((yield* kubectl.status("hourly")).handledTrigger).toBe("1764071460")
      yield* kubectl.trigger("hourly", "another")
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      expect(runsAmong(yield* kubectl.jobs)).toHaveLength(2)
    })
  )

  story(
    "set to a value that was used before moves no time of a success, and says so",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      const replica = yield* start()
      yield* kubectl.apply(hourly("hourly", { suspend: true }))
      for (const value of ["first", "second"]) {
        yield* kubectl.trigger("hourly", value)
        yield* advance("1 minute")
      }
      // The Jobs have gone by then, and with them all that the cluster knows of the values.
      yield* advance("25 hours")
      const before = yield* kubectl.status("hourly")
      const success = metric(yield* replica.metrics, "last_success_timestamp_seconds", 'name="hourly"')
      expect(before.backupHistory).toHaveLength(2)
      yield* kubectl.trigger("hourly", "first")
      yield* advance("2 minutes")
      const after = yield* kubectl.status("hourly")
      expect(runsAmong(yield* kubectl.jobs)).toHaveLength(1)
      expect(after.handledTrigger).toBe("first")
      const successes = ({ backupHistory, lastBackupId, lastBackupSize, lastBackupTime, phase }: typeof after) => [
        [lastBackupId, lastBackupTime, lastBackupSize, phase],
        backupHistory?.map(({ backupId, completionTime, startTime }) => [backupId, startTime, completionTime])
      ]
      expect(successes(after)).toEqual(successes(before))
      expect(metric(yield* replica.metrics, "last_success_timestamp_seconds", 'name="hourly"')).toBe(success)
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      const events = yield* kubectl.events
      expect(events.filter(({ reason }) => reason === "TriggerHandledBefore")).toHaveLength(1)
      expect(events.filter(({ reason }) => reason === "BackupSucceeded")).toHaveLength(2)
    })
  )

  story(
    "set to new values during a run starts one run after it, of the newest",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } }))
      yield* kubectl.trigger("hourly", "running")
      yield* advance("20 seconds")
      expect((yield* kubectl.status("hourly")).phase).toBe("Running")
      yield* kubectl.trigger("hourly", "older")
      yield* advance("5 seconds")
      expect((yield* kubectl.status("hourly")).pendingTrigger?.token).toBe("older")
      yield* kubectl.trigger("hourly", "newest")
      yield* advance("5 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.handledTrigger).toBe("newest")
      expect(status.pendingTrigger).toBeUndefined()
      expect(outcomes(status)).toEqual(["success", "success"])
      const tokens = runsAmong(yield* kubectl.jobs).map(
        ({ metadata }) => metadata.annotations?.["kafka.oso.sh/trigger"]
      )
      expect(tokens).toEqual(["running", "newest"])
    })
  )

  story(
    "seen in the second of a slot makes a backup of the next id, and status and Events name that one",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 2 }, incremental: { enabled: false } }))
      yield* advance("10 minutes")
      yield* kubectl.trigger("hourly", "same-second")
      yield* advance("85 seconds")
      const running = yield* kubectl.status("hourly")
      expect(running.activeRun).toMatchObject({ backupId: "hourly-20261125-120001", cause: "trigger" })
      expect(condition(running, "Progressing")?.message).toContain("hourly-20261125-120001")
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000", "hourly-20261125-120001"])
      const notes = (yield* kubectl.events).map(({ note }) => note)
      expect(notes.some((note) => note?.includes("makes hourly-20261125-120001, because the id"))).toBe(true)
    })
  )

  story(
    "changed hundreds of times in a moment starts no more than two runs, the last one of the newest value",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { suspend: true }))
      yield* advance("1 minute")
      for (let n = 1; n <= 300; n++) yield* kubectl.trigger("hourly", `t${n}`)
      yield* advance("5 minutes")
      expect((yield* kubectl.status("hourly")).handledTrigger).toBe("t300")
      expect(runsAmong(yield* kubectl.jobs).length).toBeLessThanOrEqual(2)
    })
  )

  story(
    "starts a run although the resource is suspended, or has no schedule",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("suspended", { suspend: true }))
      yield* kubectl.apply(backupOf("once"))
      yield* advance("2 minutes")
      yield* kubectl.trigger("suspended", "now")
      yield* kubectl.trigger("once", "now")
      yield* advance("2 minutes")
      expect(outcomes(yield* kubectl.status("suspended"))).toEqual(["success"])
      expect(outcomes(yield* kubectl.status("once"))).toEqual(["success", "success"])
      expect(condition(yield* kubectl.status("suspended"), "Ready")?.reason).toBe("Suspended")
    })
  )

  story(
    "present from the beginning starts its run beside the one of a one-time resource",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      const backup = backupOf("once")
      yield* kubectl.apply({ ...backup, metadata: { ...backup.metadata, annotations: { [triggerAnnotation]: "t" } } })
      yield* advance("5 minutes")
      expect(outcomes(yield* kubectl.status("once"))).toEqual(["success", "success"])
    })
  )

  for (const [what, value] of [
    ["empty", ""],
    ["overlong", "x".repeat(254)]
  ] as const) {
    story(
      `that is ${what} is refused visibly, and a good value cures it`,
      Effect.gen(function* () {
        const { advance, kubectl, start } = yield* world
        yield* start()
        yield* kubectl.apply(hourly("hourly", { suspend: true }))
        yield* kubectl.trigger("hourly", value)
        yield* advance("2 minutes")
        expect(runsAmong(yield* kubectl.jobs)).toEqual([])
        expect(condition(yield* kubectl.status("hourly"), "Warnings")).toMatchObject({
          status: "True",
          reason: "TriggerRefused"
        })
        const reasons = (yield* kubectl.events).map(({ reason }) => reason)
        expect(reasons.filter((reason) => reason !== "CheckPassed")).toEqual(["TriggerRefused"])
        yield* kubectl.trigger("hourly", "good")
        yield* advance("2 minutes")
        expect(condition(yield* kubectl.status("hourly"), "Warnings")?.status).toBe("False")
        expect(runsAmong(yield* kubectl.jobs)).toHaveLength(1)
      })
    )
  }

  story(
    "is not handled again when status is lost after its Job is gone",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { suspend: true, job: { ttlSecondsAfterFinished: 60 } }))
      yield* kubectl.trigger("hourly", "once")
      yield* advance("10 minutes")
      expect(yield* kubectl.jobs).toEqual([])
      yield* kubernetes.behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka-backup", name: "hourly" },
        { status: null },
        "status"
      )
      yield* advance("10 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      const status = yield* kubectl.status("hourly")
      expect(status.handledTrigger).toBe("once")
      expect(outcomes(status)).toEqual(["success"])
    })
  )
})
