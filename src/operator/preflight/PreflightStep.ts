import { createHash } from "node:crypto"
import { Effect, Result } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { EndedRun } from "../../status/Facts.ts"
import * as History from "../../status/History.ts"
import * as NextPreflight from "../../status/preflight/NextPreflight.ts"
import type { PreflightFacts, PreflightObservation } from "../../status/preflight/PreflightFacts.ts"
import * as ActiveRuns from "../ActiveRuns.ts"
import { isReported } from "../Caches.ts"
import * as EnsureJob from "../EnsureJob.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as JobRelease from "../JobRelease.ts"
import * as Observed from "../Observed.ts"
import * as OptionalStep from "../OptionalStep.ts"
import type { ReconcileContext } from "../ReconcileContext.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"
import * as StuckEvents from "../StuckEvents.ts"
import * as ObservedChecks from "./ObservedChecks.ts"
import * as PreflightDue from "./PreflightDue.ts"
import * as JobName from "../../identity/JobName.ts"
import * as PreflightJob from "./PreflightJob.ts"

/*
 * The part of a reconcile that is about checks. It comes after the parts about runs and drills, counts its Jobs apart,
 * and a failure in it changes nothing for backups: the status keeps what it says about checks, and the step is tried
 * again. A run that is due starts beside a check that is active: it waits for nothing of it.
 */

/** What came of the step. */
export interface PreflightResult {
  readonly observation: PreflightObservation
  /** What is wrong with the annotation's value. */
  readonly refusedTrigger: string | undefined
  /** Jobs whose end is in the status once that is written: see `release`. */
  readonly unreported: ReadonlyArray<ObservedChecks.ObservedCheck>
  /** When to reconcile again at the latest, in milliseconds; infinite when only an event is a reason for it. */
  readonly millis: number
}

/** What the step is told about runs. */
export interface Runs {
  /** Those that ended and are not in the status yet. */
  readonly ended: ReadonlyArray<EndedRun>
  /** A run is active or due. */
  readonly isUnderWay: boolean
}

/** How often an active check is looked at: its end is an event, its trouble and the room that it leaves may be none. */
const activeEveryMillis = ActiveRuns.checkGraceMillis

/** How long a Job stays once its end is in the status, in seconds: the log of a failure is worth more. */
const ttlSeconds = { passed: 300, failed: 3600, incomplete: 3600 } as const

const unchanged: PreflightResult = {
  observation: { _tag: "Unchanged" },
  refusedTrigger: undefined,
  unreported: [],
  millis: OptionalStep.failedAgainMillis
}

/** Reads the state of the resource's checks and starts the one that is due. Never fails. */
export const take = (
  context: ReconcileContext,
  observed: Observed.Observed,
  runs: Runs
): Effect.Effect<PreflightResult, never, KubernetesApi> => {
  // A step that fails gives its place up, or the room that it does not use would wake its resource without a pause.
  const step = Effect.onError(taken(context, observed, runs), () =>
    Effect.sync(() => context.checkQueue.settle(observed.key))
  )
  return OptionalStep.isolated("check", observed, step, unchanged)
}

/** From 0 to below 1, always the same for a resource. */
const shareOf = (uid: string): number => createHash("sha256").update(uid).digest().readUInt32BE(0) / 2 ** 32

const taken = Effect.fnUntraced(function* (
  context: ReconcileContext,
  observed: Observed.Observed,
  runs: Runs
): Effect.fn.Return<PreflightResult, KubernetesError, KubernetesApi> {
  const { backup, generation, nowMillis, previous, resource, uid } = observed
  // Without a spec that can be used there is nothing to check: what is known stays until it is corrected.
  if (backup === undefined) {
    context.checkQueue.settle(observed.key)
    return { ...unchanged, millis: Infinity }
  }
  const isWanted = backup.spec.schedule !== undefined || backup.spec.suspend
  const pacing = { everyMillis: context.checkEveryMillis, share: shareOf(uid) }
  const checks = yield* confirmed(context, observed)
  const current = checks.filter(
    (check) => ObservedChecks.isActive(check) && JobFacts.generation(check.job) === generation
  )
  const unreported = ObservedChecks.unreported(checks)
  const isNews = ObservedChecks.ends(unreported).some((ended) => ended.generation === generation)
  const due = PreflightDue.decide({
    isWanted,
    generation,
    annotations: resource.metadata.annotations,
    known: NextPreflight.known(previous, { generation, ended: runs.ended }, { ...pacing, isWanted }, nowMillis),
    // What has just ended is decided about once it is in the status.
    isActive: current.length > 0 || isNews,
    isRunUnderWay: runs.isUnderWay,
    hasRunFailed: History.lastRun(previous.backupHistory ?? [])?.outcome === "failed",
    nowMillis
  })
  if (due.start !== undefined) yield* endOutdated(observed, checks)
  const started = yield* start(context, observed, backup, due.start, checks)
  const [running] = current
  const facts: PreflightFacts = {
    ...pacing,
    isWanted,
    active: running?.state._tag === "Active" ? running.state.check : started.active,
    ended: ObservedChecks.ends([...unreported, ...started.recalled]),
    queue: started.queue,
    refusal: started.refusal,
    handledCheck: started.exists ? due.start?.token : undefined
  }
  const millis = Math.min(
    due.requeueMillis === undefined ? Infinity : due.requeueMillis - nowMillis,
    facts.active === undefined ? Infinity : activeEveryMillis,
    started.queue === undefined ? Infinity : OptionalStep.queuedAgainMillis,
    started.refusal === undefined ? Infinity : OptionalStep.refusedAgainMillis,
    // A Job that is being deleted is let go already: its end is an event.
    unreported.some(({ job }) => job.metadata.deletionTimestamp === undefined) || started.recalled.length > 0
      ? OptionalStep.endedAgainMillis
      : Infinity
  )
  return {
    observation: { _tag: "Found", facts },
    refusedTrigger: due.refusedTrigger,
    unreported,
    millis: Math.max(0, millis)
  }
})

