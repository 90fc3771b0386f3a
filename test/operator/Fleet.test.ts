import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { condition, hourly, metric, outcomes, runsAmong, setsIn, story, world } from "./world.ts"

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
            incremental: { enabled: false },
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
      const started = runsAmong(yield* kubectl.jobs).map(
        ({ metadata }) => metadata.annotations?.["kafka.oso.sh/kafkabackup"]
      )
      expect(started).toHaveLength(20)
      // All became due at one instant: by name.
      expect(started.slice(3)).toEqual(started.slice(3).toSorted())
      for (const name of names) expect(outcomes(yield* kubectl.status(name))).toEqual(["success"])
    })
  )
})

describe("a run of an operator that is gone", () => {
  story(
    "still counts towards the budget of the next one",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const settings = { maxConcurrentRuns: 1 }
      const first = yield* start({ settings })
      yield* kubectl.apply(hourly("slow", { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } }))
      yield* advance("605 seconds")
      yield* first.stop
      const second = yield* start({ settings })
      yield* kubectl.apply(hourly("other", { suspend: true }))
      yield* kubectl.trigger("other", "now")
      yield* advance("30 seconds")
      expect(condition(yield* kubectl.status("other"), "Progressing")?.reason).toBe("Queued")
      expect(metric(yield* second.metrics, "queued_runs")).toBe(1)
      yield* advance("3 minutes")
      expect(outcomes(yield* kubectl.status("slow"))).toEqual(["success"])
      expect(outcomes(yield* kubectl.status("other"))).toEqual(["success"])
      // Named after the moment in which it was asked for, not the one in which its turn came.
      expect((yield* kubectl.status("other")).lastBackupId).toBe("other-20261125-120005")
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
    "makes few requests for a run, however fast that is and however often it is reconciled",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly", { rateLimit: { recordsPerSecond: 1 }, incremental: { enabled: false } }))
      yield* advance("9 minutes")
      yield* kubernetes.forgetCalls
      yield* advance("1 minute")
      for (let second = 0; second < 30; second++) {
        // Constant events cause reconciles all the time.
        yield* kubectl.annotate("hourly", "example.org/note", String(second))
        yield* advance("1 second")
      }
      yield* advance("8 minutes")
      const requests = (yield* kubernetes.calls).map(
        ({ kind, subresource = "", verb }) => `${verb} ${kind} ${subresource}`
      )
      const isStatus = (request: string) => request === "apply kafkabackups status"
      expect(requests.filter((request) => !isStatus(request))).toEqual([
        "create jobs ",
        "create events ",
        "create events ",
        "patch jobs "
      ])
      // Started, ended, and in 100 seconds of reading a word of progress every 5 at first and every 15 later.
      expect(requests.filter(isStatus).length).toBeLessThanOrEqual(2 + 13 + 3)
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
