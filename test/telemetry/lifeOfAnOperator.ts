import { Effect } from "effect"
import type * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import type { ResourceRef } from "../../src/telemetry/OperatorReport.ts"

/**
 * What an operator says in its life, in short: a success, a failure, a skipped slot, a prune, drills, a restore, and
 * what it does all the time.
 */
export const lifeOfAnOperator = Effect.fnUntraced(function* (
  metrics: OperatorMetrics.OperatorMetrics["Service"],
  ref: ResourceRef = { namespace: "orders", name: "nightly" }
) {
  yield* metrics.leadership(true)
  yield* metrics.workQueueDepth(1)
  yield* metrics.apiRequest({ verb: "list", kind: "kafkabackups", status: 200, millis: 20 })
  yield* metrics.reconciled("changed", 0.004)
  yield* metrics.resource(ref, { phase: "Running", isReady: true })
  yield* metrics.activeRuns(1)
  yield* metrics.startingRuns(0)
  yield* metrics.queuedRuns(0)
  yield* metrics.runEnded(ref, {
    outcome: "success",
    durationSeconds: 42,
    addedBytes: 1000,
    addedRecords: 10,
    verifiedBytes: 20,
    healedObjects: 1
  })
  yield* metrics.runEnded(ref, { outcome: "failed", reason: "TopicMissing", durationSeconds: 2 })
  yield* metrics.slotsSkipped(ref, "Overlapping", 2)
  yield* metrics.pruneEnded(ref, "success")
  yield* metrics.eventsDropped("rate_limited")
  yield* metrics.eventLoopLag({ mean: 0.001, p99: 0.01, max: 0.02 })
  yield* metrics.drills({ active: 1, queued: 0 })
  yield* metrics.drillEnded(ref, { outcome: "failed", reason: "Differs", durationSeconds: 5 })
  yield* metrics.drillEnded(ref, { outcome: "passed", durationSeconds: 6 })
  yield* metrics.drill(ref, {
    isRestorable: true,
    lastPassedMillis: 1_764_000_000_000,
    estimatedSeconds: 312,
    expected: { intervalSeconds: 604_800, sinceMillis: 1_763_990_000_000 }
  })
  yield* metrics.restore(ref, { phase: "Running", isReady: false, progressRatio: 0.4, records: 40 })
  yield* metrics.restoreEnded(ref, { outcome: "failed", reason: "PreflightFailed", durationSeconds: 3 })
  yield* metrics.restoreEnded(ref, { outcome: "success", durationSeconds: 60 })
  for (const kind of ["KafkaOffsetReset", "KafkaOffsetRollback"] as const) {
    yield* metrics.offsets(kind, ref, "Running")
    yield* metrics.offsetsEnded(kind, ref, "success")
  }
  yield* metrics.resource(ref, {
    phase: "Completed",
    isReady: true,
    isSuspended: false,
    lastOutcome: "success",
    lastSuccess: { atMillis: 1_764_000_000_000, sizeBytes: 1000, records: 10 },
    expected: { intervalSeconds: 3600, sinceMillis: 1_763_990_000_000 },
    queuedSinceMillis: 1_764_003_600_000,
    damagedBackups: 1,
    lockedBackups: 1,
    isDataVerified: false,
    oldestReadMillis: 1_763_900_000_000,
    storedBytes: 5000
  })
})
