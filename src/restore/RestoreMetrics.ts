import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import type { RestoreProgress } from "./RestoreProgress.ts"

/* The metrics of a restore for Prometheus, all derived from its progress at the moment of the scrape. */

const counter = (name: string, description: string) =>
  Metric.counter(`kafka_restore_${name}`, { description, incremental: true })
const gauge = (name: string, description: string) => Metric.gauge(`kafka_restore_${name}`, { description })

const steps = ["connecting", "checking", "writing", "done"] as const

const metrics = {
  records: gauge("records", "Records of the restore's plan"),
  recordsDone: gauge("records_done", "Records that are in the target cluster, those of earlier attempts included"),
  bytes: counter("written_bytes_total", "Compressed bytes written by this attempt, counted when the brokers have them"),
  partitions: gauge("partitions", "Partitions of the restore's plan"),
  partitionsDone: gauge("partitions_done", "Partitions that were written, read back and compared"),
  step: gauge("step", "1 for the current step of the restore, 0 for the other steps")
}

/** All metrics of a restore in Prometheus' text format, version 0.0.4. */
export const text = (progress: RestoreProgress): Effect.Effect<string> =>
  Effect.gen(function* () {
    yield* Metric.update(metrics.records, progress.recordsTotal)
    yield* Metric.update(metrics.recordsDone, progress.records)
    yield* Metric.update(metrics.bytes, progress.bytes)
    yield* Metric.update(metrics.partitions, progress.partitions)
    yield* Metric.update(metrics.partitionsDone, progress.partitionsDone)
    for (const step of steps) {
      yield* Metric.update(Metric.withAttributes(metrics.step, { step }), step === progress.step ? 1 : 0)
    }
    return yield* PrometheusMetrics.format()
    // Each scrape has its own registry: totals are set, not added to those of the last scrape.
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
