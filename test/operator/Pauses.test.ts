import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { StoreUnavailable } from "../../src/storage/ObjectStoreError.ts"
import type { Status } from "../../src/status/Status.ts"
import { condition, hourly, outcomes, story, world } from "./world.ts"

const unavailable = new StoreUnavailable({ detail: "no route to host" })

const brief = (status: Status, type: string) => {
  const found = condition(status, type)
  return `${found?.status} ${found?.reason}`
}

/** A run is active; storage answers nothing from then on. */
const withStoreAway = Effect.gen(function* () {
  const here = yield* world
  yield* here.start()
  yield* here.kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 5 }, incremental: { enabled: false } }))
  yield* here.advance("611 seconds")
  for (const operation of ["put", "get", "head", "list", "read", "delete"] as const) {
    yield* here.backups.disturb({ _tag: "Fail", operation, reason: unavailable, times: Infinity })
  }
  return here
})

describe("a run whose store does not answer", () => {
  story(
    "is reported within a minute, with the cause and since when, in an Event and in conditions that agree",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withStoreAway
      yield* advance("75 seconds")
      const status = yield* kubectl.status("hourly")
      expect(status.phase).toBe("Running")
      expect(["Ready", "Progressing", "StorageReachable"].map((type) => brief(status, type))).toEqual([
        "False BackupPaused",
        "True BackupPaused",
        "False StoreUnavailable"
      ])
      const since = status.progress?.outage?.sinceTime
      for (const type of ["Ready", "Progressing", "StorageReachable"]) {
        const message = condition(status, type)?.message
        expect(message).toContain("storage")
        expect(message).toContain("no route to host")
        expect(message).toContain(`since ${since}`)
      }
      expect(condition(status, "Ready")?.message).not.toContain("Next backup scheduled")
      expect((yield* kubectl.events).filter(({ reason }) => reason === "BackupPaused")).toHaveLength(1)
      yield* backups.calm
      yield* advance("5 minutes")
    })
  )

  story(
    "has one Event for the pause, however long, and one for its end",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withStoreAway
      yield* advance("7 minutes")
      const paused = yield* kubectl.status("hourly")
      expect(brief(paused, "Ready")).toBe("False BackupPaused")
      yield* backups.calm
      yield* advance("5 minutes")
      const events = (yield* kubectl.events).map(({ reason }) => reason)
      expect(events.filter((reason) => reason?.startsWith("BackupPaused"))).toEqual(["BackupPaused"])
      expect(events.filter((reason) => reason?.startsWith("BackupResumed"))).toEqual(["BackupResumed"])
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success"])
      expect(["Ready", "StorageReachable"].map((type) => brief(status, type))).toEqual([
        "True BackupScheduled",
        "True Reached"
      ])
    })
  )

  story(
    "stays reported while the Job tries again, and fails with the same cause",
    Effect.gen(function* () {
      const { advance, backups, kubectl } = yield* withStoreAway
      const seen = new Set<string>()
      for (let n = 0; n < 60; n++) {
        yield* advance("30 seconds")
        const status = yield* kubectl.status("hourly")
        if (n > 2) seen.add(`${condition(status, "Ready")?.status} ${brief(status, "StorageReachable")}`)
      }
      yield* backups.calm
      yield* advance("10 minutes")
      expect([...seen]).toEqual(["False False StoreUnavailable"])
    })
  )
})

describe("a run whose brokers do not answer", () => {
  story(
    "turns KafkaReachable False, and leaves StorageReachable alone",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* world
      yield* start()
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "fetch", times: Infinity })
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("12 minutes")
      const status = yield* kubectl.status("hourly")
      expect(["Ready", "KafkaReachable"].map((type) => brief(status, type))).toEqual([
        "False BackupPaused",
        "False BrokerUnreachable"
      ])
      expect(condition(status, "KafkaReachable")?.message).toContain("has not answered since 2026-11-25T12:00:")
      expect(brief(status, "StorageReachable")).not.toContain("False")
      yield* cluster.clearFaults
      yield* advance("10 minutes")
      const healed = yield* kubectl.status("hourly")
      expect([brief(healed, "KafkaReachable"), outcomes(healed)]).toEqual(["True Reached", ["success"]])
    })
  )
})
