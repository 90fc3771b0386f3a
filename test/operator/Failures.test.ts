import { describe, expect } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { Forbidden } from "../../src/kubernetes/KubernetesError.ts"
import { AccessRefused } from "../../src/storage/ObjectStoreError.ts"
import { backupOf, condition, hourly, metric, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

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
      expect(yield* kubectl.pods).toHaveLength(1)
      const [event] = (yield* kubectl.events).filter(({ reason }) => reason === "BackupFailed")
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
      yield* advance("5 minutes")
      const failed = yield* kubectl.status("once")
      expect(failed.backupHistory?.[0]).toMatchObject({ outcome: "failed", reason: "SecretUnusable" })
      expect(condition(failed, "Ready")?.message).toContain("s3-credentials")
      yield* secrets.put("s3-credentials", { accessKey: "a", secretKey: "b" })
      yield* kubectl.trigger("once", "again")
      yield* advance("2 minutes")
      expect((yield* kubectl.status("once")).phase).toBe("Completed")
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
        reason: new AccessRefused({ detail: "s3:PutObject is denied", advice: "allow it" }),
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
        backupOf("once", { rateLimit: { recordsPerSecond: 1 }, job: { activeDeadlineSeconds: 30 } })
      )
      yield* advance("5 minutes")
      const status = yield* kubectl.status("once")
      expect(status.backupHistory?.[0]).toMatchObject({ outcome: "failed", reason: "DeadlineExceeded" })
      expect(condition(status, "Ready")?.message).toContain("activeDeadlineSeconds")
    })
  )
})

describe("a spec that only the operator can judge", () => {
  for (const [what, spec, mentions] of [
    ["a date that never comes", { schedule: "0 0 31 2 *" }, "schedule"],
    ["a time zone that nobody knows", { schedule: "0 * * * *", timeZone: "Europe/Atlantis" }, "timeZone"]
  ] as const) {
    story(
      `with ${what} is told in a condition and one Event, starts nothing, and costs nothing while it stays so`,
      Effect.gen(function* () {
        const { advance, kubectl, kubernetes, start } = yield* world
        // As an API server does whose rules are older than the operator's.
        yield* kubernetes.admit(Kind.kafkaBackups, (object) => Result.succeed(object))
        yield* start()
        yield* kubectl.apply(hourly("odd", spec))
        yield* advance("5 minutes")
        const status = yield* kubectl.status("odd")
        expect(condition(status, "Ready")?.status).toBe("False")
        expect(["InvalidSpec", "InvalidSchedule"]).toContain(condition(status, "Ready")?.reason)
        expect(condition(status, "ScheduleValid")).toMatchObject({ status: "False", reason: "InvalidSchedule" })
        expect(condition(status, "ScheduleValid")?.message).toContain(mentions)
        expect(status.nextScheduledTime).toBeUndefined()
        expect(yield* kubectl.events).toHaveLength(1)

        yield* kubernetes.forgetCalls
        yield* advance("2 hours")
        expect(yield* kubernetes.calls).toEqual([])
        expect(yield* kubectl.jobs).toEqual([])

        yield* kubectl.patch("odd", { spec: { schedule: "0 * * * *", timeZone: null } })
        yield* advance("10 minutes")
        expect(outcomes(yield* kubectl.status("odd"))).toEqual(["success"])
        expect((yield* kubectl.status("odd")).skippedSlots).toBeUndefined()
        expect(condition(yield* kubectl.status("odd"), "Ready")?.status).toBe("True")
      })
    )
  }

  story(
    "that is no KafkaBackup at all stops nobody else's backups",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* kubernetes.admit(Kind.kafkaBackups, (object) => Result.succeed(object))
      yield* start()
      yield* kubectl.apply({ ...backupOf("broken"), spec: { topics: "orders", kafkaCluster: 3 } })
      yield* kubectl.apply({ ...backupOf("empty"), spec: null })
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("15 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
      for (const name of ["broken", "empty"]) {
        expect(condition(yield* kubectl.status(name), "Ready")).toMatchObject({
          status: "False",
          reason: "InvalidSpec"
        })
      }
    })
  )
})

