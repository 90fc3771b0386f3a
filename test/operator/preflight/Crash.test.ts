import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { checkAnnotation } from "../../../src/resource/KafkaBackup.ts"
import { backupOf, condition, purposeOf, quiet, world } from "../world.ts"

/** A resource that is made, edited to something that cannot work, mended, and checked by annotation. */
const played = (nth: number | undefined) =>
  Effect.gen(function* () {
    const { advance, kubectl, kubernetes, start } = yield* world
    const first = yield* start()
    let isKilled = false
    if (nth !== undefined) {
      const again = Effect.sleep(7_000).pipe(Effect.andThen(start()))
      const kill = Effect.sync(() => (isKilled = true)).pipe(Effect.andThen(first.stop), Effect.andThen(again))
      yield* kubernetes.disturb({ _tag: "Crash", moment: "before", nth, kill })
    }
    const seen: Array<unknown> = []
    const observe = Effect.gen(function* () {
      const status = yield* kubectl.status("shop")
      const { failures, generation, handledCheck, outcome, reason } = status.preflight ?? {}
      const ready = condition(status, "Ready")
      seen.push({ failures, generation, handledCheck, outcome, reason, ready: [ready?.status, ready?.reason] })
    })
    const shop = (topic: string) => backupOf("shop", { schedule: "0 0 * * 0", topics: [topic] })
    yield* kubectl.apply(shop("orders"))
    yield* advance("1 minute")
    yield* observe
    yield* kubectl.apply(shop("nowhere"))
    yield* advance("1 minute")
    yield* observe
    yield* kubectl.apply(shop("orders"))
    yield* advance("1 minute")
    yield* observe
    yield* kubectl.annotate("shop", checkAnnotation, "now")
    yield* advance("1 minute")
    yield* observe
    const jobs = (yield* kubectl.jobs).map(({ metadata, spec }) => [metadata.name, spec?.["ttlSecondsAfterFinished"]])
    return {
      calls: (yield* kubernetes.calls).length,
      isKilled,
      outcome: {
        seen,
        jobs: jobs.toSorted(),
        purposes: [...new Set((yield* kubectl.jobs).map(purposeOf))],
        events: [...new Set((yield* kubectl.events).map(({ reason }) => reason))].toSorted()
      }
    }
  }).pipe(Effect.scoped, Effect.provide(quiet), Effect.provide(TestClock.layer()), Effect.orDie)

describe("an operator that dies while it looks after checks", () => {
  it.live(
    "at any of its requests is replaced by one that makes no check twice and forgets none",
    () =>
      Effect.gen(function* () {
        const calm = yield* played(undefined)
        expect(calm.outcome.jobs).toHaveLength(4)
        expect(calm.outcome.seen).toMatchObject([
          { generation: 1, outcome: "Passed", ready: ["True", "BackupScheduled"] },
          { generation: 2, outcome: "Failed", failures: 1, ready: ["False", "CheckFailed"] },
          { generation: 3, outcome: "Passed", ready: ["True", "BackupScheduled"] },
          { generation: 3, outcome: "Passed", handledCheck: "now" }
        ])
        for (let nth = 1; nth <= calm.calls; nth++) {
          const { isKilled, outcome } = yield* played(nth)
          expect(isKilled, `right before request ${nth}`).toBe(true)
          expect(outcome, `right before request ${nth}`).toEqual(calm.outcome)
        }
      }),
    300_000
  )
})
