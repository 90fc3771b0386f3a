import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { Forbidden, NotFound, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import { hourly, metric, outcomes, setsIn, story, world } from "./world.ts"

describe("a cluster in trouble", () => {
  story(
    "without an API server for ten minutes is not asked often, and nothing is lost",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 10 }, incremental: { enabled: false } }))
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
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 2 }, incremental: { enabled: false } }))
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
    "that lets the operator write no Events is backed up all the same",
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
      expect(metric(yield* replica.metrics, "events_dropped_total", 'reason="denied"')).toBe(3)
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
