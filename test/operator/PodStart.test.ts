import { describe, expect, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Kind from "../../src/kubernetes/Kind.ts"
import type { Pod } from "../../src/kubernetes/Objects.ts"
import { pods } from "../../src/testing/Faults.ts"
import { backupOf, condition, hourly, outcomes, quiet, runsAmong, setsIn, story, world } from "./world.ts"

const claimOf = ({ spec }: Pod): string | undefined =>
  (spec as { readonly volumes?: ReadonlyArray<Readonly<Record<string, any>>> }).volumes
    ?.map((volume) => volume["persistentVolumeClaim"]?.claimName as string | undefined)
    .find((name) => name !== undefined)

const imageOf = ({ spec }: Pod): string =>
  (spec as { readonly containers: ReadonlyArray<{ readonly image: string }> }).containers[0]!.image

const selectorOf = ({ spec }: Pod): string | undefined =>
  (spec as { readonly nodeSelector?: Readonly<Record<string, string>> }).nodeSelector?.["pool"]

const onClaim = (claimName: string) => ({ storage: { storageType: "pvc", pvc: { claimName } } })

const noClaim = pods.unschedulable('persistentvolumeclaim "wrong" not found')

describe("a run whose pod cannot start", () => {
  story(
    "runs after its claim's name is corrected, in a Job of the same name",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble((pod) => (claimOf(pod) === "wrong" ? noClaim : undefined))
      yield* kubectl.apply(backupOf("once", onClaim("wrong")))
      yield* advance("3 hours")
      const [stuck] = runsAmong(yield* kubectl.jobs)
      const before = yield* kubectl.status("once")
      expect(condition(before, "Ready")).toMatchObject({ status: "False", reason: "PodTrouble" })
      expect(condition(before, "Ready")?.message).toContain('persistentvolumeclaim "wrong" not found')
      yield* kubectl.apply(backupOf("once", onClaim("right")))
      yield* advance("3 minutes")
      const status = yield* kubectl.status("once")
      expect(outcomes(status)).toEqual(["success"])
      expect(status.lastBackupId).toBe("once-20261125-115000")
      const jobs = runsAmong(yield* kubectl.jobs)
      expect(jobs.map(({ metadata }) => metadata.name)).toEqual([stuck!.metadata.name])
      expect(jobs[0]!.metadata.uid).not.toBe(stuck!.metadata.uid)
      expect(yield* kubectl.pods).toHaveLength(1)
    })
  )

  story(
    "runs after the operator's image is corrected",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* kubernetes.node.trouble((pod) =>
        imageOf(pod) === "wrong:1" ? pods.imagePullBackOff("wrong:1") : undefined
      )
      const first = yield* start({ settings: { jobs: { image: "wrong:1" } } })
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("14 minutes")
      yield* first.stop
      yield* start({ settings: { jobs: { image: "right:1" } } })
      yield* advance("3 minutes")
      const status = yield* kubectl.status("hourly")
      expect(outcomes(status)).toEqual(["success"])
      expect(status.lastBackupId).toBe("hourly-20261125-120000")
    })
  )

  story(
    "fails after its start deadline in the server's words, and leaves the next slot free",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => pods.unschedulable())
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("21 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory).toMatchObject([{ outcome: "failed", reason: "PodNotStarted" }])
      expect(status.backupHistory?.[0]?.message).toContain("0/3 nodes are available: 3 Insufficient memory")
      expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "BackupFailed" })
      expect(condition(status, "Ready")?.message).toContain("The next scheduled run is at 2026-11-25T13:00:00Z")
      expect((yield* kubectl.events).filter(({ reason }) => reason === "BackupFailed")).toHaveLength(1)
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
      expect(runsAmong(yield* kubectl.pods)).toEqual([])
      yield* kubernetes.node.trouble()
      yield* advance("1 hour")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success", "failed"])
    })
  )

  story(
    "waits without a limit where no slot waits for it, and says so",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => noClaim)
      yield* kubectl.apply(backupOf("once", onClaim("wrong")))
      yield* advance("30 hours")
      const ready = condition(yield* kubectl.status("once"), "Ready")
      expect(ready).toMatchObject({ status: "False", reason: "PodTrouble" })
      expect(ready?.message).toContain("The run waits until its container starts")
      yield* kubernetes.node.trouble()
      yield* advance("3 minutes")
      expect(outcomes(yield* kubectl.status("once"))).toEqual(["success"])
    })
  )

  story(
    "is bounded by the start deadline of the spec, whatever its cause",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => pods.imagePullBackOff())
      yield* kubectl.apply(backupOf("once", { job: { startDeadlineSeconds: 45 } }))
      yield* advance("1 minute")
      const status = yield* kubectl.status("once")
      expect(status.backupHistory).toMatchObject([
        {
          outcome: "failed",
          reason: "PodNotStarted",
          startTime: "2026-11-25T11:50:00Z",
          completionTime: "2026-11-25T11:50:45Z"
        }
      ])
      expect(status.backupHistory?.[0]?.message).toContain("Back-off pulling image")
      expect(condition(status, "Ready")?.message).toContain("It is not tried again automatically")
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
    })
  )

  story(
    "frees the slots of its schedule also where a trigger started it",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* kubernetes.node.trouble(() => pods.unschedulable())
      yield* advance("2 minutes")
      yield* kubectl.trigger("hourly", "now")
      yield* advance("9 minutes")
      // A slot that comes while it waits is skipped; the next one is not.
      yield* advance("5 minutes")
      yield* kubernetes.node.trouble()
      yield* advance("1 hour")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success", "skipped", "failed"])
    })
  )

  story(
    "is bounded after an attempt that ran, too",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } }))
      yield* advance("620 seconds")
      const [pod] = yield* kubectl.pods
      yield* kubernetes.node.trouble(() => pods.unschedulable())
      yield* kubernetes.node.evict(pod!.metadata)
      yield* advance("12 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory).toMatchObject([{ outcome: "failed", reason: "PodNotStarted" }])
      expect(runsAmong(yield* kubectl.jobs)).toEqual([])
    })
  )

  story(
    "keeps its Job when an edit would give it the same pod",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => pods.unschedulable())
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("12 minutes")
      const before = runsAmong(yield* kubectl.jobs)
      yield* kubectl.patch("hourly", { spec: { suspend: true, job: { startDeadlineSeconds: 3600 } } })
      yield* advance("15 minutes")
      expect(runsAmong(yield* kubectl.jobs).map(({ metadata }) => metadata.uid)).toEqual(
        before.map(({ metadata }) => metadata.uid)
      )
    })
  )

  story(
    "is left alone when its container starts while its Job is about to be replaced",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => pods.unschedulable())
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("12 minutes")
      const [job] = runsAmong(yield* kubectl.jobs)
      yield* kubernetes.disturb({
        _tag: "Run",
        moment: "before",
        effect: kubernetes.node.trouble().pipe(Effect.andThen(kubernetes.settled)),
        when: ({ kind, verb }) => verb === "list" && kind === "pods"
      })
      yield* kubectl.patch("hourly", { spec: { checkpointIntervalSecs: 7 } })
      yield* advance("3 minutes")
      expect(outcomes(yield* kubectl.status("hourly"))).toEqual(["success"])
      expect(runsAmong(yield* kubectl.jobs).map(({ metadata }) => metadata.uid)).toEqual([job!.metadata.uid])
    })
  )

  story(
    "fails when its Job cannot be made again within the start deadline",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubernetes.node.trouble(() => pods.unschedulable())
      yield* kubectl.apply(hourly("hourly"))
      yield* advance("12 minutes")
      yield* kubernetes.admit(Kind.jobs, (object, before) =>
        before === undefined ? Result.fail("no more Jobs today") : Result.succeed(object)
      )
      yield* kubectl.patch("hourly", { spec: { checkpointIntervalSecs: 7 } })
      yield* advance("2 minutes")
      const waiting = yield* kubectl.status("hourly")
      expect(condition(waiting, "Ready")).toMatchObject({ status: "False", reason: "JobRefused" })
      expect(waiting.activeRun?.replacing).toBe(true)
      yield* advance("8 minutes")
      const status = yield* kubectl.status("hourly")
      expect(status.backupHistory).toMatchObject([{ outcome: "failed", reason: "PodNotStarted" }])
      expect(status.activeRun).toBeUndefined()
    })
  )
})

