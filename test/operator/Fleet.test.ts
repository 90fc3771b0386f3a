import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { Forbidden, NotFound, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import { hourly, metric, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

const isActive = ({ status }: { readonly status?: { readonly conditions?: ReadonlyArray<unknown> } }) =>
  (status?.conditions ?? []).length === 0

describe("many resources that are due at once", () => {
  story(
    "run within the global budget, in a fair order, and all of them do",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const replica = yield* start({ settings: { maxConcurrentRuns: 3 } })
      const names = Array.from({ length: 20 }, (_, n) => `b${String(n).padStart(2, "0")}`)
      for (const name of names) {
        yield* kubectl.apply(
          hourly(name, {
            rateLimit: { recordsPerSecond: 10 },
            storage: { storageType: "s3", s3: { bucket: "backups", region: "eu-central-1", prefix: name } }
          })
        )
      }
      yield* advance("10 minutes")
      let most = 0
      let queued = 0
      for (let second = 0; second < 150; second += 2) {
        most = Math.max(most, runsAmong(yield* kubectl.jobs).filter(isActive).length)
        queued = Math.max(queued, metric(yield* replica.metrics, "queued_runs") ?? 0)
        yield* advance("2 seconds")
      }
      expect(most).toBe(3)
      expect(queued).toBe(17)
      const started = runsAmong(yield* kubectl.jobs).map(({ metadata }) => metadata.annotations?.["kafka.oso.sh/kafkabackup"])
      expect(started).toHaveLength(20)
      // All became due at one instant: by name.
      expect(started.slice(3)).toEqual(started.slice(3).toSorted())
      for (const name of names) expect(outcomes(yield* kubectl.status(name))).toEqual(["success"])
    })
  )
})

describe("an operator whose resources need nothing", () => {
  story(
    "writes nothing and reads nothing for hours",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("suspended", { suspend: true, retention: { backups: 2 }, deletionPolicy: "Delete" }))
      yield* kubectl.trigger("suspended", "once")
      yield* kubectl.apply(hourly("daily", { schedule: "0 0 * * *" }))
      yield* advance("5 minutes")
      expect(outcomes(yield* kubectl.status("suspended"))).toEqual(["success"])
      yield* kubernetes.forgetCalls
      yield* advance("3 hours")
      expect(yield* kubernetes.calls).toEqual([])
    })
  )

  story(
    "makes few requests for a run, and none that grows with time while it lasts",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("9 minutes")
      yield* kubernetes.forgetCalls
      yield* advance("10 minutes")
      const verbs = (yield* kubernetes.calls).map(({ kind, subresource = "", verb }) => `${verb} ${kind}${subresource}`)
      expect(verbs.toSorted()).toEqual([
        "apply kafkabackupsstatus",
        "apply kafkabackupsstatus",
        "create events",
        "create events",
        "create jobs",
        "patch jobs"
      ])
    })
  )
})

describe("an operator that watches some namespaces", () => {
  story(
    "backs up what is in them, and nothing else",
    Effect.gen(function* () {
      const { advance, kubectl, start, store } = yield* world
      yield* start({ settings: { watchNamespaces: ["kafka-backup", "team-a"] } })
      const inBucket = (bucket: string) =>
        hourly("hourly", { storage: { storageType: "s3", s3: { bucket, region: "eu-central-1" } } })
      yield* kubectl.apply(inBucket("one"))
      yield* kubectl.in("team-a").apply(inBucket("two"))
      yield* kubectl.in("team-b").apply(inBucket("three"))
      yield* advance("15 minutes")
      expect(setsIn(yield* (yield* store("s3:one")).keys)).toHaveLength(1)
      expect(setsIn(yield* (yield* store("s3:two")).keys)).toHaveLength(1)
      expect(yield* (yield* store("s3:three")).keys).toEqual([])
      expect(yield* kubectl.in("team-b").status("hourly")).toEqual({})
    })
  )
})

