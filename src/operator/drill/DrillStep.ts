import { Effect, Result } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { drillAnnotation, type KafkaBackup } from "../../resource/KafkaBackup.ts"
import * as Due from "../../schedule/Due.ts"
import type { RunCause } from "../../schedule/RunCause.ts"
import type { DrillFacts, DrillObservation } from "../../status/drill/DrillFacts.ts"
import * as ScheduleFields from "../../status/ScheduleFields.ts"
import * as EnsureJob from "../EnsureJob.ts"
import { isReported } from "../Caches.ts"
import type { ReconcileContext } from "../ReconcileContext.ts"
import * as JobRelease from "../JobRelease.ts"
import * as StartDeadline from "../StartDeadline.ts"
import { defaultTtlSeconds } from "../StatusReport.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"
import * as StuckEvents from "../StuckEvents.ts"
import * as Observed from "../Observed.ts"
import * as OptionalStep from "../OptionalStep.ts"
import * as DeletedDrill from "./DeletedDrill.ts"
import * as DrillDue from "./DrillDue.ts"
import * as DrillJob from "./DrillJob.ts"
import * as DrillJobState from "./DrillJobState.ts"
import * as ObservedDrills from "./ObservedDrills.ts"
import * as UnresolvedTarget from "./UnresolvedTarget.ts"

/*
 * The part of a reconcile that is about drills. It comes after the part about runs, counts its Jobs apart, and a
 * failure in it changes nothing for backups: the status keeps what it says about drills, and the step is tried again.
 */

/** What came of the step. */
export interface DrillResult {
  readonly observation: DrillObservation
  /** What is wrong with the annotation's value. */
  readonly refusedTrigger: string | undefined
  /** Jobs whose end is in the status once that is written: see `release`. */
  readonly unreported: ReadonlyArray<ObservedDrills.ObservedDrill>
  /** When to reconcile again at the latest, in milliseconds; infinite when only an event is a reason for it. */
  readonly millis: number
}

/** How often an active drill is looked at. Nothing of it is reported before its end, unless it does not start. */
const activeEveryMillis = 30_000

/** Reads the state of the resource's drills and starts the one that is due. Never fails. */
export const take = (
  context: ReconcileContext,
  observed: Observed.Observed
): Effect.Effect<DrillResult, never, KubernetesApi> =>
  OptionalStep.isolated("drill", observed, settling(context, observed), unchanged)

/** A step that fails gives its place up, or the room that it does not use would wake its resource without a pause. */
const settling = (context: ReconcileContext, observed: Observed.Observed) =>
  Effect.onError(taken(context, observed), () => Effect.sync(() => context.drillQueue.settle(observed.key)))

const unchanged: DrillResult = {
  observation: { _tag: "Unchanged" },
  refusedTrigger: undefined,
  unreported: [],
  millis: OptionalStep.failedAgainMillis
}

const taken = Effect.fnUntraced(function* (
  context: ReconcileContext,
  observed: Observed.Observed
): Effect.fn.Return<DrillResult, KubernetesError, KubernetesApi> {
  const { backup, previous } = observed
  // Without a spec that can be used nothing is known about the schedule: what is there stays until it is corrected.
  if (backup === undefined) {
    context.drillQueue.settle(observed.key)
    return { ...unchanged, millis: Infinity }
  }
  const { drill: spec } = backup.spec
  if (spec === undefined) return notWanted(context, observed)
  const drills = yield* confirmed(context, observed)
  const unreported = ObservedDrills.unreported(drills)
  const lost = yield* DeletedDrill.find(context.caches, observed)
  const running = ObservedDrills.active(drills)
  const memory = ScheduleFields.read(previous.drill ?? {})
  const due = DrillDue.decide({
    spec,
    annotations: observed.resource.metadata.annotations,
    memory,
    active: running === undefined ? undefined : Observed.causeOf(running.job),
    startedSlotMillis: ObservedDrills.startedSlotMillis(drills),
    nowMillis: observed.nowMillis
  })
  const started = yield* start(context, observed, backup, due.start)
  const active = running?.state._tag === "Active" ? running.state.drill : started.active
  const isIdle = active === undefined && started.queue === undefined && started.refusal === undefined
  const isAwaited = due.start !== undefined || due.state._tag === "Scheduled"
  const unresolved =
    isIdle && !started.exists && isAwaited
      ? yield* UnresolvedTarget.find(backup, observed.namespace, context.settings)
      : undefined
  // A status that was lost learns from all Jobs that are still there.
  const ended = ObservedDrills.ends(previous.drill === undefined ? drills : unreported)
  const facts: DrillFacts = {
    schedule: { text: spec.schedule, timeZone: spec.timeZone },
    state: due.state,
    memory: due.start === undefined || started.exists ? due.memory : Due.unstarted(memory, due),
    active,
    ended: lost === undefined ? ended : [...ended, lost],
    queue: started.queue,
    refusal: started.refusal,
    unresolved,
    usedBefore: started.usedBefore
  }
  return {
    observation: { _tag: "Found", facts },
    refusedTrigger: due.refusedTrigger,
    unreported,
    millis: Math.max(
      0,
      Math.min(
        due.requeueMillis === undefined ? Infinity : due.requeueMillis - observed.nowMillis,
        active === undefined ? Infinity : activeEveryMillis,
        started.queue === undefined ? Infinity : OptionalStep.queuedAgainMillis,
        (started.refusal ?? unresolved) === undefined ? Infinity : OptionalStep.refusedAgainMillis,
        lost === undefined ? endedMillis(unreported) : OptionalStep.endedAgainMillis
      )
    )
  }
})

