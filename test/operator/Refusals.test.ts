import { describe, expect } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { Forbidden } from "../../src/kubernetes/KubernetesError.ts"
import { backupOf, condition, hourly, metric, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

describe("a spec that only the operator can judge", () => {
  for (const [what, spec, mentions] of [
    ["a date that never comes", { schedule: "0 0 31 2 *" }, "schedule"],
    ["an unknown time zone", { schedule: "0 * * * *", timeZone: "Europe/Atlantis" }, "timeZone"]
  ] as const) {
    story(
      `with ${what} is reported in a condition and one Event, starts nothing, and costs nothing while it stays so`,
      Effect.gen(function* () {
        const { advance, kubectl, kubernetes, start } = yield* world
        // As an API server does whose rules are older than the operator's.
        yield* kubernetes.admit(Kind.kafkaBackups, (object) => Result.succeed(object))
        const replica = yield* start()
        yield* kubectl.apply(hourly("odd", spec))
        yield* advance("5 minutes")
        const status = yield* kubectl.status("odd")
        expect(condition(status, "Ready")?.status).toBe("False")
        expect(["InvalidSpec", "InvalidSchedule"]).toContain(condition(status, "Ready")?.reason)
        expect(condition(status, "ScheduleValid")).toMatchObject({ status: "False", reason: "InvalidSchedule" })
        expect(condition(status, "ScheduleValid")?.message).toContain(mentions)
        expect(status.nextScheduledTime).toBeUndefined()
        expect(yield* kubectl.events).toHaveLength(1)
        expect(metric(yield* replica.metrics, "reconciles_total", 'result="user_must_act"')).toBeGreaterThan(0)

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
    "that is no KafkaBackup at all stops no other resource's backups",
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
      const [own] = runsAmong(yield* kubectl.jobs)
      yield* first.stop
      // A foreign object takes the name of the next slot's Job, which the operator would create.
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
      // The run's Job since its slot, and the check's from the beginning: each once a minute at most.
      expect(attempts.length).toBeLessThanOrEqual(7 + 15)
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