describe("two replicas", () => {
  const elected = Effect.gen(function* () {
    const all = yield* world
    const one = yield* all.start({ name: "one", elect: true })
    const two = yield* all.start({ name: "two", elect: true })
    yield* all.advance("10 seconds")
    return { ...all, one, two }
  })

  story(
    "that elect have one leader, and only that one works",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, one, two } = yield* elected
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("15 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
      const busy = new Set((yield* kubernetes.calls).filter(({ kind }) => kind !== "leases").map(({ client }) => client))
      expect([...busy]).toEqual(["one"])
      expect(metric(yield* one.metrics, "leader ")).toBe(1)
      expect(metric(yield* two.metrics, "leader ")).toBe(0)
    })
  )

  story(
    "that elect hand over at once when the leader is stopped in order",
    Effect.gen(function* () {
      const { advance, backups, kubectl, one, two } = yield* elected
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("9 minutes")
      yield* one.stop
      yield* advance("5 seconds")
      expect(metric(yield* two.metrics, "leader ")).toBe(1)
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
    })
  )

  story(
    "that elect have a new leader within twenty seconds when the old one dies",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, one, two } = yield* elected
      yield* kubectl.apply(hourly("hourly"))
      yield* kubernetes.disturb({
        _tag: "Crash",
        moment: "before",
        kill: one.stop,
        when: ({ client, kind, verb }) => client === "one" && kind === "jobs" && verb === "create"
      })
      yield* advance("590 seconds") // 12:00:00
      expect(yield* kubectl.jobs).toEqual([])
      yield* advance("20 seconds")
      expect(metric(yield* two.metrics, "leader ")).toBe(1)
      yield* advance("2 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )

  story(
    "that elect go on when the leader loses its lease, and the one that lost it leads again later without a restart",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, one, two } = yield* elected
      yield* kubectl.apply(hourly("hourly"))
      // The leader alone is cut off.
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Unavailable({ detail: "connection refused" }),
        when: ({ client }) => client === "one",
        times: Infinity
      })
      yield* advance("30 seconds")
      expect(metric(yield* two.metrics, "leader ")).toBe(1)
      expect(metric(yield* one.metrics, "leader ")).toBe(0)
      yield* kubernetes.calm
      yield* advance("10 seconds")
      yield* two.stop
      yield* advance("10 seconds")
      expect(metric(yield* one.metrics, "leader ")).toBe(1)
      yield* advance("15 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )

  story(
    "that both believe to lead make one Job for each slot and trigger, and one history",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start({ name: "one" })
      yield* start({ name: "two" })
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("11 minutes")
      yield* kubectl.trigger("hourly", "now")
      yield* advance("1 hour")
      expect(runsAmong(yield* kubectl.jobs)).toHaveLength(3)
      expect(setsIn(yield* backups.keys)).toHaveLength(3)
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success", "success", "success"])
      expect(new Set(status.backupHistory?.map(({ jobName }) => jobName)).size).toBe(3)
      expect(status.skippedSlots).toBeUndefined()
    })
  )
})

describe("a cluster in trouble", () => {
  story(
    "without an API server for ten minutes is not asked often, and nothing is lost",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 10 } }))
      yield* advance("605 seconds") // A run is active.
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Unavailable({ detail: "connection refused" }),
        times: Infinity
      })
      yield* kubernetes.holdWatches()
      yield* kubernetes.forgetCalls
      yield* advance("10 minutes")
      expect((yield* kubernetes.calls).length).toBeLessThan(60)
      yield* kubernetes.calm
      yield* kubernetes.relistWatches()
      yield* kubernetes.releaseWatches()
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
      yield* advance("1 hour")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success", "success"])
    })
  )

  story(
    "without an API server when a slot comes runs it afterwards, inside its deadline",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("9 minutes")
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Unavailable({ detail: "connection refused" }),
        times: Infinity
      })
      yield* advance("10 minutes")
      yield* kubernetes.calm
      yield* advance("6 minutes")
      expect(setsIn(yield* backups.keys)).toEqual(["hourly-20261125-120000"])
      expect((yield* kubectl.status("hourly")).skippedSlots).toBeUndefined()
    })
  )

  story(
    "whose CRD is not installed at first is served as soon as it is",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* kubernetes.uninstall(Kind.kafkaBackups)
      yield* start()
      yield* advance("5 minutes")
      expect(yield* kubectl.jobs).toEqual([])
      yield* kubernetes.install(Kind.kafkaBackups)
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("10 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )

  story(
    "whose CRD goes while a run is active does not turn the operator over, and all is well when it is back",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 2 } }))
      yield* advance("610 seconds")
      yield* kubernetes.uninstall(Kind.kafkaBackups)
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new NotFound({ detail: "the server could not find the requested resource", isKindMissing: true }),
        when: ({ kind }) => kind === "kafkabackups",
        times: Infinity
      })
      yield* kubernetes.forgetCalls
      yield* advance("10 minutes")
      expect((yield* kubernetes.calls).length).toBeLessThan(60)
      yield* kubernetes.calm
      yield* kubernetes.install(Kind.kafkaBackups)
      yield* advance("10 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )

  story(
    "that lets nobody write Events is backed up all the same",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Forbidden({
          detail: 'events.events.k8s.io is forbidden: User cannot create resource "events"',
          isQuota: false,
          isNamespaceTerminating: false
        }),
        when: ({ kind }) => kind === "events",
        times: Infinity
      })
      const replica = yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("15 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
      expect(yield* kubectl.events).toEqual([])
      expect(metric(yield* replica.metrics, "events_dropped_total", 'reason="denied"')).toBe(2)
    })
  )

  story(
    "whose Events hang delays nothing by more than seconds",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* kubernetes.disturb({
        _tag: "Delay",
        duration: Infinity,
        when: ({ kind }) => kind === "events",
        times: Infinity
      })
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("11 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
    })
  )
})