/** A Job that is being deleted is let go already: its end is an event, which may not come while a node is lost. */
const endedMillis = (unreported: ReadonlyArray<ObservedDrills.ObservedDrill>): number => {
  if (unreported.length === 0) return Infinity
  const isDeleted = unreported.every(({ job }) => job.metadata.deletionTimestamp !== undefined)
  return isDeleted ? activeEveryMillis : OptionalStep.endedAgainMillis
}

/** Jobs of drills that were asked for earlier still end and are let go. */
const notWanted = ({ drillQueue }: ReconcileContext, observed: Observed.Observed): DrillResult => {
  drillQueue.settle(observed.key)
  const asked = observed.resource.metadata.annotations?.[drillAnnotation] !== undefined
  return {
    observation: { _tag: "None" },
    refusedTrigger: asked
      ? `annotation ${drillAnnotation} asks for a drill, but the resource has no spec.drill; add spec.drill with a schedule, or remove the annotation`
      : undefined,
    unreported: ObservedDrills.unreported(ObservedDrills.of(observed)),
    millis: Infinity
  }
}

/**
 * The resource's drills with what only the API server knows: pods of a Job that did not succeed, whose summary may
 * arrive after the end of the Job, and Events about a Job that is stuck.
 */
const confirmed = Effect.fnUntraced(function* ({ caches }: ReconcileContext, observed: Observed.Observed) {
  const api = yield* KubernetesApi
  const { namespace, nowMillis } = observed
  const first = ObservedDrills.of(observed)
  const doubtful = ObservedDrills.unreported(first).filter(
    ({ state }) => state._tag === "Ended" && state.drill.outcome !== "passed"
  )
  for (const { job } of doubtful) {
    const labelSelector = `batch.kubernetes.io/job-name=${job.metadata.name}`
    const { items } = yield* api.list(Kind.pods, { namespace, labelSelector })
    for (const pod of items) caches.pods.learn(pod)
  }
  const running = ObservedDrills.active(first)
  const events = running === undefined ? [] : yield* StuckEvents.about(namespace, [running], nowMillis)
  if (doubtful.length === 0 && events.length === 0) return first
  return ObservedDrills.of(Observed.of(caches, observed.resource, nowMillis), events)
})

/** What came of a drill that is due. */
interface Started extends Partial<Pick<DrillFacts, "active" | "queue" | "refusal" | "usedBefore">> {
  /** Its Job exists. */
  readonly exists: boolean
}

/** Makes the Job of a drill that is due, or finds it made. Without a backup there is nothing to drill. */
const start = Effect.fnUntraced(function* (
  { caches, drillQueue, settings }: ReconcileContext,
  { key, namespace, nowMillis, previous, uid }: Observed.Observed,
  backup: KafkaBackup,
  cause: RunCause | undefined
): Effect.fn.Return<Started, KubernetesError, KubernetesApi> {
  if (cause === undefined || previous.lastBackupId === undefined) {
    drillQueue.settle(key)
    return { exists: false }
  }
  const dueMillis = cause._tag === "Trigger" ? cause.firstSeenMillis : cause.slotMillis
  const whole = yield* StrimziClusters.ofDrill(backup, namespace, settings)
  const { before, isGranted } = drillQueue.ask(key, dueMillis, caches.drillLoad(nowMillis), nowMillis)
  if (!isGranted) return { exists: false, queue: { before, limit: drillQueue.limit, sinceMillis: dueMillis } }
  return yield* EnsureJob.make(
    Result.flatMap(whole, (found) => DrillJob.make(found, cause, settings)),
    uid
  ).pipe(
    Effect.map((made): Started => {
      if (made._tag === "Refused") return { exists: false, refusal: made.trouble }
      caches.learnJob(made.job)
      const deadline = StartDeadline.seconds(backup.spec, "schedule")
      const state = DrillJobState.read(made.job, [], nowMillis, [], deadline)
      if (state._tag === "Active") return { exists: true, active: state.drill }
      return isReported(made.job) && cause._tag === "Trigger"
        ? { exists: true, usedBefore: cause.token }
        : { exists: true }
    }),
    Effect.ensuring(Effect.sync(() => drillQueue.settle(key)))
  )
})

/**
 * Lets go of the Jobs whose end is in the status. To be called once that is written; a Job that could not be let go is
 * found again by the next reconcile. Never fails.
 */
export const release = Effect.fn("DrillStep.release")(function* (
  { caches }: ReconcileContext,
  observed: Observed.Observed,
  { unreported }: DrillResult
): Effect.fn.Return<void, never, KubernetesApi> {
  const ttlSecondsAfterFinished = observed.backup?.spec.job.ttlSecondsAfterFinished ?? defaultTtlSeconds
  for (const { job, state } of unreported) {
    if (state._tag !== "Ended") continue
    const how: JobRelease.Release =
      state.drill.reason === "PodNotStarted"
        ? { _tag: "NeverStarted" }
        : state.isStuck
          ? { _tag: "Stuck" }
          : { _tag: "Keep", ttlSecondsAfterFinished }
    yield* OptionalStep.isolated("drill", observed, JobRelease.release(caches, job, how), undefined)
  }
})
