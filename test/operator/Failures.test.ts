import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import { backupOf, condition, hourly, metric, outcomes, runsAmong, story, world } from "./world.ts"

describe("a run that fails", () => {
  story(
    "for a missing topic says so everywhere, and the next success takes it back",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* world
      yield* cluster.deleteTopic("orders")
      const replica = yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("15 minutes")
      const failed = yield* kubectl.status("hourly")
      expect(failed.phase).toBe("Failed")
      expect(failed.backupHistory?.[0]).toMatchObject({ outcome: "failed", reason: "TopicMissing" })
      expect(condition(failed, "Ready")).toMatchObject({ status: "False", reason: "BackupFailed" })
      expect(condition(failed, "KafkaReachable")?.status).toBe("True")
      // One pod: no use in trying again what a person must correct.
      expect(runsAmong(yield* kubectl.pods)).toHaveLength(1)
      const event = (yield* kubectl.events).find(({ reason }) => reason === "BackupFailed")
      expect(event).toMatchObject({ type: "Warning", regarding: { kind: "KafkaBackup", name: "hourly" } })
      expect(event?.note).toContain("orders")
      const text = yield* replica.metrics
      expect(metric(text, "run_failures_total", 'name="hourly"', 'reason="TopicMissing"')).toBe(1)
      expect(metric(text, "runs_total", 'name="hourly"', 'outcome="failed"')).toBe(1)
      expect(metric(text, "ready{", 'name="hourly"')).toBe(0)

      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* advance("1 hour")
      const cured = yield* kubectl.status("hourly")
      expect(outcomes(cured)).toEqual(["success", "failed"])
      expect(condition(cured, "Ready")?.status).toBe("True")
      expect(metric(yield* replica.metrics, "ready{", 'name="hourly"')).toBe(1)
    })
  )

  story(
    "because no broker is there ends for good, and is made up for at the next slot",
    Effect.gen(function* () {
      const { advance, kafka, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(
        hourly("hourly", { kafkaCluster: { bootstrapServers: ["nowhere:9092"] }, job: { backoffLimit: 1 } })
      )
      yield* advance("40 minutes")
      const failed = yield* kubectl.status("hourly")
      expect(failed.phase).toBe("Failed")
      expect(condition(failed, "KafkaReachable")).toMatchObject({ status: "False", reason: "BrokerUnreachable" })
      expect(condition(failed, "KafkaReachable")?.message).toContain("nowhere:9092")
      const found = yield* kafka("nowhere:9092")
      yield* found.createTopic("orders", { partitions: 1 })
      yield* advance("45 minutes")
      const cured = yield* kubectl.status("hourly")
      expect(cured.phase).toBe("Completed")
      expect(condition(cured, "KafkaReachable")?.status).toBe("True")
    })
  )

  story(
    "for a missing Secret names Secret and key, and runs when it is there",
    Effect.gen(function* () {
      const { advance, kubectl, secrets, start } = yield* world
      yield* start()
      yield* kubectl.apply(
        backupOf("once", {
          storage: {
            storageType: "s3",
            s3: { bucket: "backups", region: "eu-central-1", credentialsSecret: { name: "s3-credentials" } }
          }
        })
      )
      yield* advance("65 minutes")
      const failed = yield* kubectl.status("once")
      expect(failed.backupHistory).toMatchObject([{ outcome: "failed", reason: "SecretUnusable" }])
      expect(condition(failed, "Ready")?.message).toContain("s3-credentials")
      yield* secrets.put("s3-credentials", { accessKey: "a", secretKey: "b" })
      yield* kubectl.trigger("once", "again")
      yield* advance("2 minutes")
      expect((yield* kubectl.status("once")).phase).toBe("Completed")
    })
  )

  story(
    "does not come while a one-time backup waits for its Secret, and the wait is in conditions and an Event",
    Effect.gen(function* () {
      const { advance, kubectl, secrets, start } = yield* world
      yield* start()
      const storage = {
        storageType: "s3",
        s3: { bucket: "backups", region: "eu-central-1", credentialsSecret: { name: "s3-credentials" } }
      } as const
      yield* kubectl.apply(backupOf("once", { storage }))
      yield* advance("20 minutes")
      const waiting = yield* kubectl.status("once")
      expect(waiting.phase).toBe("Running")
      for (const type of ["Ready", "Progressing"]) {
        expect(condition(waiting, type)).toMatchObject({ reason: "PodTrouble" })
        expect(condition(waiting, type)?.message).toContain("Secret s3-credentials, key accessKey: missing or unusable")
      }
      expect(waiting.progress?.message).toMatch(/^waiting for a Secret: /)
      yield* secrets.put("s3-credentials", { accessKey: "a" })
      yield* advance("5 minutes")
      expect(condition(yield* kubectl.status("once"), "Ready")?.message).toContain("key secretKey")
      const events = (yield* kubectl.events).filter(({ reason }) => reason === "PodTrouble")
      expect(events).toHaveLength(1)
      yield* secrets.put("s3-credentials", { accessKey: "a", secretKey: "b" })
      yield* advance("3 minutes")
      const completed = yield* kubectl.status("once")
      expect(completed.phase).toBe("Completed")
      expect(completed.backupHistory).toMatchObject([{ outcome: "success" }])
      expect(condition(completed, "Ready")).toMatchObject({ status: "True", reason: "BackupCompleted" })
    })
  )

  story(
    "does not come when the name of a key is corrected while a one-time backup waits for it",
    Effect.gen(function* () {
      const { advance, kubectl, secrets, start } = yield* world
      yield* start()
      yield* secrets.put("s3-credentials", { accessKey: "a", secretKey: "b" })
      const storage = (accessKeyKey: string) => ({
        storageType: "s3",
        s3: { bucket: "backups", region: "eu-central-1", credentialsSecret: { name: "s3-credentials", accessKeyKey } }
      })
      yield* kubectl.apply(backupOf("once", { storage: storage("acessKey") }))
      yield* advance("10 minutes")
      expect(condition(yield* kubectl.status("once"), "Ready")?.message).toContain("key acessKey")
      yield* kubectl.patch("once", { spec: { storage: storage("accessKey") } })
      yield* advance("5 minutes")
      const completed = yield* kubectl.status("once")
      expect(completed.phase).toBe("Completed")
      expect(completed.backupHistory).toMatchObject([{ outcome: "success" }])
    })
  )

  story(
    "for a missing Secret comes at once where a schedule tries again",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(
        hourly("hourly", {
          storage: {
            storageType: "s3",
            s3: { bucket: "backups", region: "eu-central-1", credentialsSecret: { name: "s3-credentials" } }
          }
        })
      )
      yield* advance("12 minutes")
      expect((yield* kubectl.status("hourly")).backupHistory).toMatchObject([{ reason: "SecretUnusable" }])
    })
  )

  story(
    "because storage refuses turns StorageReachable False, and a success turns it back",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* backups.disturb({
        _tag: "Fail",
        operation: "put",
        reason: new StorageAuthorizationFailed({ detail: "s3:PutObject is denied", advice: "allow it" }),
        times: Infinity
      })
      yield* advance("15 minutes")
      const failed = yield* kubectl.status("hourly")
      expect(condition(failed, "StorageReachable")).toMatchObject({ status: "False" })
      expect(condition(failed, "StorageReachable")?.message).toContain("PutObject")
      yield* backups.calm
      yield* advance("1 hour")
      expect(condition(yield* kubectl.status("hourly"), "StorageReachable")?.status).toBe("True")
    })
  )

  story(
    "at its deadline says how to give it more time",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(
        backupOf("once", {
          rateLimit: { recordsPerSecond: 1 },
          incremental: { enabled: false },
          job: { activeDeadlineSeconds: 30 }
        })
      )
      yield* advance("5 minutes")
      const status = yield* kubectl.status("once")
      expect(status.backupHistory?.[0]).toMatchObject({ outcome: "failed", reason: "DeadlineExceeded" })
      expect(condition(status, "Ready")?.message).toContain("activeDeadlineSeconds")
    })
  )
})
