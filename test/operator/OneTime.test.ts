import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { backupOf, condition, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

describe("a KafkaBackup without schedule", () => {
  story(
    "is backed up once, and edits do not repeat it",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(backupOf("once"))
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["once-20261125-115000"])
      expect(yield* kubectl.status("once")).toMatchObject({ phase: "Completed", lastBackupRecords: 100 })
      expect(condition(yield* kubectl.status("once"), "Ready")).toMatchObject({
        status: "True",
        reason: "BackupCompleted"
      })
      yield* kubectl.patch("once", { spec: { compression: "none", topics: ["orders", "pay*"] } })
      yield* advance("3 hours")
      expect(runsAmong(yield* kubectl.jobs).length).toBeLessThanOrEqual(1)
      expect(setsIn(yield* backups.keys)).toEqual(["once-20261125-115000"])
    })
  )

  story(
    "is not repeated when status and Job are lost",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      const first = yield* start()
      yield* kubectl.apply(backupOf("once"))
      yield* advance("2 minutes")
      yield* first.stop
      for (const { metadata } of yield* kubectl.jobs) yield* kubernetes.behind.remove(Kind.jobs, metadata)
      yield* kubernetes.behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka-backup", name: "once" },
        { status: null },
        "status"
      )
      yield* advance("1 hour")
      yield* start()
      yield* advance("10 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["once-20261125-115000"])
      expect(yield* kubectl.status("once")).toMatchObject({ phase: "Completed", lastBackupId: "once-20261125-115000" })
      expect(outcomes(yield* kubectl.status("once"))).toEqual(["success"])
    })
  )

  story(
    "that failed is not tried again by itself, and is by a trigger",
    Effect.gen(function* () {
      const { advance, backups, cluster, kubectl, start } = yield* world
      yield* cluster.deleteTopic("orders")
      yield* start()
      yield* kubectl.apply(backupOf("once"))
      yield* advance("2 hours")
      const failed = yield* kubectl.status("once")
      expect(failed.phase).toBe("Failed")
      expect(outcomes(failed)).toEqual(["failed"])
      expect(condition(failed, "Ready")).toMatchObject({ status: "False", reason: "BackupFailed" })
      expect(condition(failed, "Ready")?.message).toContain("kafka.oso.sh/trigger-backup")

      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* kubectl.trigger("once", "again")
      yield* advance("2 minutes")
      expect(yield* kubectl.status("once")).toMatchObject({ phase: "Completed", handledTrigger: "again" })
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )

  story(
    "waits while it is suspended, and runs once when it is resumed",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(backupOf("once", { suspend: true }))
      yield* advance("10 minutes")
      expect(yield* kubectl.jobs).toEqual([])
      yield* kubectl.patch("once", { spec: { suspend: false } })
      yield* advance("10 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
      expect(yield* kubectl.status("once")).toMatchObject({ phase: "Completed" })
    })
  )
})
