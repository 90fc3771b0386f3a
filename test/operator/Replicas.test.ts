import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { Forbidden, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import type { Call } from "../../src/kubernetes/memory/Faults.ts"
import type { KubeObject } from "../../src/kubernetes/Objects.ts"
import { hourly, metric, outcomes, purposeOf, runsAmong, setsIn, story, world } from "./world.ts"

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
      const busy = new Set(
        (yield* kubernetes.calls).filter(({ kind }) => kind !== "leases").map(({ client }) => client)
      )
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
        when: ({ body, client, kind, verb }) =>
          client === "one" && kind === "jobs" && verb === "create" && purposeOf(body as KubeObject) === "run"
      })
      yield* advance("590 seconds") // 12:00:00
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
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
      const lost = yield* one.metrics
      expect(metric(lost, "leader ")).toBe(0)
      expect(lost).not.toContain('name="hourly"')
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

describe("a former leader", () => {
  story(
    "whose write of a status arrives late does not undo what its successor has published",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, kubernetes, start } = yield* world
      yield* start({ name: "former" })
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("9 minutes")
      yield* cluster.deleteTopic("orders")
      // Its word that a run is active is on its way for a minute, and it hears of nothing meanwhile.
      const isWord = ({ client, subresource, verb }: Call) =>
        client === "former" && verb === "apply" && subresource === "status"
      yield* kubernetes.disturb({
        _tag: "Delay",
        duration: "1 minute",
        when: isWord
      })
      yield* advance("1 minute")
      yield* start({ name: "successor" })
      yield* advance("30 seconds")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["failed"])
      yield* advance("5 minutes")
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["failed"])
      expect(status.phase).toBe("Failed")
      expect((yield* kubectl.events).filter(({ reason }) => reason === "BackupFailed")).toHaveLength(1)
    })
  )

  story(
    "of two operators with one Lease are not both well: the one that would never work says so",
    Effect.gen(function* () {
      const { advance, start } = yield* world
      const one = yield* start({ name: "team-a", elect: true, settings: { watchNamespaces: ["kafka-backup"] } })
      yield* advance("10 seconds")
      const two = yield* start({ name: "team-b", elect: true, settings: { watchNamespaces: ["billing"] } })
      yield* advance("10 seconds")
      expect(yield* one.ready).toEqual({ isWell: true, text: "leading" })
      const { isWell, text } = yield* two.ready
      expect(isWell).toBe(false)
      expect(text).toMatch(/^nobody works for namespace billing: team-a .* watches namespace kafka-backup;/u)
      yield* one.stop
      yield* advance("20 seconds")
      expect(yield* two.ready).toEqual({ isWell: true, text: "leading" })
    })
  )

  story(
    "that may not read the Lease are not ready, and do not say that another one leads",
    Effect.gen(function* () {
      const { advance, kubernetes, start } = yield* world
      yield* kubernetes.disturb({
        _tag: "Fail",
        reason: new Forbidden({
          detail: 'leases "kafka-backup-operator" is forbidden',
          isNamespaceTerminating: false,
          isQuota: false
        }),
        when: ({ kind }) => kind === "leases",
        times: Infinity
      })
      const one = yield* start({ name: "one", elect: true })
      yield* advance("1 minute")
      const { isWell, text } = yield* one.ready
      expect(isWell).toBe(false)
      expect(text).toContain('leases "kafka-backup-operator" is forbidden')
      yield* kubernetes.calm
      yield* advance("10 seconds")
      expect(yield* one.ready).toEqual({ isWell: true, text: "leading" })
    })
  )
})
