import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import * as RunProgress from "./RunProgress.ts"

/*
 * The metrics of a run for Prometheus, all derived from its progress at the moment of the scrape, so that counting
 * costs the run nothing.
 */

const counter = (name: string, description: string) =>
  Metric.counter(`kafka_backup_${name}`, { description, incremental: true })
const gauge = (name: string, description: string) => Metric.gauge(`kafka_backup_${name}`, { description })

const steps = ["claiming", "planning", "reading", "verifying", "rereading", "retaining", "done"] as const

const metrics = {
  records: counter("run_records_total", "Records read from Kafka by this attempt"),
  fetchedBytes: counter("run_fetched_bytes_total", "Bytes read from Kafka by this attempt"),
  storedBytes: counter("run_stored_bytes_total", "Bytes stored by this attempt, counted when they are durable"),
  segments: counter("run_segments_total", "Segments stored by this attempt, counted when they are durable"),
  partitions: gauge("run_partitions", "Partitions in the run's plan"),
  partitionsDone: gauge("run_partitions_done", "Partitions that have reached their planned end"),
  offsets: gauge("run_offsets", "Offsets in the run's plan; an upper bound of its records"),
  offsetsDone: gauge("run_offsets_done", "Offsets covered so far, by earlier attempts too"),
  attempt: gauge("run_attempt", "Number of this attempt, from 1; 0 before it has claimed the run"),
  step: gauge("run_step", "1 for the current step of the run, 0 for the other steps"),
  paused: gauge(
    "run_paused",
    "1 while work waits for this store or broker; if it waits for several, 1 for the first only"
  ),
  openings: counter("circuit_openings_total", "How often the circuit breaker of a store or broker opened"),
  waited: counter("circuit_waited_seconds_total", "Total time that work has waited for a store or broker")
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
    // Each scrape has its own registry: totals are set, not added to those of the last scrape.
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