/**
 * The resource's checks with what only the API server knows: pods of a Job that did not succeed, whose summary may
 * arrive after the end of the Job, and Events about a Job that is stuck.
 */
const confirmed = Effect.fnUntraced(function* ({ caches }: ReconcileContext, observed: Observed.Observed) {
  const { namespace, nowMillis } = observed
  const first = ObservedChecks.of(observed)
  if (first.length === 0) return first
  const api = yield* KubernetesApi
  const doubtful = ObservedChecks.unreported(first).filter(
    ({ state }) => state._tag === "Ended" && state.check.outcome !== "passed"
  )
  for (const { job } of doubtful) {
    const labelSelector = `batch.kubernetes.io/job-name=${job.metadata.name}`
    const { items } = yield* api.list(Kind.pods, { namespace, labelSelector })
    for (const pod of items) caches.pods.learn(pod)
  }
  const events = yield* StuckEvents.about(namespace, first.filter(ObservedChecks.isActive), nowMillis)
  if (doubtful.length === 0 && events.length === 0) return first
  return ObservedChecks.of(Observed.of(caches, observed.resource, nowMillis), events)
})

/** Checks of an earlier generation answer a question that nobody asks any more. */
const endOutdated = Effect.fnUntraced(function* (
  { generation, namespace }: Observed.Observed,
  checks: ReadonlyArray<ObservedChecks.ObservedCheck>
) {
  const outdated = checks.filter(
    (check) =>
      ObservedChecks.isActive(check) &&
      JobFacts.generation(check.job) !== generation &&
      check.job.metadata.deletionTimestamp === undefined
  )
  if (outdated.length === 0) return
  const api = yield* KubernetesApi
  for (const { job } of outdated) {
    const { name, uid } = job.metadata
    yield* api
      .remove(Kind.jobs, { namespace, name }, given({ propagation: "Background" as const, uid }))
      .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
  }
})

/** What came of a check that is due. */
interface Started extends Partial<Pick<PreflightFacts, "active" | "queue" | "refusal">> {
  /** Its Job exists. */
  readonly exists: boolean
  /** It had ended before, and the status has lost that. */
  readonly recalled: ReadonlyArray<ObservedChecks.ObservedCheck>
}

/** Makes the Job of a check that is due, or finds it made. */
const start = Effect.fnUntraced(function* (
  { caches, checkQueue, settings }: ReconcileContext,
  { key, namespace, name, nowMillis, uid }: Observed.Observed,
  backup: KafkaBackup,
  due: PreflightDue.DueCheck | undefined,
  checks: ReadonlyArray<ObservedChecks.ObservedCheck>
): Effect.fn.Return<Started, KubernetesError, KubernetesApi> {
  if (due === undefined) {
    checkQueue.settle(key)
    return { exists: false, recalled: [] }
  }
  const jobName = JobName.forCheck({ uid, namespace, name }, due.key)
  const before = checks.find(({ job, state }) => job.metadata.name === jobName && state._tag === "Ended")
  if (before !== undefined && isReported(before.job)) {
    checkQueue.settle(key)
    return { exists: true, recalled: [before] }
  }
  const place = checkQueue.ask(key, due.dueMillis, caches.checkLoad(nowMillis), nowMillis)
  if (!place.isGranted) {
    const { before, sinceMillis } = place
    return { exists: false, recalled: [], queue: { before, limit: checkQueue.limit, sinceMillis } }
  }
  const whole = yield* StrimziClusters.ofBackup(backup, namespace, settings)
  const job = Result.flatMap(whole, (found) => PreflightJob.make(found, due, settings))
  return yield* EnsureJob.make(job, uid).pipe(
    Effect.map((made): Started => {
      if (made._tag === "Refused") return { exists: false, recalled: [], refusal: made.trouble }
      caches.learnJob(made.job)
      const state = ObservedChecks.read(made.job, [], nowMillis)
      return { exists: true, recalled: [], ...(state._tag === "Active" ? { active: state.check } : {}) }
    }),
    Effect.ensuring(Effect.sync(() => checkQueue.settle(key)))
  )
})

/**
 * Lets go of the Jobs whose end is in the status. To be called once that is written; a Job that could not be let go is
 * found again by the next reconcile. Never fails.
 */
export const release = Effect.fn("PreflightStep.release")(function* (
  { caches }: ReconcileContext,
  observed: Observed.Observed,
  { unreported }: PreflightResult
): Effect.fn.Return<void, never, KubernetesApi> {
  for (const { job, state } of unreported) {
    if (state._tag !== "Ended") continue
    const how: JobRelease.Release = state.isStuck
      ? { _tag: "Stuck" }
      : { _tag: "Keep", ttlSecondsAfterFinished: ttlSeconds[state.check.outcome] }
    yield* OptionalStep.isolated("check", observed, JobRelease.release(caches, job, how), undefined)
  }
})
