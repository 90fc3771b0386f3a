import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ByteBudget } from "../../src/segment/ByteBudget.ts"
import { random, Seed } from "./arbitraryRecords.ts"

describe("ByteBudget", () => {
  it.effect.prop(
    "never lends more than there is, serves everybody, and gets back what was interrupted",
    [Seed],
    ([seed]) =>
      Effect.gen(function* () {
        const next = random(seed)
        const capacity = 1 + Math.floor(next() * 100)
        const budget = new ByteBudget(capacity)
        let held = 0
        let served = 0
        const work = (bytes: number, turns: number) =>
          Effect.suspend(() => {
            const lease = budget.lease()
            const counted = Math.min(bytes, capacity)
            return Effect.gen(function* () {
              yield* lease.take(bytes)
              held += counted
              assert.isAtMost(held, capacity)
              yield* Effect.forEach(Array.from({ length: turns }), () => Effect.yieldNow).pipe(
                Effect.ensuring(Effect.sync(() => (held -= counted)))
              )
              served++
            }).pipe(Effect.ensuring(Effect.sync(() => lease.close())))
          })
        const fibers: Array<{ readonly fiber: Fiber.Fiber<void>; readonly isCut: boolean }> = []
        for (let i = 0; i < 40; i++) {
          const fiber = yield* Effect.forkChild(work(Math.floor(next() * 2 * capacity), Math.floor(next() * 5)))
          fibers.push({ fiber, isCut: next() < 0.3 })
          if (next() < 0.5) yield* Effect.yieldNow
        }
        for (const { fiber, isCut } of fibers) if (isCut) yield* Fiber.interrupt(fiber)
        for (const { fiber, isCut } of fibers) if (!isCut) yield* Fiber.join(fiber)
        assert.isAtLeast(served, fibers.filter(({ isCut }) => !isCut).length)
        assert.strictEqual(held, 0)
        assert.isTrue(budget.takeNow(budget.lease(), capacity), "everything is there again")
      }),
    { arbitrary: { runs: 200 } }
  )

  it.effect("lets a request for more than everything proceed alone", () =>
    Effect.gen(function* () {
      const budget = new ByteBudget(10)
      const small = budget.lease()
      yield* small.take(1)
      const huge = budget.lease()
      const fiber = yield* Effect.forkChild(huge.take(1_000_000), { startImmediately: true })
      assert.strictEqual(huge.held, 0)
      small.close()
      yield* Fiber.join(fiber)
      assert.strictEqual(huge.held, 10)
      assert.isFalse(budget.takeNow(budget.lease(), 1))
      huge.close()
      assert.isTrue(budget.takeNow(budget.lease(), 10))
    })
  )

  it.effect("serves who came first, also if a later request would fit", () =>
    Effect.gen(function* () {
      const budget = new ByteBudget(10)
      const first = budget.lease()
      yield* first.take(6)
      const [large, small] = [budget.lease(), budget.lease()]
      const waiting = yield* Effect.forkChild(large.take(8), { startImmediately: true })
      const behind = yield* Effect.forkChild(small.take(2), { startImmediately: true })
      assert.deepStrictEqual([large.held, small.held], [0, 0])
      first.keep(2)
      yield* Fiber.join(waiting)
      assert.strictEqual(small.held, 0)
      first.close()
      yield* Fiber.join(behind)
      assert.deepStrictEqual([large.held, small.held], [8, 2])
    })
  )

  it.effect("serves those behind a request that was interrupted", () =>
    Effect.gen(function* () {
      const budget = new ByteBudget(10)
      const first = budget.lease()
      yield* first.take(6)
      const [large, small] = [budget.lease(), budget.lease()]
      const waiting = yield* Effect.forkChild(large.take(8), { startImmediately: true })
      const behind = yield* Effect.forkChild(small.take(2), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      yield* Fiber.join(behind)
      assert.deepStrictEqual([large.held, small.held], [0, 2])
    })
  )
})
