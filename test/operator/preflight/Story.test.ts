import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { checkAnnotation, triggerAnnotation } from "../../../src/resource/KafkaBackup.ts"
import type { Job } from "../../../src/kubernetes/Objects.ts"
import { pods } from "../../../src/testing/Faults.ts"
import { backupOf, condition, hourly, metric, outcomes, purposeOf, runsAmong, setsIn, story, world } from "../world.ts"

const checksAmong = (jobs: ReadonlyArray<Job>) => jobs.filter((job) => purposeOf(job) === "check")
const weekly = (name: string, spec: Readonly<Record<string, unknown>> = {}) =>
  backupOf(name, { schedule: "0 0 * * 0", ...spec })

describe("a KafkaBackup that is scheduled", () => {
  story(
    "is Ready once a check of its spec passed, within a minute, and says before that it is being checked",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      const replica = yield* start()
      yield* kubectl.apply(weekly("shop"))
      yield* advance("1 minute")
      const status = yield* kubectl.status("shop")
      expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "BackupScheduled" })
      expect(condition(status, "KafkaReachable")).toMatchObject({ status: "True", reason: "Reached" })
      expect(condition(status, "StorageReachable")).toMatchObject({ status: "True", reason: "Reached" })
      expect(status.preflight).toMatchObject({ generation: 1, outcome: "Passed", kafka: { reached: true } })
      expect(status.preflight?.storage?.lastProbeTime).toBe(status.preflight?.lastProbeTime)
      expect(checksAmong(yield* kubectl.jobs)).toHaveLength(1)
      // Nothing of the check stays in storage, and no backup was made.
      expect(setsIn(yield* backups.keys)).toEqual([])
      expect(metric(yield* replica.metrics, "ready", 'name="shop"')).toBe(1)
      const reasons = (yield* kubectl.events).map(({ reason }) => reason)
      expect(reasons).toEqual(["CheckPassed"])
    })
  )

  story(
    "says which check failed and what to do, repeats it with growing waits, and is Ready when the cause is gone",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* world
      const replica = yield* start()
      yield* kubectl.apply(weekly("shop", { topics: ["orders", "payments"] }))
      yield* advance("1 minute")
      const bad = yield* kubectl.status("shop")
      expect(condition(bad, "Ready")).toMatchObject({ status: "False", reason: "CheckFailed" })
      expect(condition(bad, "Ready")?.message).toMatch(/TopicMissing.*payments/u)
      // The cluster itself was reached.
      expect(condition(bad, "KafkaReachable")).toMatchObject({ status: "True" })
      expect(condition(bad, "StorageReachable")).toMatchObject({ status: "True" })
      expect(bad.preflight).toMatchObject({ outcome: "Failed", reason: "TopicMissing", failures: 1 })
      expect(metric(yield* replica.metrics, "ready", 'name="shop"')).toBe(0)
      // After 5, 10, 20, 40 and then 60 minutes each.
      yield* advance("80 minutes")
      expect((yield* kubectl.status("shop")).preflight?.failures).toBe(5)
      yield* advance("3 hours")
      expect((yield* kubectl.status("shop")).preflight?.failures).toBe(8)
      yield* cluster.createTopic("payments", { partitions: 1 })
      yield* advance("1 hour")
      const good = yield* kubectl.status("shop")
      expect(condition(good, "Ready")).toMatchObject({ status: "True", reason: "BackupScheduled" })
      expect(good.preflight?.failures).toBeUndefined()
      const reasons = (yield* kubectl.events).map(({ reason }) => reason)
      expect(reasons).toEqual(["CheckFailed", "CheckPassed"])
    })
  )

  story(
    "is checked again after each edit: Ready is about the spec as it is now",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(weekly("shop"))
      yield* advance("1 minute")
      yield* kubectl.patch("shop", { spec: { topics: ["nowhere"] } })
      yield* advance("1 minute")
      const bad = yield* kubectl.status("shop")
      expect(condition(bad, "Ready")).toMatchObject({ status: "False", reason: "CheckFailed", observedGeneration: 2 })
      yield* kubectl.patch("shop", { spec: { topics: ["orders"] } })
      yield* advance("1 minute")
      const good = yield* kubectl.status("shop")
      expect(condition(good, "Ready")).toMatchObject({ status: "True", observedGeneration: 3 })
      expect(good.preflight).toMatchObject({ generation: 3, outcome: "Passed" })
      expect(checksAmong(yield* kubectl.jobs)).toHaveLength(3)
    })
  )

  story(
    "that is edited while its check cannot start is checked as it is now, at once",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => ({ _tag: "Waiting", reason: "ImagePullBackOff", message: "no such image" }))
      yield* kubectl.apply(weekly("shop"))
      yield* advance("45 seconds")
      expect(condition(yield* kubectl.status("shop"), "Ready")).toMatchObject({ status: "Unknown", reason: "Checking" })
      yield* kubernetes.node.trouble()
      yield* kubectl.patch("shop", { spec: { compressionLevel: 5 } })
      yield* advance("15 seconds")
      const status = yield* kubectl.status("shop")
      expect(status.preflight).toMatchObject({ generation: 2, outcome: "Passed" })
      expect(condition(status, "Ready")).toMatchObject({ status: "True" })
    })
  )

  story(
    "starts a run that is due while its check runs, and the run is the proof",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* advance("9 minutes")
      yield* kubernetes.node.trouble((pod) =>
        purposeOf(pod) === "check" ? { _tag: "Unschedulable", message: "no node" } : undefined
      )
      yield* kubectl.apply(hourly("shop"))
      yield* advance("61 seconds")
      expect(setsIn(yield* backups.keys)).toEqual(["shop-20261125-120000"])
      const status = yield* kubectl.status("shop")
      expect(outcomes(status)).toEqual(["success"])
      expect(condition(status, "Ready")).toMatchObject({ status: "True" })
      expect(status.preflight).toMatchObject({ generation: 1, outcome: "Passed", by: "shop-20261125-120000" })
      // The check ends without an answer at its deadline, and that is no news.
      yield* advance("5 minutes")
      expect(condition(yield* kubectl.status("shop"), "Ready")).toMatchObject({ status: "True" })
    })
  )

  story(
    "is checked again when no run succeeded for six hours, and not while runs do",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(weekly("rare"))
      yield* kubectl.apply(hourly("often"))
      yield* advance("1 minute")
      const first = (yield* kubectl.status("rare")).preflight?.by
      yield* advance("6 hours")
      const rare = yield* kubectl.status("rare")
      expect(rare.preflight?.by).not.toBe(first)
      expect(rare.preflight).toMatchObject({ outcome: "Passed" })
      const often = yield* kubectl.status("often")
      expect(often.preflight?.by).toBe(often.lastBackupId)
      expect((yield* kubectl.events).filter(({ reason }) => reason === "CheckPassed")).toHaveLength(2)
    })
  )

  story(
    "loses Ready when a later check finds that the next run would fail",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(weekly("shop"))
      yield* advance("1 minute")
      yield* cluster.deleteTopic("orders")
      yield* advance("6 hours")
      expect(condition(yield* kubectl.status("shop"), "Ready")).toMatchObject({
        status: "False",
        reason: "CheckFailed"
      })
    })
  )

  story(
    "is checked at once when the annotation has a new value, once for each value",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const first = yield* start()
      yield* kubectl.apply(weekly("shop"))
      yield* advance("10 minutes")
      yield* kubectl.annotate("shop", checkAnnotation, "now")
      yield* advance("1 minute")
      const status = yield* kubectl.status("shop")
      expect(status.preflight?.handledCheck).toBe("now")
      expect(Date.parse(status.preflight?.lastProbeTime ?? "")).toBeGreaterThan(Date.parse("2026-11-25T11:59:00Z"))
      yield* first.stop
      yield* start()
      yield* advance("20 minutes")
      expect((yield* kubectl.status("shop")).preflight?.lastProbeTime).toBe(status.preflight?.lastProbeTime)
      yield* kubectl.annotate("shop", checkAnnotation, "")
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("shop"), "Warnings")).toMatchObject({ reason: "TriggerRefused" })
    })
  )
})

