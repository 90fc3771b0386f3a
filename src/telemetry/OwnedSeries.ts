import { Effect } from "effect"
import type { MetricSeries } from "./MetricSeries.ts"
import type { FamilyName, LabelsOf } from "./OperatorFamilies.ts"
import type { Phase, ResourceRef } from "./OperatorReport.ts"

/**
 * Reasons of one resource that get a series of their own. A reason comes from a pod's termination message, and anybody
 * who may make pods in the resource's namespace can write any text there.
 */
const maxReasons = 32

/** The series of one resource, so that they can be removed. */
export interface Owned {
  readonly labels: { readonly resource_namespace: string; readonly name: string }
  /** What removes each series, by family and labels. */
  readonly removals: Map<string, Effect.Effect<void>>
  readonly reasons: Set<string>
  phase: Phase | undefined
}

/** Families without labels but those of the resource. */
type PlainName = { [N in FamilyName]: Owned["labels"] extends LabelsOf<N> ? N : never }[FamilyName]

const phases = ["Pending", "Running", "Completed", "Failed"] as const

/** Series that come and go with resources of one kind. */
export interface OwnedSeries<G extends PlainName> {
  /** The resource's series; new ones begin as `make` was told. */
  readonly of: (ref: ResourceRef) => Effect.Effect<Owned>
  readonly add: <N extends FamilyName>(one: Owned, name: N, labels: LabelsOf<N>, amount: number) => Effect.Effect<void>
  /** Sets a gauge; without a value its series is removed. */
  readonly set: (one: Owned, name: G, value: number | undefined) => Effect.Effect<void>
  readonly setPhase: (one: Owned, phase: Phase) => Effect.Effect<void>
  readonly forget: (ref: ResourceRef) => Effect.Effect<void>
  readonly forgetAll: Effect.Effect<void>
}

/**
 * `G`: the gauges. `counted`: the gauge of resources in each phase, where there is one. `begin` shows the counters of a
 * new resource with 0, before anything is counted.
 */
export const make = <G extends PlainName>(
  series: MetricSeries,
  counted: "resources" | "restores" | "offset_resets" | "offset_rollbacks" | undefined,
  begin: (one: Owned, add: OwnedSeries<G>["add"]) => Effect.Effect<void>
): OwnedSeries<G> => {
  const resources = new Map<string, Owned>()
  const key = ({ name, namespace }: ResourceRef) => `${namespace}/${name}`

  const remember = <N extends FamilyName>(one: Owned, name: N, labels: LabelsOf<N>) => {
    const id = `${name} ${Object.values(labels).join(" ")}`
    if (!one.removals.has(id)) one.removals.set(id, series.remove(name, labels))
    return id
  }
  const add = <N extends FamilyName>(one: Owned, name: N, labels: LabelsOf<N>, amount: number) => {
    remember(one, name, labels)
    return series.add(name, labels, amount)
  }

  const countPhases = Effect.suspend(() => {
    if (counted === undefined) return Effect.void
    const all = [...resources.values()]
    return Effect.forEach(
      phases,
      (phase) => series.set(counted, { phase }, all.filter((one) => one.phase === phase).length),
      { discard: true }
    )
  })

  const remove = (one: Owned) => Effect.forEach(one.removals.values(), (removal) => removal, { discard: true })

  return {
    of: Effect.fnUntraced(function* (ref) {
      const there = resources.get(key(ref))
      if (there !== undefined) return there
      const labels = { resource_namespace: ref.namespace, name: ref.name }
      const fresh: Owned = { labels, removals: new Map(), reasons: new Set(), phase: undefined }
      resources.set(key(ref), fresh)
      yield* begin(fresh, add)
      return fresh
    }),
    add,
    set: (one, name, value) => {
      const labels = one.labels as LabelsOf<G>
      const id = remember(one, name, labels)
      if (value !== undefined) return series.set(name, labels, value)
      one.removals.delete(id)
      return series.remove(name, labels)
    },
    setPhase: (one, phase) => {
      if (one.phase === phase) return Effect.void
      one.phase = phase
      return countPhases
    },
    forget: Effect.fnUntraced(function* (ref) {
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
    })
  }
}

/** The reason as a label: a word that is new after `maxReasons` others is `Other`. */
export const boundedReason = (seen: Set<string>, reason: string | undefined): string => {
  if (reason === undefined || !/^[A-Z][A-Za-z0-9]{0,63}$/u.test(reason)) return "Other"
  if (seen.has(reason)) return reason
  if (seen.size >= maxReasons) return "Other"
  seen.add(reason)
  return reason
}
