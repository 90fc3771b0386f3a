import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as RateLimit from "../../src/worker/RateLimit.ts"

describe("RateLimit", () => {
  it.effect("keeps eight fibers together within 5 percent of the limit over a minute", () =>
    Effect.gen(function* () {
      const perSecond = 10_000_000
      const limit = RateLimit.make(perSecond)
      let taken = 0
      const payer = Effect.gen(function* () {
        for (;;) {
          taken += 1_000_000
          yield* limit.pay(1_000_000)
        }
      })
      const payers = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.forkChild(payer))
      yield* TestClock.adjust("1 minute")
      assert.isAtLeast(taken, perSecond * 60 * 0.95)
      assert.isAtMost(taken, perSecond * 60 * 1.05)
      yield* Effect.forEach(payers, Fiber.interrupt)
    })
  )

  it.effect("allows no burst after a pause", () =>
    Effect.gen(function* () {
      const limit = RateLimit.make(1000)
      yield* TestClock.adjust("1 hour")
      let taken = 0
      const payer = yield* Effect.forkChild(
        Effect.forever(
          Effect.andThen(
            Effect.sync(() => (taken += 100)),
            limit.pay(100)
          )
        )
      )
      yield* TestClock.adjust("1 second")
      assert.isAtMost(taken, 1000 + 100 + 100)
      yield* Fiber.interrupt(payer)
    })
  )

  it.effect("lets a single large amount through and makes the next one wait for it", () =>
    Effect.gen(function* () {
      const limit = RateLimit.make(1000)
      const paid = yield* Effect.forkChild(limit.pay(5000))
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(paid.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.isDefined(paid.pollUnsafe())
    })
  )

  it("asks for smaller fetches with a lower limit", () => {
    assert.deepStrictEqual(
      [undefined, 100_000_000, 1_000_000, 1000].map((rate) => RateLimit.fetchBytes(rate, 1048576)),
      [1048576, 1048576, 250_000, 16_384]
    )
  })
})