describe("checks whose pods cannot start", () => {
  const stuck = {
    "for an image that does not exist": pods.imagePullBackOff(),
    "for want of a node": pods.unschedulable()
  }
  for (const [what, trouble] of Object.entries(stuck)) {
    story(
      `${what}, more than may be active, hold another namespace up for a quarter of a minute, and it says why it waits`,
      Effect.gen(function* () {
        const { advance, kubectl, kubernetes, start } = yield* world
        yield* start()
        yield* kubernetes.node.trouble((pod) => (pod.metadata.namespace === "team-a" ? trouble : undefined))
        for (let n = 0; n < 12; n++) yield* kubectl.in("team-a").apply(weekly(`stuck-${n}`))
        yield* advance("5 seconds")
        yield* kubectl.in("team-b").apply(weekly("good"))
        yield* advance("5 seconds")
        const waiting = condition(yield* kubectl.in("team-b").status("good"), "Ready")
        expect(waiting).toMatchObject({ status: "Unknown", reason: "Checking" })
        expect(waiting?.message).toContain(
          "because the operator runs at most 5 at the same time. It is first in the queue"
        )
        expect(condition(yield* kubectl.in("team-a").status("stuck-9"), "Ready")?.message).toContain(
          "before it. Namespaces take turns"
        )
        yield* advance("20 seconds")
        expect(condition(yield* kubectl.in("team-b").status("good"), "Ready")).toMatchObject({ status: "True" })
      })
    )
  }
})

