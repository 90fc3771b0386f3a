import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { FamilyName, LabelsOf } from "./OperatorFamilies.ts"
import type { Phase, ResourceRef, ResourceState, RunEnd, SkipReason } from "./OperatorReport.ts"

/**
 * Reasons of one resource that get a series of their own. A reason comes from a pod's termination message, and anybody
 * who may make pods in the resource's namespace can write any text there.
 */
const maxReasons = 32

/** The series of one resource, so that they can be removed. */
interface Known {
  readonly labels: { readonly resource_namespace: string; readonly name: string }
  /** What removes each series, by family and labels. */
  readonly removals: Map<string, Effect.Effect<void>>
  readonly reasons: Set<string>
  phase: Phase | undefined
}

const phases = ["Pending", "Running", "Completed", "Failed"] as const

export interface ResourceSeries {
  readonly state: (ref: ResourceRef, state: ResourceState) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
  readonly runEnded: (ref: ResourceRef, end: RunEnd) => Effect.Effect<void>
  readonly slotsSkipped: (ref: ResourceRef, reason: SkipReason, count: number) => Effect.Effect<void>
  readonly pruneEnded: (ref: ResourceRef, outcome: "success" | "failed") => Effect.Effect<void>
}

/** Series that come and go with their resource. */
export const make = (series: MetricSeries): ResourceSeries => {
  const resources = new Map<string, Known>()
  const key = ({ name, namespace }: ResourceRef) => `${namespace}/${name}`

  const remember = <N extends FamilyName>(known: Known, name: N, labels: LabelsOf<N>) => {
    const id = `${name} ${Object.values(labels).join(" ")}`
    if (!known.removals.has(id)) known.removals.set(id, series.remove(name, labels))
    return id
  }
  const add = <N extends FamilyName>(known: Known, name: N, labels: LabelsOf<N>, amount: number) => {
    remember(known, name, labels)
    return series.add(name, labels, amount)
  }
  const set = (known: Known, name: PlainGauge, value: number | undefined) => {
    const id = remember(known, name, known.labels)
    if (value !== undefined) return series.set(name, known.labels, value)
    known.removals.delete(id)
    return series.remove(name, known.labels)
  }

  /** Counters exist with 0 before anything is counted. */
  const known = Effect.fnUntraced(function* (ref: ResourceRef) {
    const there = resources.get(key(ref))
    if (there !== undefined) return there
    const labels = { resource_namespace: ref.namespace, name: ref.name }
    const fresh: Known = { labels, removals: new Map(), reasons: new Set(), phase: undefined }
    resources.set(key(ref), fresh)
    for (const outcome of ["success", "failed", "interrupted"] as const) {
      yield* add(fresh, "runs_total", { ...labels, outcome }, 0)
    }
    for (const reason of ["Missed", "TooLate", "Overlapping"] as const) {
      yield* add(fresh, "skipped_slots_total", { ...labels, reason }, 0)
    }
    for (const outcome of ["success", "failed"] as const) yield* add(fresh, "prunes_total", { ...labels, outcome }, 0)
    yield* add(fresh, "run_bytes_total", labels, 0)
    yield* add(fresh, "run_records_total", labels, 0)
    return fresh
  })

  const countPhases = Effect.suspend(() => {
    const all = [...resources.values()]
    return Effect.forEach(
      phases,
      (phase) => series.set("resources", { phase }, all.filter((one) => one.phase === phase).length),
      { discard: true }
    )
  })

  const remove = (one: Known) => Effect.forEach(one.removals.values(), (removal) => removal, { discard: true })

  return {
    state: Effect.fnUntraced(function* (ref: ResourceRef, state: ResourceState) {
      const { expected, isReady, lastSuccess, phase, queuedSinceMillis } = state
      const one = yield* known(ref)
      yield* set(one, "ready", isReady ? 1 : 0)
      yield* set(one, "last_success_timestamp_seconds", seconds(lastSuccess?.atMillis))
      yield* set(one, "last_success_size_bytes", lastSuccess?.sizeBytes)
      yield* set(one, "last_success_records", lastSuccess?.records)
      yield* set(one, "schedule_expected_interval_seconds", expected?.intervalSeconds)
      yield* set(one, "scheduled_since_timestamp_seconds", seconds(expected?.sinceMillis))
      yield* set(one, "queued_since_timestamp_seconds", seconds(queuedSinceMillis))
      if (one.phase === phase) return
      one.phase = phase
      yield* countPhases
    }),
    forget: Effect.fnUntraced(function* (ref: ResourceRef) {
      const one = resources.get(key(ref))
      if (one === undefined) return
      resources.delete(key(ref))
      yield* remove(one)
      yield* countPhases
    }),
    forgetAll: Effect.suspend(() => {
      const all = [...resources.values()]
      resources.clear()
      return Effect.andThen(Effect.forEach(all, remove, { discard: true }), countPhases)
    }),
    runEnded: Effect.fnUntraced(function* (ref: ResourceRef, end: RunEnd) {
      const one = yield* known(ref)
      yield* add(one, "runs_total", { ...one.labels, outcome: end.outcome }, 1)
      yield* set(one, "last_run_duration_seconds", Math.max(0, end.durationSeconds))
      if (end.outcome === "success") {
        yield* add(one, "run_bytes_total", one.labels, end.addedBytes ?? 0)
        yield* add(one, "run_records_total", one.labels, end.addedRecords ?? 0)
      } else {
        const reason = boundedReason(one.reasons, end.reason)
        yield* add(one, "run_failures_total", { ...one.labels, reason }, 1)
      }
    }),
    slotsSkipped: Effect.fnUntraced(function* (ref: ResourceRef, reason: SkipReason, count: number) {
      const one = yield* known(ref)
      yield* add(one, "skipped_slots_total", { ...one.labels, reason }, count)
    }),
    pruneEnded: Effect.fnUntraced(function* (ref: ResourceRef, outcome: "success" | "failed") {
      const one = yield* known(ref)
      yield* add(one, "prunes_total", { ...one.labels, outcome }, 1)
    })
  }
}

type PlainGauge =
  | "ready"
  | "last_success_timestamp_seconds"
  | "last_success_size_bytes"
  | "last_success_records"
  | "schedule_expected_interval_seconds"
  | "scheduled_since_timestamp_seconds"
  | "queued_since_timestamp_seconds"
  | "last_run_duration_seconds"

const seconds = (millis: number | undefined) => (millis === undefined ? undefined : millis / 1000)

/** The reason as a label: a word that is new after `maxReasons` others is `Other`. */
export const boundedReason = (seen: Set<string>, reason: string | undefined): string => {
  if (reason === undefined || !/^[A-Z][A-Za-z0-9]{0,63}$/u.test(reason)) return "Other"
  if (seen.has(reason)) return reason
  if (seen.size >= maxReasons) return "Other"
  seen.add(reason)
  return reason
}
