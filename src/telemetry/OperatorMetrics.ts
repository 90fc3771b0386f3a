import { Context, Effect, Layer } from "effect"
import * as DrillSeries from "./DrillSeries.ts"
import * as MetricSeries from "./MetricSeries.ts"
import type {
  ApiRequest,
  DrillEnd,
  DrillState,
  DroppedEvent,
  LoopLag,
  OffsetEnd,
  Phase,
  ReconcileResult,
  ResourceRef,
  ResourceState,
  RestoreEnd,
  RestoreState,
  RunEnd,
  SkipReason
} from "./OperatorReport.ts"
import * as OffsetSeries from "./OffsetSeries.ts"
import * as ResourceSeries from "./ResourceSeries.ts"
import * as RestoreSeries from "./RestoreSeries.ts"

/**
 * What the operator counts about itself and its resources. Nothing here fails or waits. Counters begin at 0 with the
 * process; the families and their labels are defined in OperatorFamilies.
 */
export class OperatorMetrics extends Context.Service<
  OperatorMetrics,
  {
    /**
     * The state of the resource. Reported at every reconcile; the first report makes the resource's counters visible at
     * 0.
     */
    readonly resource: (ref: ResourceRef, state: ResourceState) => Effect.Effect<void>
    /** The resource is gone: so are all its series. */
    readonly forget: (ref: ResourceRef) => Effect.Effect<void>
    /** Another replica leads now: the series of all resources end here. */
    readonly forgetAll: Effect.Effect<void>
    /** Reported once for each run. */
    readonly runEnded: (ref: ResourceRef, end: RunEnd) => Effect.Effect<void>
    readonly slotsSkipped: (ref: ResourceRef, reason: SkipReason, count: number) => Effect.Effect<void>
    readonly pruneEnded: (ref: ResourceRef, outcome: "success" | "failed") => Effect.Effect<void>
    /** The state of the drills of a resource whose spec asks for them. Reported at every reconcile. */
    readonly drill: (ref: ResourceRef, state: DrillState) => Effect.Effect<void>
    /** Reported once for each drill. */
    readonly drillEnded: (ref: ResourceRef, end: DrillEnd) => Effect.Effect<void>
    /** The spec no longer asks for drills: their series are gone. */
    readonly forgetDrills: (ref: ResourceRef) => Effect.Effect<void>
    /** The state of a KafkaRestore. Reported at every reconcile. */
    readonly restore: (ref: ResourceRef, state: RestoreState) => Effect.Effect<void>
    /** Reported once for each Job. */
    readonly restoreEnded: (ref: ResourceRef, end: RestoreEnd) => Effect.Effect<void>
    /** The KafkaRestore is gone: so are all its series. */
    readonly forgetRestore: (ref: ResourceRef) => Effect.Effect<void>
    /** The state of a KafkaOffsetReset or KafkaOffsetRollback. Reported at every reconcile. */
    readonly offsets: (kind: OffsetSeries.OffsetKind, ref: ResourceRef, phase: Phase) => Effect.Effect<void>
    /** Reported once for each Job. */
    readonly offsetsEnded: (kind: OffsetSeries.OffsetKind, ref: ResourceRef, outcome: OffsetEnd) => Effect.Effect<void>
    readonly forgetOffsets: (kind: OffsetSeries.OffsetKind, ref: ResourceRef) => Effect.Effect<void>
    readonly activeRuns: (count: number) => Effect.Effect<void>
    readonly startingRuns: (count: number) => Effect.Effect<void>
    /** Drills whose Job is not finished, and drills that are due and queued. */
    readonly drills: (count: { readonly active: number; readonly queued: number }) => Effect.Effect<void>
    readonly queuedRuns: (count: number) => Effect.Effect<void>
    readonly workQueueDepth: (count: number) => Effect.Effect<void>
    readonly reconciled: (result: ReconcileResult, seconds: number) => Effect.Effect<void>
    readonly apiRequest: (request: ApiRequest) => Effect.Effect<void>
    readonly eventsDropped: (reason: DroppedEvent, count?: number) => Effect.Effect<void>
    readonly leadership: (isLeader: boolean) => Effect.Effect<void>
    readonly eventLoopLag: (lag: LoopLag) => Effect.Effect<void>
    /** All of it, in Prometheus' text format, version 0.0.4. */
    readonly text: Effect.Effect<string>
  }
