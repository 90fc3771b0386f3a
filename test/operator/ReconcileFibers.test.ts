import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { ReconcileResult } from "../../src/operator/ReconcileContext.ts"
import * as ReconcileFibers from "../../src/operator/ReconcileFibers.ts"

const hour = 3_600_000
const after = (millis: number): ReconcileResult => ({ _tag: "After", millis })
const settings = { ...ReconcileFibers.defaults, resyncMillis: 10 * hour }
const ignore = () => Effect.void

describe("the fibers of resources", () => {
  it.effect("reconcile once for many wake-ups before it, and once more for wake-ups during it", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      let reconciles = 0
      const fibers = yield* ReconcileFibers.make(
        () =>
          Effect.andThen(
            Effect.sync(() => void reconciles++),
            Effect.as(Deferred.await(gate), after(hour))
          ),
        ignore,
        settings
      )
      for (let n = 0; n < 100; n++) fibers.wake("ns/a")
      yield* TestClock.adjust(1)
      expect(reconciles).toBe(1)
      for (let n = 0; n < 100; n++) fibers.wake("ns/a")
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(1)
      expect(reconciles).toBe(2)
      yield* TestClock.adjust(hour - 10)
      expect(reconciles).toBe(2)
      yield* TestClock.adjust(20)
      expect(reconciles).toBe(3)
    })
  )

  it.effect("leave a resource alone for as long as the failure asks, woken or not", () =>
    Effect.gen(function* () {
      let reconciles = 0
      const fibers = yield* ReconcileFibers.make(
        () => Effect.suspend(() => (++reconciles === 1 ? Effect.fail("come back later") : Effect.succeed(after(hour)))),
        () => Effect.succeed(30_000),
        settings
      )
      fibers.wake("ns/a")
      yield* TestClock.adjust(1)
      for (let second = 0; second < 29; second++) {
        fibers.wake("ns/a")
        yield* TestClock.adjust(1_000)
      }
      expect(reconciles).toBe(1)
      yield* TestClock.adjust(3_000)
      expect(reconciles).toBe(2)
    })
  )

  it.effect("never reconcile one resource twice at once, and many side by side up to the bound", () =>
    Effect.gen(function* () {
      const busy = new Map<string, number>()
      let most = 0
      const fibers = yield* ReconcileFibers.make(
        (key) =>
          Effect.gen(function* () {
            busy.set(key, (busy.get(key) ?? 0) + 1)
            expect(busy.get(key)).toBe(1)
            most = Math.max(
              most,
              [...busy.values()].reduce((sum, n) => sum + n, 0)
            )
            yield* Effect.sleep(100)
            busy.set(key, 0)
            return after(hour)
          }),
        ignore,
        { ...settings, parallel: 3 }
      )
      for (let n = 0; n < 10; n++) fibers.wake(`ns/${n}`)
      for (let step = 0; step < 50; step++) {
        yield* TestClock.adjust(20)
        for (let n = 0; n < 10; n++) fibers.wake(`ns/${n}`)
      }
      expect(most).toBe(3)
    })
  )

  it.effect("back off alone while reconciles fail, defects included, and recover at once", () =>
    Effect.gen(function* () {
      const at: Array<number> = []
      let isBroken = true
      let failures = 0
      const fibers = yield* ReconcileFibers.make(
        (key) =>
          Effect.gen(function* () {
            if (key === "ns/good") return after(hour)
            at.push(yield* Effect.clockWith((clock) => clock.currentTimeMillis))
            if (!isBroken) return after(hour)
            return yield* failures % 2 === 0 ? Effect.fail("no") : Effect.die(new Error("a bug"))
          }),
        () => Effect.sync(() => void failures++),
        { ...settings, firstBackoffMillis: 1_000, longestBackoffMillis: 60_000 }
      )
      fibers.wake("ns/bad")
      fibers.wake("ns/good")
      yield* TestClock.adjust("30 minutes")
      const gaps = at.slice(1).map((time, index) => time - at[index]!)
      expect(gaps[1]!).toBeGreaterThan(gaps[0]!)
      expect(gaps.at(-1)!).toBeGreaterThanOrEqual(54_000)
      expect(gaps.at(-1)!).toBeLessThanOrEqual(67_000)
      expect(failures).toBe(at.length)
      isBroken = false
      yield* TestClock.adjust("2 minutes")
      const reconciled = at.length
      yield* TestClock.adjust("50 minutes")
      expect(at.length).toBe(reconciled)
    })
  )

  it.effect("end with their resource, and begin anew when it comes back", () =>
    Effect.gen(function* () {
      let reconciles = 0
      let isThere = true
      const fibers = yield* ReconcileFibers.make(
        () => Effect.sync((): ReconcileResult => (reconciles++, isThere ? after(hour) : { _tag: "Gone" })),
        ignore,
        settings
      )
      fibers.wake("ns/a")
      yield* TestClock.adjust(1)
      isThere = false
      fibers.wake("ns/a")
      yield* TestClock.adjust(1)
      expect([reconciles, fibers.size()]).toEqual([2, 0])
      isThere = true
      fibers.wake("ns/a")
      yield* TestClock.adjust(1)
      expect([reconciles, fibers.size()]).toEqual([3, 1])
    })
  )

  it.effect("are interrupted when their scope closes", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      let isInterrupted = false
      const fibers = yield* Scope.provide(
        ReconcileFibers.make(
          () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (isInterrupted = true))),
          ignore,
          settings
        ),
        scope
      )
      fibers.wake("ns/a")
      yield* TestClock.adjust(1)
      yield* Scope.close(scope, Exit.void)
      expect(isInterrupted).toBe(true)
    })
  )
})
