import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { ResourceRef, ResourceState, RunEnd, SkipReason } from "./OperatorReport.ts"
import * as OwnedSeries from "./OwnedSeries.ts"

export interface ResourceSeries {
  readonly state: (ref: ResourceRef, state: ResourceState) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
  readonly runEnded: (ref: ResourceRef, end: RunEnd) => Effect.Effect<void>
  readonly slotsSkipped: (ref: ResourceRef, reason: SkipReason, count: number) => Effect.Effect<void>
  readonly pruneEnded: (ref: ResourceRef, outcome: "success" | "failed") => Effect.Effect<void>
}

/** Series that come and go with their KafkaBackup. */
export const make = (series: MetricSeries): ResourceSeries => {
  const { add, forget, forgetAll, of, set, setPhase } = OwnedSeries.make<PlainGauge>(
    series,
    "resources",
    Effect.fnUntraced(function* (one, add) {
      const { labels } = one
      for (const outcome of ["success", "failed", "interrupted"] as const) {
        yield* add(one, "runs_total", { ...labels, outcome }, 0)
      }
      for (const reason of ["Missed", "TooLate", "Overlapping"] as const) {
        yield* add(one, "skipped_slots_total", { ...labels, reason }, 0)
      }
      for (const outcome of ["success", "failed"] as const) yield* add(one, "prunes_total", { ...labels, outcome }, 0)
      yield* add(one, "run_bytes_total", labels, 0)
      yield* add(one, "run_records_total", labels, 0)
      yield* add(one, "run_verified_bytes_total", labels, 0)
      yield* add(one, "run_healed_objects_total", labels, 0)
    })
  )

  return {
    state: Effect.fnUntraced(function* (ref: ResourceRef, state: ResourceState) {
      const { expected, isDataVerified, isReady, lastOutcome, lastSuccess, phase, queuedSinceMillis } = state
      const one = yield* of(ref)
      yield* set(one, "ready", isReady ? 1 : 0)
      yield* set(one, "suspended", state.isSuspended === true ? 1 : 0)
      yield* set(one, "last_run_failed", lastOutcome === undefined ? undefined : lastOutcome === "success" ? 0 : 1)
      yield* set(one, "last_success_timestamp_seconds", seconds(lastSuccess?.atMillis))
      yield* set(one, "last_success_size_bytes", lastSuccess?.sizeBytes)
      yield* set(one, "last_success_records", lastSuccess?.records)
      yield* set(one, "schedule_expected_interval_seconds", expected?.intervalSeconds)
      yield* set(one, "scheduled_since_timestamp_seconds", seconds(expected?.sinceMillis))
      yield* set(one, "queued_since_timestamp_seconds", seconds(queuedSinceMillis))
      yield* set(one, "damaged_backups", state.damagedBackups)
      yield* set(one, "locked_backups", state.lockedBackups)
      yield* set(one, "data_verified", isDataVerified === undefined ? undefined : isDataVerified ? 1 : 0)
      yield* set(one, "oldest_read_timestamp_seconds", seconds(state.oldestReadMillis))
      yield* set(one, "stored_bytes", state.storedBytes)
      yield* setPhase(one, phase)
    }),
    forget,
    forgetAll,
    runEnded: Effect.fnUntraced(function* (ref: ResourceRef, end: RunEnd) {
      const one = yield* of(ref)
      yield* add(one, "runs_total", { ...one.labels, outcome: end.outcome }, 1)
      yield* set(one, "last_run_duration_seconds", Math.max(0, end.durationSeconds))
      if (end.outcome === "success") {
        yield* add(one, "run_bytes_total", one.labels, end.addedBytes ?? 0)
        yield* add(one, "run_records_total", one.labels, end.addedRecords ?? 0)
        yield* add(one, "run_verified_bytes_total", one.labels, end.verifiedBytes ?? 0)
        yield* add(one, "run_healed_objects_total", one.labels, end.healedObjects ?? 0)
      } else {
        const reason = OwnedSeries.boundedReason(one.reasons, end.reason)
        yield* add(one, "run_failures_total", { ...one.labels, reason }, 1)
      }
    }),
    slotsSkipped: Effect.fnUntraced(function* (ref: ResourceRef, reason: SkipReason, count: number) {
      const one = yield* of(ref)
      yield* add(one, "skipped_slots_total", { ...one.labels, reason }, count)
    }),
    pruneEnded: Effect.fnUntraced(function* (ref: ResourceRef, outcome: "success" | "failed") {
      const one = yield* of(ref)
      yield* add(one, "prunes_total", { ...one.labels, outcome }, 1)
    })
  }
}

type PlainGauge =
  | "ready"
  | "suspended"
  | "last_run_failed"
  | "last_success_timestamp_seconds"
  | "last_success_size_bytes"
  | "last_success_records"
  | "schedule_expected_interval_seconds"
  | "scheduled_since_timestamp_seconds"
  | "queued_since_timestamp_seconds"
  | "damaged_backups"
  | "locked_backups"
  | "data_verified"
  | "oldest_read_timestamp_seconds"
  | "stored_bytes"
  | "last_run_duration_seconds"

const seconds = (millis: number | undefined) => (millis === undefined ? undefined : millis / 1000)