>()("kafka-backup/telemetry/OperatorMetrics") {}

/** Gauges without labels. */
const plainGauges = [
  "active_runs",
  "starting_runs",
  "queued_runs",
  "active_drills",
  "queued_drills",
  "work_queue_depth",
  "leader"
] as const

const make = Effect.fnUntraced(function* (version: string) {
  const series = MetricSeries.make()
  const resources = ResourceSeries.make(series)
  const restores = RestoreSeries.make(series)
  const drills = DrillSeries.make(series)
  const offsets = {
    KafkaOffsetReset: OffsetSeries.make(series, "KafkaOffsetReset"),
    KafkaOffsetRollback: OffsetSeries.make(series, "KafkaOffsetRollback")
  }
  let wasLeader = false

  // Every series exists from the start with 0: a rate over a series that appears with its first count misses that
  // count.
  yield* series.set("build_info", { version }, 1)
  for (const gauge of plainGauges) yield* series.set(gauge, {}, 0)
  yield* series.add("leader_transitions_total", {}, 0)
  for (const result of ["unchanged", "changed", "user_must_act", "retry", "defect"] as const) {
    yield* series.add("reconciles_total", { result }, 0)
  }
  for (const reason of ["queue_full", "rate_limited", "denied", "failed"] as const) {
    yield* series.add("events_dropped_total", { reason }, 0)
  }

  return OperatorMetrics.of({
    resource: resources.state,
    forget: (ref) => Effect.andThen(resources.forget(ref), drills.forget(ref)),
    forgetAll: Effect.all(
      [
        resources.forgetAll,
        drills.forgetAll,
        restores.forgetAll,
        ...Object.values(offsets).map(({ forgetAll }) => forgetAll)
      ],
      { discard: true }
    ),
    drill: drills.state,
    drillEnded: drills.ended,
    forgetDrills: drills.forget,
    drills: ({ active, queued }) =>
      Effect.andThen(series.set("active_drills", {}, active), series.set("queued_drills", {}, queued)),
    restore: restores.state,
    restoreEnded: restores.ended,
    forgetRestore: restores.forget,
    offsets: (kind, ref, phase) => offsets[kind].state(ref, phase),
    offsetsEnded: (kind, ref, outcome) => offsets[kind].ended(ref, outcome),
    forgetOffsets: (kind, ref) => offsets[kind].forget(ref),
    runEnded: (ref, end) =>
      Effect.andThen(
        resources.runEnded(ref, end),
        series.observe("run_duration_seconds", { outcome: end.outcome }, Math.max(0, end.durationSeconds))
      ),
    slotsSkipped: resources.slotsSkipped,
    pruneEnded: resources.pruneEnded,
    activeRuns: (count) => series.set("active_runs", {}, count),
    startingRuns: (count) => series.set("starting_runs", {}, count),
    queuedRuns: (count) => series.set("queued_runs", {}, count),
    workQueueDepth: (count) => series.set("work_queue_depth", {}, count),
    reconciled: (result, seconds) =>
      Effect.andThen(
        series.add("reconciles_total", { result }, 1),
        series.observe("reconcile_duration_seconds", {}, seconds)
      ),
    apiRequest: ({ kind, millis, status, verb }) =>
      Effect.andThen(
        series.add("api_requests_total", { verb, kind, code: String(status) }, 1),
        series.observe("api_request_duration_seconds", { verb }, millis / 1000)
      ),
    eventsDropped: (reason, count = 1) => series.add("events_dropped_total", { reason }, count),
    leadership: (isLeader) =>
      Effect.suspend(() => {
        const isNew = isLeader !== wasLeader
        wasLeader = isLeader
        return Effect.andThen(
          series.set("leader", {}, isLeader ? 1 : 0),
          series.add("leader_transitions_total", {}, isNew ? 1 : 0)
        )
      }),
    eventLoopLag: (lag) =>
      Effect.forEach(
        ["mean", "p99", "max"] as const,
        (statistic) => series.set("event_loop_lag_seconds", { statistic }, lag[statistic]),
        { discard: true }
      ),
    text: series.text
  })
})

/** Metrics of one process of this version. */
export const layer = (version: string): Layer.Layer<OperatorMetrics> => Layer.effect(OperatorMetrics, make(version))
