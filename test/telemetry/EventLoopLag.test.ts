import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as EventLoopLag from "../../src/telemetry/EventLoopLag.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"

const milli = 1_000_000

describe("EventLoopLag", () => {
  it("is what timers were late beyond the resolution, and 0 where nothing was measured", () => {
    const delays = { count: 50, mean: 21.5 * milli, max: 520 * milli, percentile: () => 19.9 * milli }
    assert.deepStrictEqual(EventLoopLag.lag(delays, 20), { mean: 0.0015, p99: 0, max: 0.5 })
    const nothing = { count: 0, mean: Number.NaN, max: 0, percentile: () => 0 }
    assert.deepStrictEqual(EventLoopLag.lag(nothing, 20), { mean: 0, p99: 0, max: 0 })
  })

  it.effect("is sampled every five seconds", () =>
    Effect.gen(function* () {
      const samples: Array<number> = []
      const metrics = Layer.mock(OperatorMetrics.OperatorMetrics, {
        eventLoopLag: ({ max }) => Effect.sync(() => void samples.push(max))
      })
      yield* Effect.gen(function* () {
        yield* TestClock.adjust("1 second")
        assert.lengthOf(samples, 1)
        yield* TestClock.adjust("10 seconds")
        assert.lengthOf(samples, 3)
      }).pipe(Effect.provide(EventLoopLag.layer.pipe(Layer.provide(metrics))))
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(samples, 3)
    })
  )
})
