import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as RateLimit from "../../src/worker/RateLimit.ts"
import * as SteadyClock from "../../src/worker/SteadyClock.ts"

const day = 86_400_000

/** The test clock, but its wall time is stepped by this many milliseconds from the n-th reading on. */
const stepping = (clock: Clock.Clock, n: number, stepMillis: number): Clock.Clock => {
  let readings = 0
  const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + (++readings >= n ? stepMillis : 0)
  return {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe: () => BigInt(currentTimeMillisUnsafe()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(currentTimeMillisUnsafe()) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: clock.monotonicTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}

/** What four seconds let through at 1,000 a second, when the wall clock is stepped in the middle. */
const taken = (stepMillis: number, run: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>) =>
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    let amount = 0
    const limit = RateLimit.make(1000)
    const payer = Effect.forever(
      Effect.andThen(
        Effect.sync(() => (amount += 100)),
        limit.pay(100)
      )
    )
    const fiber = yield* Effect.forkChild(
      Effect.provideService(
        Effect.suspend(() => run(payer)),
        Clock.Clock,
        stepping(clock, 20, stepMillis)
      )
    )
    yield* TestClock.adjust("4 seconds")
    yield* Fiber.interrupt(fiber)
    return amount
  })

describe("SteadyClock", () => {
  it.effect.each([day, -day, 1000, -1000])(
    "keeps the pace of a rate limit when the wall clock steps by %s ms",
    (step) =>
      Effect.gen(function* () {
        const undisturbed = yield* taken(0, SteadyClock.steadily)
        assert.isAbove(undisturbed, 3800)
        assert.strictEqual(yield* taken(step, SteadyClock.steadily), undisturbed)
      })
  )

  it.effect("is needed: without it a step back by a day stops everything", () =>
    Effect.gen(function* () {
      assert.isBelow(yield* taken(-day, (effect) => effect), 3000)
    })
  )

  it.effect("tells the time of the machine when it was made, and how long that is ago since", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const clock = SteadyClock.make(yield* Clock.clockWith(Effect.succeed))
      assert.strictEqual(clock.currentTimeMillisUnsafe(), 3_600_000)
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(clock.currentTimeMillisUnsafe(), 3_690_000)
      assert.strictEqual(clock.currentTimeNanosUnsafe(), 3_690_000_000_000n)
    })
  )
})
