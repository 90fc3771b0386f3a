import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { OffsetEnd, Phase, ResourceRef } from "./OperatorReport.ts"
import * as OwnedSeries from "./OwnedSeries.ts"

const outcomes = ["success", "dry_run", "failed", "interrupted"] as const

/** The families of each kind. */
const families = {
  KafkaOffsetReset: ["offset_resets", "offset_reset_failed", "offset_resets_ended_total"],
  KafkaOffsetRollback: ["offset_rollbacks", "offset_rollback_failed", "offset_rollbacks_ended_total"]
} as const

export type OffsetKind = keyof typeof families

export interface OffsetSeries {
  readonly state: (ref: ResourceRef, phase: Phase) => Effect.Effect<void>
  readonly ended: (ref: ResourceRef, outcome: OffsetEnd) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
}

/** Series that come and go with the resources of this kind. */
export const make = (series: MetricSeries, kind: OffsetKind): OffsetSeries => {
  const [counted, failed, ended] = families[kind]
  const { add, forget, forgetAll, of, set, setPhase } = OwnedSeries.make<
    "offset_reset_failed" | "offset_rollback_failed"
  >(series, counted, (one, add) =>
    Effect.forEach(outcomes, (outcome) => add(one, ended, { ...one.labels, outcome }, 0), { discard: true })
  )
  return {
    state: Effect.fnUntraced(function* (ref, phase) {
      const one = yield* of(ref)
      yield* set(one, failed, phase === "Failed" ? 1 : 0)
      yield* setPhase(one, phase)
    }),
    ended: (ref, outcome) => Effect.flatMap(of(ref), (one) => add(one, ended, { ...one.labels, outcome }, 1)),
    forget,
    forgetAll
  }
}
