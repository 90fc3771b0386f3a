import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import type { Call } from "../../../src/kubernetes/memory/Faults.ts"
import { purposeOf, quiet } from "../world.ts"
import { reasonOf, restoreOf, restoreWorld } from "./world.ts"

/** How long no operator runs after a crash. */
const down = "7 seconds"

/**
 * A draft that becomes the restore, one that is refused and retried, and one that is deleted. `crashAt` names the
 * request of the operator, from 1, at which its process dies; another one follows.
 */
const played = (crashAt: number | undefined, moment: "before" | "after") =>
  Effect.gen(function* () {
    const {
      advance,
      apply,
      backupId,
      kubernetes,
      patch,
      reached,
      remove,
      retry,
      start,
      status,
      restoreEvents,
      target
    } = yield* restoreWorld
    yield* kubernetes.forgetCalls
    const jobs = new Set<string>()
    const together: Array<string> = []
    yield* kubernetes.behind.watch(Kind.jobs, {}).pipe(
      Stream.runForEach((delta) =>
        Effect.sync(() => {
          const objects = delta._tag === "Snapshot" ? delta.items : [delta.object]
          for (const job of objects) if (purposeOf(job) === "restore") jobs.add(job.metadata.name)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    yield* kubernetes.behind.watch(Kind.pods, {}).pipe(
      Stream.runForEach(() =>
        Effect.gen(function* () {
          const { items } = yield* kubernetes.behind.list(Kind.pods, {})
          const running = items.filter((pod) => purposeOf(pod) === "restore" && pod.status?.phase === "Running")
          const restores = running.map(({ metadata }) => metadata.labels?.["kafka.oso.sh/name"] ?? "")
          together.push(...restores.filter((one, index) => restores.indexOf(one) !== index))
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    let replicas = 1
    const first = yield* start({ name: "operator-1" })
    let seen = 0
    yield* kubernetes.plan((call: Call) => {
      if (call.client !== "operator-1" || ++seen !== crashAt) return []
      const begin = Effect.suspend(() => start({ name: `operator-${++replicas}` }))
      const kill = first.stop.pipe(Effect.andThen(Effect.sleep(down)), Effect.andThen(begin), Effect.asVoid)
      return [{ _tag: "Crash", moment, kill }]
    })
    // Without a hold: the warning of a deletion that leaves one is lost with an operator that dies at that moment.
    const draft = { dryRun: true, topicMapping: { orders: "drafted" }, retentionHold: "0s" }
    yield* apply(restoreOf("draft", backupId, draft))
    yield* reached("draft", "DryRunPassed")
    yield* patch("draft", { spec: { dryRun: false } })
    yield* reached("draft", "RestoreCompleted")
    yield* target.createTopic("orders", { partitions: 2 })
    yield* target.produce("orders", 0, [{ key: "x", value: "y" }])
    yield* apply(restoreOf("refused", backupId))
    yield* reached("refused", "RestoreFailed")
    yield* target.deleteTopic("orders")
    yield* retry("refused", "again")
    yield* reached("refused", "RestoreCompleted")
    const found = {
      draft: yield* status("draft"),
      refused: yield* status("refused"),
      records: [(yield* target.committed("drafted", 0)).length, (yield* target.committed("orders", 0)).length] as const
    }
    yield* remove("draft")
    yield* advance("1 minute")
    return {
      calls: (yield* kubernetes.calls).filter(({ client }) => client === "operator-1"),
      replicas,
      outcome: {
        phases: [found.draft.phase, found.refused.phase],
        reasons: [found.draft, found.refused].map((one) =>
          ["Ready", "Preflight", "Verified", "OffsetsExact"].map((type) => reasonOf(one, type))
        ),
        restored: [found.draft.restoredRecords, found.refused.restoredRecords],
        records: found.records,
        jobs: [...jobs].map((name) => name.replace(/-[0-9a-f]{16}$/, "")).toSorted(),
        together,
        events: [...new Set(yield* restoreEvents)].toSorted()
      }
    }
  }).pipe(Effect.scoped, Effect.provide(quiet), Effect.provide(TestClock.layer()))

describe("an operator that dies at any of its requests about restores", () => {
  for (const moment of ["before", "after"] as const) {
    it.live(
      `leaves nothing undone and nothing doubled: right ${moment} the request`,
      () =>
        Effect.gen(function* () {
          const calm = yield* played(undefined, moment)
          assert.deepStrictEqual(calm.outcome.phases, ["Completed", "Completed"])
          assert.deepStrictEqual(calm.outcome.jobs, [
            "draft-restore",
            "draft-restore",
            "refused-restore",
            "refused-restore"
          ])
          assert.deepStrictEqual(calm.outcome.together, [])
          assert.isAbove(calm.calls.length, 30)
          const found: Array<string> = []
          for (let index = 1; index <= calm.calls.length; index++) {
            const disturbed = yield* played(index, moment)
            const { kind, verb } = calm.calls[index - 1]!
            // An answer that comes a moment later may save the last requests.
            if (disturbed.replicas !== 2 && index <= disturbed.calls.length) found.push(`${index}: no operator died`)
            for (const [what, should] of Object.entries(calm.outcome)) {
              const is = disturbed.outcome[what as keyof typeof calm.outcome]
              if (JSON.stringify(is) === JSON.stringify(should)) continue
              found.push(
                `${index} (${verb} ${kind}): ${what} ${JSON.stringify(is)} instead of ${JSON.stringify(should)}`
              )
            }
          }
          assert.deepStrictEqual(found, [])
        }),
      300_000
    )
  }
})