describe("a Job that cannot be made", () => {
  story(
    "because another one has its name leaves that alone, and the run starts when it is gone",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      const first = yield* start()
      yield* kubectl.apply(hourly("hourly", { startingDeadlineSeconds: 3600 }))
      yield* advance("15 minutes")
      const [own] = yield* kubectl.jobs
      yield* first.stop
      // A stranger takes the place of the Job of the slot to come: it is told by what we would create.
      yield* kubernetes.disturb({
        _tag: "Run",
        moment: "before",
        when: ({ kind, verb }) => kind === "jobs" && verb === "create",
        effect: Effect.gen(function* () {
          const create = (yield* kubernetes.calls).findLast(({ kind, verb }) => kind === "jobs" && verb === "create")
          yield* Effect.orDie(
            kubernetes.behind.create(Kind.jobs, {
              apiVersion: "batch/v1",
              kind: "Job",
              metadata: { name: create?.name ?? "", namespace: "kafka-backup" },
              spec: {
                suspend: true,
                template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } }
              }
            })
          )
        })
      })
      yield* start()
      yield* advance("1 hour")
      const status = yield* kubectl.status("hourly")
      expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "JobRefused" })
      expect((yield* kubectl.events).filter(({ reason }) => reason === "JobRefused")).toHaveLength(1)
      const stranger = (yield* kubectl.jobs).find(({ metadata }) => metadata.name !== own?.metadata.name)
      expect(stranger?.metadata.labels).toBeUndefined()
      yield* kubernetes.behind.remove(Kind.jobs, stranger!.metadata)
      yield* advance("5 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success", "success"])
    })
  )

  story(
    "for want of quota says so in the server's words, and the run starts when there is room",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      const detail = "exceeded quota: jobs, requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: 5"
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Forbidden({ detail, isQuota: true, isNamespaceTerminating: false }),
        when: ({ kind, verb }) => kind === "jobs" && verb === "create",
        times: Infinity
      })
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("15 minutes")
      const refused = yield* kubectl.status("hourly")
      expect(condition(refused, "Ready")).toMatchObject({ status: "False", reason: "JobRefused" })
      expect(condition(refused, "Ready")?.message).toContain("used: count/jobs.batch=5")
      expect(refused.lastScheduledTime).toBeUndefined()
      expect((yield* kubectl.events).filter(({ reason }) => reason === "JobRefused")).toHaveLength(1)
      const attempts = (yield* kubernetes.calls).filter(({ kind, verb }) => kind === "jobs" && verb === "create")
      expect(attempts.length).toBeLessThanOrEqual(7)
      yield* kubernetes.calm
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      expect(condition(yield* kubectl.status("hourly"), "Ready")?.status).toBe("True")
    })
  )

  story(
    "because an admission rule refuses it keeps the trigger's run for later",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      const detail = 'admission webhook "policy.example.org" denied the request: image registry is not allowed'
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Forbidden({ detail, isQuota: false, isNamespaceTerminating: false }),
        when: ({ kind, verb }) => kind === "jobs" && verb === "create",
        times: Infinity
      })
      yield* start()
      yield* kubectl.apply(hourly("hourly", { suspend: true }))
      yield* kubectl.trigger("hourly", "now")
      yield* advance("5 minutes")
      const refused = yield* kubectl.status("hourly")
      expect(condition(refused, "Ready")?.message).toContain("image registry is not allowed")
      expect(refused.handledTrigger).toBeUndefined()
      expect(refused.pendingTrigger?.token).toBe("now")
      yield* kubernetes.calm
      yield* advance("2 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.handledTrigger).toBe("now")
      // Named after the moment in which it was asked for.
      expect(status.lastBackupId).toBe("hourly-20261125-115000")
      expect(runsAmong(yield* kubectl.jobs)).toHaveLength(1)
    })
  )
})
