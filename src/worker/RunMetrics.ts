import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import * as RunProgress from "./RunProgress.ts"

/*
 * What a run says of itself to Prometheus. Everything is derived from its progress at the moment of the scrape, so
 * counting costs the run nothing.
 */

const counter = (name: string, description: string) =>
  Metric.counter(`kafka_backup_${name}`, { description, incremental: true })
const gauge = (name: string, description: string) => Metric.gauge(`kafka_backup_${name}`, { description })

const steps = ["claiming", "planning", "reading", "verifying", "retaining", "done"] as const

const metrics = {
  records: counter("run_records_total", "Records taken from Kafka by this attempt"),
  fetchedBytes: counter("run_fetched_bytes_total", "Bytes taken from Kafka by this attempt"),
  storedBytes: counter("run_stored_bytes_total", "Bytes put by this attempt, counted when they are durable"),
  segments: counter("run_segments_total", "Segments put by this attempt, counted when they are durable"),
  partitions: gauge("run_partitions", "Partitions in the run's plan"),
  partitionsDone: gauge("run_partitions_done", "Partitions that have reached their planned end"),
  offsets: gauge("run_offsets", "Offsets in the run's plan; an upper bound of its records"),
  offsetsDone: gauge("run_offsets_done", "Offsets that are covered so far, earlier attempts included"),
  attempt: gauge("run_attempt", "Which attempt of the run this is, from 1; 0 before it has claimed the run"),
  step: gauge("run_step", "1 for what the run is doing now, 0 for the other steps"),
  paused: gauge("run_paused", "1 while work waits for a store or broker that does not answer; of several, the first"),
  openings: counter("circuit_openings_total", "How often the circuit breaker of a store or broker opened"),
  waited: counter("circuit_waited_seconds_total", "How long work has waited for a store or broker")
}

/** All metrics of a run in Prometheus' text format, version 0.0.4. `nowMillis` is the present moment. */
export const text = (progress: RunProgress.RunProgress, nowMillis: number): Effect.Effect<string> =>
  Effect.gen(function* () {
    const { paused } = progress
    const counters = ["records", "fetchedBytes", "storedBytes", "segments"] as const
    const gauges = ["partitions", "partitionsDone", "offsets", "offsetsDone", "attempt"] as const
    for (const name of counters) yield* Metric.update(metrics[name], progress[name])
    for (const name of gauges) yield* Metric.update(metrics[name], progress[name])
    for (const step of steps) {
      yield* Metric.update(Metric.withAttributes(metrics.step, { step }), step === progress.step ? 1 : 0)
    }
    for (const { openings, target, waitedMillis } of progress.interruptions) {
      const isPaused = paused?.target === target
      const waiting = isPaused ? Math.max(0, nowMillis - paused.sinceMillis) : 0
      yield* Metric.update(Metric.withAttributes(metrics.paused, { target }), isPaused ? 1 : 0)
      yield* Metric.update(Metric.withAttributes(metrics.openings, { target }), openings)
      yield* Metric.update(Metric.withAttributes(metrics.waited, { target }), (waitedMillis + waiting) / 1000)
    }
    return yield* PrometheusMetrics.format()
    // A registry of its own for each scrape: totals are set, not added to what was said before.
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
