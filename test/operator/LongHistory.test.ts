import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { condition, hourly, metric, outcomes, purposeOf, setsIn, story, world } from "./world.ts"

/** A resource with this many backups, one for each of the trigger values `t1`, `t2`, … */
const withBackups = (count: number) =>
  Effect.gen(function* () {
    const here = yield* world
    const replica = yield* here.start()
    yield* here.kubectl.apply(hourly("hourly", { suspend: true, job: { ttlSecondsAfterFinished: 30 } }))
    for (let n = 1; n <= count; n++) {
      yield* here.kubectl.trigger("hourly", `t${n}`)
      yield* here.advance("1 minute")
    }
    yield* here.advance("2 minutes")
    return { ...here, replica }
  })

describe("a resource with more backups than its status lists", () => {
  story(
    "lists the newest ten, counts the others, and shows its conditions within a screen or two",
    Effect.gen(function* () {
      const { backups, kubectl } = yield* withBackups(13)
      const status = yield* kubectl.status("hourly")
      expect(setsIn(yield* backups.keys)).toHaveLength(13)
      expect(outcomes(status)).toEqual(Array.from({ length: 10 }, () => "success"))
      expect(status.historyTruncated).toBe(3)
      const lines = (yield* kubectl.describe("hourly")).split("\n")
      const [conditions, events] = [/^ {2}Conditions:/, /^Events:/].map((line) => lines.findIndex((l) => line.test(l)))
      expect(conditions).toBeLessThan(160)
      expect(events).toBeGreaterThan(conditions!)
    })
  )

  story(
    "removes the old ones when retention is lowered to more than the status lists",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withBackups(13)
      const all = setsIn(yield* backups.keys)
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 12 } } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual(all.slice(1))
      expect((yield* kubectl.status("hourly")).historyTruncated).toBe(2)
      yield* kubectl.patch("hourly", { spec: { retention: { backups: 3 } } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual(all.slice(-3))
      const status = yield* kubectl.status("hourly")
      expect(status.historyTruncated).toBeUndefined()
      expect(status.backupHistory).toHaveLength(3)
      yield* advance("1 hour")
      expect((yield* kubectl.jobs).filter((job) => purposeOf(job) === "prune")).toEqual([])
    })
  )

  story(
    "reports a trigger value of a backup that is no longer listed as handled before",
    Effect.gen(function* () {
      const { advance, backups, kubectl, replica } = yield* withBackups(13)
      const [first = ""] = setsIn(yield* backups.keys)
      const before = yield* kubectl.status("hourly")
      const success = metric(yield* replica.metrics, "last_success_timestamp_seconds", 'name="hourly"')
      yield* kubectl.trigger("hourly", "t1")
      yield* advance("2 minutes")
      const after = yield* kubectl.status("hourly")
      expect(after.handledTrigger).toBe("t1")
      expect(setsIn(yield* backups.keys)).toHaveLength(13)
      const kept = ({ backupHistory, historyTruncated, lastBackupId, lastBackupTime, phase }: typeof after) => ({
        backupHistory,
        historyTruncated,
        lastBackupId,
        lastBackupTime,
        phase
      })
      expect(kept(after)).toEqual(kept(before))
      expect(metric(yield* replica.metrics, "last_success_timestamp_seconds", 'name="hourly"')).toBe(success)
      const events = yield* kubectl.events
      const handled = events.filter(({ reason }) => reason === "TriggerHandledBefore")
      expect(handled).toHaveLength(1)
      expect(handled[0]?.note).toContain(first)
      expect(events.filter(({ reason }) => reason === "BackupSucceeded")).toHaveLength(13)
      expect(condition(after, "Ready")?.status).toBe("True")
    })
  )
})
