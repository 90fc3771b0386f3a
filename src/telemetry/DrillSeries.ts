import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { DrillEnd, DrillState, ResourceRef } from "./OperatorReport.ts"
import * as OwnedSeries from "./OwnedSeries.ts"

const outcomes = ["passed", "failed", "incomplete"] as const

export interface DrillSeries {
  readonly state: (ref: ResourceRef, state: DrillState) => Effect.Effect<void>
  readonly ended: (ref: ResourceRef, end: DrillEnd) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
}

type PlainGauge =
  | "restorable"
  | "drill_last_passed_timestamp_seconds"
  | "drill_scheduled_since_timestamp_seconds"
  | "drill_expected_interval_seconds"
  | "drill_estimated_restore_seconds"
  | "drill_last_duration_seconds"

const seconds = (millis: number | undefined) => (millis === undefined ? undefined : millis / 1000)

/** Series that come and go with the `spec.drill` of their KafkaBackup. */
export const make = (series: MetricSeries): DrillSeries => {
  const { add, forget, forgetAll, of, set } = OwnedSeries.make<PlainGauge>(series, undefined, (one, add) =>
    Effect.forEach(outcomes, (outcome) => add(one, "drills_total", { ...one.labels, outcome }, 0), { discard: true })
  )
  return {
    state: Effect.fnUntraced(function* (ref, { estimatedSeconds, expected, isRestorable, lastPassedMillis }) {
      const one = yield* of(ref)
      yield* set(one, "restorable", isRestorable === undefined ? undefined : isRestorable ? 1 : 0)
      yield* set(one, "drill_last_passed_timestamp_seconds", seconds(lastPassedMillis))
      yield* set(one, "drill_scheduled_since_timestamp_seconds", seconds(expected?.sinceMillis))
      yield* set(one, "drill_expected_interval_seconds", expected?.intervalSeconds)
      yield* set(one, "drill_estimated_restore_seconds", estimatedSeconds)
    }),
    ended: Effect.fnUntraced(function* (ref, { durationSeconds, outcome, reason }) {
      const one = yield* of(ref)
      yield* add(one, "drills_total", { ...one.labels, outcome }, 1)
      yield* set(one, "drill_last_duration_seconds", Math.max(0, durationSeconds))
      if (outcome === "passed") return
      const named = OwnedSeries.boundedReason(one.reasons, reason)
      yield* add(one, "drill_failures_total", { ...one.labels, reason: named }, 1)
    }),
    forget,
    forgetAll
  }
}
