import { describe, expect } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import { backupOf, condition, hourly, purposeOf, story, world } from "../world.ts"

const names = Array.from({ length: 8 }, (_, n) => `shop-${n}`)

/** What an operator without checks wrote about a resource with one backup, an hour ago. */
const earlier = (ready: object) => ({
  observedGeneration: 1,
  phase: "Completed",
  lastBackupId: "shop-20261125-105000",
  lastBackupTime: "2026-11-25T10:50:00Z",
  lastBackupCompletionTime: "2026-11-25T10:51:00Z",
  observedSchedule: "0 0 * * 0 in UTC",
  scheduledSince: "2026-11-01T00:00:00Z",
  conditions: [{ type: "Ready", message: "m", lastTransitionTime: "2026-11-01T00:00:00Z", ...ready }]
})

describe("many KafkaBackups after an upgrade of the operator", () => {
  story(
    "stay Ready where they have a backup, and are checked a few at a time, spread over hours",
    Effect.scoped(
      Effect.gen(function* () {
        const { advance, kubectl, kubernetes, start } = yield* world
        const checks = new Map<string, number>()
        let most = 0
        yield* kubernetes.behind.watch(Kind.jobs, {}).pipe(
          Stream.runForEach((delta) =>
            Effect.gen(function* () {
              const { items } = yield* kubernetes.behind.list(Kind.jobs, {})
              const active = items.filter(
                (job) => purposeOf(job) === "check" && job.status?.completionTime === undefined
              )
              most = Math.max(most, active.length)
              const objects = delta._tag === "Snapshot" ? delta.items : [delta.object]
              for (const job of objects) {
                if (purposeOf(job) === "check")
                  checks.set(job.metadata.name, Date.parse(job.metadata.creationTimestamp!))
              }
            })
          ),
          Effect.forkScoped({ startImmediately: true })
        )
        for (const name of names) {
          yield* kubectl.apply(backupOf(name, { schedule: "0 0 * * 0" }))
          const status = earlier({ status: "True", reason: "BackupScheduled" })
          yield* kubernetes.behind.patch(Kind.kafkaBackups, { namespace: "kafka-backup", name }, { status }, "status")
        }
        yield* start()
        yield* advance("1 minute")
        for (const name of names) {
          expect(condition(yield* kubectl.status(name), "Ready")).toMatchObject({
            status: "True",
            lastTransitionTime: "2026-11-01T00:00:00Z"
          })
        }
        expect(checks.size).toBeLessThanOrEqual(2)
        yield* advance("6 hours")
        expect(checks.size).toBeGreaterThanOrEqual(names.length)
        expect(most).toBeLessThanOrEqual(5)
        const times = [...checks.values()].toSorted((a, b) => a - b)
        expect(times.at(-1)! - times[0]!).toBeGreaterThan(3_600_000)
      })
    )
  )

  story(
    "that are new are checked five at a time, and runs that are due do not wait for them",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* kubernetes.node.trouble((pod) =>
        purposeOf(pod) === "check" ? { _tag: "Unschedulable", message: "no node" } : undefined
      )
      for (const name of names) yield* kubectl.apply(hourly(name))
      yield* advance("9 minutes")
      yield* start({ settings: { maxConcurrentRuns: 20 } })
      yield* advance("10 seconds")
      const checks = (yield* kubectl.jobs).filter((job) => purposeOf(job) === "check")
      expect(checks).toHaveLength(5)
      const reasons = yield* Effect.forEach(names, (name) =>
        Effect.map(kubectl.status(name), (status) => condition(status, "Ready"))
      )
      expect(reasons.filter((ready) => ready?.message.includes("at most 5 at the same time"))).toHaveLength(3)
      // The slot at 12:00.
      yield* advance("80 seconds")
      for (const name of names) {
        const status = yield* kubectl.status(name)
        expect(status.lastBackupId).toBe(`${name}-20261125-120000`)
        expect(condition(status, "Ready")?.status).toBe("True")
      }
    })
  )
})
