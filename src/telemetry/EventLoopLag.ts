import { Effect, Layer } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { OperatorMetrics } from "./OperatorMetrics.ts"
import type { LoopLag } from "./OperatorReport.ts"

/** What a histogram of delays holds, in nanoseconds. */
export interface Delays {
  readonly count: number
  readonly mean: number
  readonly max: number
  readonly percentile: (percentile: number) => number
}

const resolutionMillis = 20

const sampleEvery = "5 seconds"

/** How late timers were: the histogram holds whole intervals, which include the resolution. */
export const lag = (delays: Delays, resolutionMillis: number): LoopLag => {
  const seconds = (nanos: number) =>
    delays.count === 0 ? 0 : Math.max(0, Math.round(nanos / 1000 - resolutionMillis * 1000) / 1_000_000)
  return { mean: seconds(delays.mean), p99: seconds(delays.percentile(99)), max: seconds(delays.max) }
}

/** Samples how late the event loop is, for as long as the scope lasts. */
export const layer: Layer.Layer<never, never, OperatorMetrics> = Layer.effectDiscard(
  Effect.gen(function* () {
    const metrics = yield* OperatorMetrics
    const histogram = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = monitorEventLoopDelay({ resolution: resolutionMillis })
        started.enable()
        return started
      }),
      (started) => Effect.sync(() => started.disable())
    )
    const sample = Effect.suspend(() => {
      const now = lag(histogram, resolutionMillis)
      histogram.reset()
      return metrics.eventLoopLag(now)
    })
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(sample, Effect.sleep(sampleEvery))))
  })
)
