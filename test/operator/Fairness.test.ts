import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { pods } from "../../src/testing/Faults.ts"
import { backupOf, condition, hourly, metric, outcomes, runsAmong, story, world } from "./world.ts"

const on = (prefix: string) => ({
  storage: { storageType: "s3", s3: { bucket: "backups", region: "eu-central-1", prefix } }
})

const stuckIn = (namespace: string) => (pod: { readonly metadata: { readonly namespace?: string | undefined } }) =>
  pod.metadata.namespace === namespace ? pods.unschedulable() : undefined

describe("runs whose container has not started", () => {
  story(
    "of one namespace, as many as may be active, hold another namespace up for a minute at most",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      const replica = yield* start()
      yield* kubernetes.node.trouble(stuckIn("team-a"))
      for (let n = 0; n < 10; n++) yield* kubectl.in("team-a").apply(backupOf(`stuck-${n}`, on(`a${n}`)))
      yield* advance("5 seconds")
      yield* kubectl.in("team-b").apply(backupOf("once", on("b")))
      yield* advance("10 seconds")
      const queued = yield* kubectl.in("team-b").status("once")
      expect(condition(queued, "Progressing")?.reason).toBe("Queued")
      expect(condition(queued, "Ready")?.message).toContain("It is first in the queue")
      expect(metric(yield* replica.metrics, "queued_since_timestamp_seconds", 'resource_namespace="team-b"')).toBe(
        Date.parse("2026-11-25T11:50:05Z") / 1000
      )
      yield* advance("90 seconds")
      expect(outcomes(yield* kubectl.in("team-b").status("once"))).toEqual(["success"])
      const text = yield* replica.metrics
      expect(metric(text, "queued_since_timestamp_seconds", 'resource_namespace="team-b"')).toBeUndefined()
      expect(metric(text, "starting_runs")).toBe(10)
      expect(metric(text, "active_runs")).toBe(10)
    })
  )

  story(
    "are started in groups of as many as may be active, however many are due",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start({ settings: { maxConcurrentRuns: 3 } })
      yield* kubernetes.node.trouble(stuckIn("kafka-backup"))
      for (let n = 0; n < 12; n++) yield* kubectl.apply(hourly(`h${n}`, on(`h${n}`)))
      yield* advance("10 minutes")
      const made: Array<number> = []
      for (let minute = 0; minute < 5; minute++) {
        yield* advance("50 seconds")
        made.push(runsAmong(yield* kubectl.jobs).length)
        yield* advance("10 seconds")
      }
      expect(made).toEqual([3, 6, 9, 12, 12])
    })
  )

  story(
    "count again once their container has started",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start({ settings: { maxConcurrentRuns: 1 } })
      yield* kubernetes.node.trouble(stuckIn("kafka-backup"))
      yield* kubectl.apply(
        backupOf("slow", { ...on("slow"), rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } })
      )
      yield* advance("5 minutes")
      yield* kubernetes.node.trouble()
      yield* advance("10 seconds")
      yield* kubectl.apply(backupOf("later", on("later")))
      yield* advance("30 seconds")
      expect(condition(yield* kubectl.status("later"), "Progressing")?.reason).toBe("Queued")
      yield* advance("5 minutes")
      expect(outcomes(yield* kubectl.status("later"))).toEqual(["success"])
    })
  )
})

describe("namespaces that share the operator", () => {
  story(
    "take turns: one with few runs does not wait for the many of another",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start({ settings: { maxConcurrentRuns: 2 } })
      const slow = { rateLimit: { recordsPerSecond: 2 }, incremental: { enabled: false } }
      for (let n = 0; n < 12; n++) yield* kubectl.in("a-many").apply(hourly(`m${n}`, { ...on(`m${n}`), ...slow }))
      yield* kubectl.in("z-few").apply(hourly("zz", { ...on("zz"), ...slow }))
      yield* advance("10 minutes")
      // The runs of one slot take about a minute each: two at once, twelve of them take six.
      yield* advance("150 seconds")
      expect(outcomes(yield* kubectl.in("z-few").status("zz"))).toEqual(["success"])
      const left = yield* Effect.forEach(Array.from({ length: 12 }), (_, n) => kubectl.in("a-many").status(`m${n}`))
      expect(left.filter((status) => outcomes(status).length === 0).length).toBeGreaterThanOrEqual(6)
      yield* advance("10 minutes")
      for (let n = 0; n < 12; n++) expect(outcomes(yield* kubectl.in("a-many").status(`m${n}`))).toEqual(["success"])
    })
  )
})
