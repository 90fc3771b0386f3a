import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { Call } from "../../../src/kubernetes/memory/Faults.ts"
import { quiet } from "../world.ts"
import { differs, drilled, drillWorld, passes, restorable } from "./world.ts"

/** How long no operator runs after a crash. */
const down = "7 seconds"

/**
 * A drill by schedule that fails, one by annotation that passes, and a third one that the end of the resource stops.
 * `crashAt` names the request of the operator, from 1, at which its process dies; another one follows.
 */
const played = (crashAt: number | undefined, moment: "before" | "after") =>
  Effect.gen(function* () {
    const { advance, drill, drillEvents, drillJobs, drills, kubectl, kubernetes, plays, start, together } =
      yield* drillWorld
    let replicas = 1
    const first = yield* start({ name: "operator-1" })
    let seen = 0
    yield* kubernetes.plan((call: Call) => {
      if (call.client !== "operator-1" || ++seen !== crashAt) return []
      const begin = Effect.suspend(() => start({ name: `operator-${++replicas}` }))
      const kill = first.stop.pipe(Effect.andThen(Effect.sleep(down)), Effect.andThen(begin), Effect.asVoid)
      return [{ _tag: "Crash", moment, kill }]
    })
    yield* plays({ takes: "40 seconds", ends: [differs, passes] })
    yield* kubectl.apply(drilled("shop", {}, { retention: { backups: 5 } }))
    yield* advance("28 minutes")
    const failed = yield* kubectl.status("shop")
    yield* drill("shop", "again")
    yield* advance("4 minutes")
    const passed = yield* kubectl.status("shop")
    yield* drill("shop", "last")
    yield* advance("30 seconds")
    yield* kubectl.delete("shop")
    yield* advance("1 minute")
    return {
      calls: (yield* kubernetes.calls).filter(({ client }) => client === "operator-1"),
      replicas,
      outcome: {
        drills: [...(yield* drills)].toSorted(),
        reasons: [failed, passed].map((status) => restorable(status)?.reason),
        phases: [failed, passed].map(({ drill: found }) => found?.phase),
        backups: [failed.lastBackupId, passed.lastBackupId],
        handled: [failed.drill?.handledTrigger, passed.drill?.handledTrigger],
        slots: [failed.drill?.lastScheduledTime, passed.drill?.lastScheduledTime],
        skipped: [failed.drill?.skippedSlots, passed.drill?.skippedSlots],
        together: yield* together,
        left: (yield* drillJobs).length,
        ends: [...new Set(yield* drillEvents)].filter((reason) => reason !== "DrillStarted").toSorted()
      }
    }
  }).pipe(Effect.scoped, Effect.provide(quiet), Effect.provide(TestClock.layer()))

describe("an operator that dies at any of its requests about drills", () => {
  for (const moment of ["before", "after"] as const) {
    it.live(
      `leaves nothing undone and nothing doubled: right ${moment} the request`,
      () =>
        Effect.gen(function* () {
          const calm = yield* played(undefined, moment)
          assert.deepStrictEqual(calm.outcome.drills, ["2026-11-25T12:15:00Z", "again", "last"])
          assert.deepStrictEqual(calm.outcome.reasons, ["DrillFailed", "DrillPassed"])
          assert.deepStrictEqual(calm.outcome.together, [])
          assert.strictEqual(calm.outcome.left, 0)
          assert.isAbove(calm.calls.length, 20)
          const found: Array<string> = []
          for (let index = 1; index <= calm.calls.length; index++) {
            const disturbed = yield* played(index, moment)
            const { kind, verb } = calm.calls[index - 1]!
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