describe("a maintenance Job whose pod cannot start", () => {
  story(
    "is made again when the spec is corrected",
    Effect.gen(function* () {
      const { advance, backups, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(backupOf("once", { retention: { backups: 3 } }))
      yield* advance("2 minutes")
      yield* kubectl.trigger("once", "second")
      yield* advance("2 minutes")
      yield* kubernetes.node.trouble((pod) => (selectorOf(pod) === "wrong" ? pods.unschedulable() : undefined))
      yield* kubectl.patch("once", {
        spec: { retention: { backups: 1 }, podTemplate: { nodeSelector: { pool: "wrong" } } }
      })
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(2)
      yield* kubectl.patch("once", { spec: { podTemplate: { nodeSelector: { pool: "right" } } } })
      yield* advance("5 minutes")
      expect(setsIn(yield* backups.keys)).toHaveLength(1)
    })
  )
})

/** A run is corrected while its pod cannot start; the operator dies right before its `nth` request after that. */
const corrected = (nth: number | undefined) =>
  Effect.gen(function* () {
    const { advance, kubectl, kubernetes, start, storeOf } = yield* world
    const live = new Map<string, string>()
    let most = 0
    yield* kubernetes.behind.watch(Kind.pods, {}).pipe(
      Stream.runForEach((delta) =>
        Effect.sync(() => {
          for (const pod of runsAmong(delta._tag === "Snapshot" ? delta.items : [delta.object])) {
            const isOver = delta._tag === "Delete" || ["Succeeded", "Failed"].includes(pod.status?.phase ?? "")
            if (isOver) live.delete(pod.metadata.uid ?? "")
            else live.set(pod.metadata.uid ?? "", pod.metadata.name)
          }
          most = Math.max(most, live.size)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    const first = yield* start()
    yield* kubernetes.node.trouble((pod) => (claimOf(pod) === "wrong" ? noClaim : undefined))
    yield* kubectl.apply(hourly("hourly", onClaim("wrong")))
    yield* advance("8 minutes")
    yield* kubectl.trigger("hourly", "now")
    yield* advance("1 minute")
    yield* kubernetes.forgetCalls
    if (nth !== undefined) {
      const kill = first.stop.pipe(Effect.andThen(Effect.sleep(7_000)), Effect.andThen(start()))
      yield* kubernetes.disturb({ _tag: "Crash", moment: "before", nth, kill })
    }
    yield* kubectl.apply(hourly("hourly", onClaim("right")))
    yield* advance("10 minutes")
    const { backupHistory, handledTrigger } = yield* kubectl.status("hourly")
    return {
      calls: (yield* kubernetes.calls).length,
      found: {
        most,
        handledTrigger,
        history: backupHistory?.map(({ backupId, cause, outcome }) => [outcome, cause, backupId]),
        jobs: runsAmong(yield* kubectl.jobs).length,
        sets: setsIn(yield* (yield* storeOf("hourly")).keys).length
      }
    }
  }).pipe(Effect.scoped, Effect.provide(quiet), Effect.provide(TestClock.layer()), Effect.orDie)

describe("an operator that dies while it replaces a Job", () => {
  it.live(
    "at any of its requests is replaced by one that continues the same run, with never two pods at once",
    () =>
      Effect.gen(function* () {
        const calm = yield* corrected(undefined)
        expect(calm.found).toMatchObject({ most: 1, handledTrigger: "now", jobs: 2 })
        expect(calm.found.history?.map(([outcome, cause]) => [outcome, cause])).toEqual([
          ["success", "schedule"],
          ["success", "trigger"]
        ])
        for (let nth = 1; nth <= calm.calls; nth++) {
          const { found } = yield* corrected(nth)
          expect(found, `right before request ${nth}`).toEqual(calm.found)
        }
      }),
    300_000
  )
})
