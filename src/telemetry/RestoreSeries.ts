import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { ResourceRef, RestoreEnd, RestoreState } from "./OperatorReport.ts"
import * as OwnedSeries from "./OwnedSeries.ts"

const outcomes = ["success", "dry_run", "failed", "interrupted"] as const

export interface RestoreSeries {
  readonly state: (ref: ResourceRef, state: RestoreState) => Effect.Effect<void>
  readonly ended: (ref: ResourceRef, end: RestoreEnd) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
}

/** Series that come and go with their KafkaRestore. */
export const make = (series: MetricSeries): RestoreSeries => {
  const { add, forget, forgetAll, of, set, setPhase } = OwnedSeries.make<PlainGauge>(series, "restores", (one, add) =>
    Effect.forEach(outcomes, (outcome) => add(one, "restores_ended_total", { ...one.labels, outcome }, 0), {
      discard: true
    })
  )

  return {
    state: Effect.fnUntraced(function* (ref, { isReady, phase, progressRatio, records }) {
      const one = yield* of(ref)
      yield* set(one, "restore_ready", isReady ? 1 : 0)
      yield* set(one, "restore_failed", phase === "Failed" ? 1 : 0)
      yield* set(one, "restore_progress_ratio", progressRatio)
      yield* set(one, "restore_records", records)
      yield* setPhase(one, phase)
    }),
    ended: Effect.fnUntraced(function* (ref, { durationSeconds, outcome, reason }) {
      const one = yield* of(ref)
      yield* add(one, "restores_ended_total", { ...one.labels, outcome }, 1)
      yield* set(one, "restore_last_duration_seconds", Math.max(0, durationSeconds))
      if (outcome === "success" || outcome === "dry_run") return
      const named = OwnedSeries.boundedReason(one.reasons, reason)
      yield* add(one, "restore_failures_total", { ...one.labels, reason: named }, 1)
    }),
    forget,
    forgetAll
  }
}

type PlainGauge =
  | "restore_ready"
  | "restore_failed"
  | "restore_progress_ratio"
  | "restore_records"
  | "restore_last_duration_seconds"