describe("a KafkaBackup whose run failed", () => {
  story(
    "is Ready again after a check that passed, before its next slot, and its phase and metrics tell of the failure",
    Effect.gen(function* () {
      const { advance, cluster, kubectl, start } = yield* world
      const replica = yield* start()
      yield* kubectl.apply(weekly("shop"))
      yield* advance("1 minute")
      yield* cluster.deleteTopic("orders")
      yield* kubectl.annotate("shop", triggerAnnotation, "now")
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("shop"), "Ready")).toMatchObject({ reason: "BackupFailed" })
      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* kubectl.annotate("shop", checkAnnotation, "repaired")
      yield* advance("1 minute")
      const status = yield* kubectl.status("shop")
      expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "CheckPassed" })
      expect(status.phase).toBe("Failed")
      expect(metric(yield* replica.metrics, "ready{", 'name="shop"')).toBe(1)
      expect(metric(yield* replica.metrics, "last_run_failed{", 'name="shop"')).toBe(1)
    })
  )
})

describe("a KafkaBackup that is suspended", () => {
  story(
    "is checked, too, and is Ready only when a run could start",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(weekly("good", { suspend: true }))
      yield* kubectl.apply(weekly("bad", { suspend: true, topics: ["nowhere"] }))
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("good"), "Ready")).toMatchObject({ status: "True", reason: "Suspended" })
      expect(condition(yield* kubectl.status("bad"), "Ready")).toMatchObject({ status: "False", reason: "CheckFailed" })
    })
  )
})

describe("a one-time KafkaBackup", () => {
  story(
    "is not checked: its run is the proof; but it is by annotation",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(backupOf("once"))
      yield* advance("8 hours")
      expect(checksAmong(yield* kubectl.jobs)).toEqual([])
      expect((yield* kubectl.status("once")).preflight).toBeUndefined()
      yield* kubectl.annotate("once", checkAnnotation, "again")
      yield* advance("1 minute")
      const status = yield* kubectl.status("once")
      expect(status.preflight).toMatchObject({ outcome: "Passed", handledCheck: "again" })
      yield* advance("8 hours")
      expect((yield* kubectl.status("once")).preflight?.lastProbeTime).toBe(status.preflight?.lastProbeTime)
    })
  )
})

describe("spec.immediate", () => {
  story(
    "makes the first backup at once, once for a resource, and later ones at the slots",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      const first = yield* start()
      yield* kubectl.apply(weekly("shop", { immediate: true }))
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual(["shop-20261125-115000"])
      const status = yield* kubectl.status("shop")
      expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "BackupScheduled" })
      expect(status.nextScheduledTime).toBe("2026-11-29T00:00:00Z")
      expect(status.backupHistory?.[0]).toMatchObject({ cause: "once", outcome: "success" })
      yield* kubectl.patch("shop", { spec: { schedule: "0 1 * * 0" } })
      yield* kubectl.patch("shop", { spec: { immediate: false } })
      yield* kubectl.patch("shop", { spec: { immediate: true } })
      yield* first.stop
      yield* start()
      yield* advance("1 hour")
      expect(runsAmong(yield* kubectl.jobs)).toHaveLength(1)
    })
  )

  story(
    "waits while the resource is suspended",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(weekly("shop", { immediate: true, suspend: true }))
      yield* advance("1 hour")
      expect(setsIn(yield* backups.keys)).toEqual([])
      yield* kubectl.patch("shop", { spec: { suspend: false } })
      yield* advance("1 minute")
      expect(setsIn(yield* backups.keys)).toEqual(["shop-20261125-115000"])
    })
  )
})
