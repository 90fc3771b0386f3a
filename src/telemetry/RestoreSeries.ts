import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { FamilyName, LabelsOf } from "./OperatorFamilies.ts"
import type { Phase, ResourceRef, RestoreEnd, RestoreState } from "./OperatorReport.ts"
import { boundedReason } from "./ResourceSeries.ts"

/** The series of one restore, so that they can be removed. */
interface Known {
  readonly labels: { readonly resource_namespace: string; readonly name: string }
  /** What removes each series, by family and labels. */
  readonly removals: Map<string, Effect.Effect<void>>
  readonly reasons: Set<string>
  phase: Phase | undefined
}

const phases = ["Pending", "Running", "Completed", "Failed"] as const
const outcomes = ["success", "dry_run", "failed", "interrupted"] as const

export interface RestoreSeries {
  readonly state: (ref: ResourceRef, state: RestoreState) => Effect.Effect<void>
  readonly ended: (ref: ResourceRef, end: RestoreEnd) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
}

/** Series that come and go with their KafkaRestore. */
export const make = (series: MetricSeries): RestoreSeries => {
  const restores = new Map<string, Known>()
  const key = ({ name, namespace }: ResourceRef) => `${namespace}/${name}`

  const remember = <N extends FamilyName>(known: Known, name: N, labels: LabelsOf<N>) => {
    const id = `${name} ${Object.values(labels).join(" ")}`
    if (!known.removals.has(id)) known.removals.set(id, series.remove(name, labels))
  }
  const add = <N extends FamilyName>(known: Known, name: N, labels: LabelsOf<N>, amount: number) => {
    remember(known, name, labels)
    return series.add(name, labels, amount)
  }
  const set = (
    known: Known,
    name:
      | "restore_ready"
      | "restore_failed"
      | "restore_progress_ratio"
      | "restore_records"
      | "restore_last_duration_seconds",
    value: number
  ) => {
    remember(known, name, known.labels)
    return series.set(name, known.labels, value)
  }

  /** Counters exist with 0 before anything is counted. */
  const known = Effect.fnUntraced(function* (ref: ResourceRef) {
    const there = restores.get(key(ref))
    if (there !== undefined) return there
    const labels = { resource_namespace: ref.namespace, name: ref.name }
    const fresh: Known = { labels, removals: new Map(), reasons: new Set(), phase: undefined }
    restores.set(key(ref), fresh)
    for (const outcome of outcomes) yield* add(fresh, "restores_ended_total", { ...labels, outcome }, 0)
    return fresh
  })

  const countPhases = Effect.suspend(() => {
    const all = [...restores.values()]
    return Effect.forEach(
      phases,
      (phase) => series.set("restores", { phase }, all.filter((one) => one.phase === phase).length),
      { discard: true }
    )
  })

  const remove = (one: Known) => Effect.forEach(one.removals.values(), (removal) => removal, { discard: true })

  return {
    state: Effect.fnUntraced(function* (ref, { isReady, phase, progressRatio, records }) {
      const one = yield* known(ref)
      yield* set(one, "restore_ready", isReady ? 1 : 0)
      yield* set(one, "restore_failed", phase === "Failed" ? 1 : 0)
      yield* set(one, "restore_progress_ratio", progressRatio)
      yield* set(one, "restore_records", records)
      if (one.phase === phase) return
      one.phase = phase
      yield* countPhases
    }),
    ended: Effect.fnUntraced(function* (ref, { durationSeconds, outcome, reason }) {
      const one = yield* known(ref)
      yield* add(one, "restores_ended_total", { ...one.labels, outcome }, 1)
      yield* set(one, "restore_last_duration_seconds", Math.max(0, durationSeconds))
      if (outcome === "success" || outcome === "dry_run") return
      yield* add(one, "restore_failures_total", { ...one.labels, reason: boundedReason(one.reasons, reason) }, 1)
    }),
    forget: Effect.fnUntraced(function* (ref) {
      const one = restores.get(key(ref))
      if (one === undefined) return
      restores.delete(key(ref))
      yield* remove(one)
      yield* countPhases
    }),
    forgetAll: Effect.suspend(() => {
      const all = [...restores.values()]
      restores.clear()
      return Effect.andThen(Effect.forEach(all, remove, { discard: true }), countPhases)
    })
  }
}
