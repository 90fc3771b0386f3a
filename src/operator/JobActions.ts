import { Effect, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as RunCause from "../schedule/RunCause.ts"
import type { Job } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import type { ActiveRun, QueuedRun, RunCauseName } from "../status/Facts.ts"
import * as EnsureJob from "./EnsureJob.ts"
import * as MaintenanceJobs from "./jobs/MaintenanceJobs.ts"
import * as AwaitedSecret from "./AwaitedSecret.ts"
import * as JobStart from "./jobs/JobStart.ts"
import type { PodProgress } from "./PodProgress.ts"
import * as JobState from "./jobs/JobState.ts"
import * as JobTemplate from "./jobs/JobTemplate.ts"
import type * as NextJob from "./NextJob.ts"
import * as InformerCache from "./InformerCache.ts"
import type { ReconcileContext } from "./ReconcileContext.ts"
import type * as Observed from "./Observed.ts"
import * as StartDeadline from "./StartDeadline.ts"
import type * as StrimziStep from "./strimzi/StrimziStep.ts"

/** What came of an action. */
export interface ActionResult {
  /** A run was started. */
  readonly isStarted: boolean
  /** The run that was started, where its Job is active already. */
  readonly active?: ActiveRun | undefined
  /** Why the API server rejected the Job. */
  readonly refusal?: EnsureJob.JobTrouble
  /** A run that is queued. */
  readonly queue?: QueuedRun
}

const nothingDone: ActionResult = { isStarted: false }

const causeNames = { Slot: "schedule", Trigger: "trigger", Once: "once" } as const satisfies Record<
  RunCause.RunCause["_tag"],
  RunCauseName
>

/** The maintenance Job that is the resource's only unfinished Job and is stuck. */
export const stuckMaintenance = ({ unfinished }: Observed.OwnedJobs): Observed.ObservedJob | undefined => {
  const [only, ...others] = unfinished
  if (only?.state._tag !== "ActiveMaintenance" || only.state.trouble === undefined || others.length > 0)
    return undefined
  // A Job that is being deleted already only needs time.
  return only.job.metadata.deletionTimestamp === undefined ? only : undefined
}

/** Carries out the action. */
export const carryOut = Effect.fn("JobActions.carryOut")(function* (
  { caches, queue, settings }: ReconcileContext,
  observed: Observed.Observed,
  action: NextJob.JobAction,
  resolution: StrimziStep.Resolution
): Effect.fn.Return<ActionResult, KubernetesError, KubernetesApi> {
  const { backup, key, name, namespace, nowMillis, uid } = observed
  // A Job is replaced only once the status says so: see `replace`.
  if (action._tag === "Nothing" || action._tag === "Replace" || backup === undefined) return nothingDone
  if (action._tag === "Preempt") {
    const api = yield* KubernetesApi
    yield* api
      .remove(Kind.jobs, { namespace, name: action.jobName }, { propagation: "Background" })
      .pipe(Effect.catchIf(hasReason("NotFound"), () => Effect.void))
    return nothingDone
  }
  if (action._tag !== "Run") {
    const job = (action._tag === "Prune" ? MaintenanceJobs.forPrune : MaintenanceJobs.forCatalogue)({
      backup,
      settings,
      key: action.key
    })
    if (Result.isSuccess(job)) {
      const made = InformerCache.keyOf(job.success)
      // It was made before and has ended: it is not made again while it exists, nor after a success. What a prune
      // leaves on purpose, because it is held back or damaged, gives the next one nothing to do.
      if (caches.jobs.get(made) !== undefined || caches.wasPruned(key, made)) return nothingDone
    }
    const made = yield* EnsureJob.make(job, uid)
    if (made._tag === "Refused") return { isStarted: false, refusal: made.trouble }
    caches.learnJob(made.job)
    return nothingDone
  }

  // It asks for no room among the runs: others would wait for nothing.
  if (resolution.backup === undefined) {
    queue.settle(key)
    return given({ isStarted: false, refusal: resolution.trouble })
  }
  const { cause } = action
  const dueMillis = cause._tag === "Trigger" ? cause.firstSeenMillis : cause.slotMillis
  const { before, isGranted, sinceMillis } = queue.ask(key, dueMillis, caches.load(nowMillis), nowMillis)
  if (!isGranted) {
    // A one-time run is named after the creation of its resource, and may be due much later: after suspend.
    const queuedSinceMillis = cause._tag === "Once" ? sinceMillis : dueMillis
    return { isStarted: false, queue: { before, limit: queue.limit, sinceMillis: queuedSinceMillis } }
  }
  const identity = RunCause.identity({ uid, namespace, name }, cause)
  const job = JobTemplate.forRun({ backup: resolution.backup, identity, cause: causeNames[cause._tag], settings })
  return yield* EnsureJob.make(job, uid).pipe(
    Effect.map((made): ActionResult => {
      if (made._tag === "Refused") return { isStarted: false, refusal: made.trouble }
      caches.learnJob(made.job)
      const deadline = StartDeadline.seconds(backup.spec, causeNames[cause._tag])
      const state = JobState.read(made.job, [], nowMillis, [], deadline)
      return { isStarted: true, active: state._tag === "Active" ? state.run : undefined }
    }),
    Effect.ensuring(Effect.sync(() => queue.settle(key)))
  )
})

/**
 * Deletes the Job of a run to make it again, unless a container of it has started since and does more than wait for a
 * Secret. To be called once the status says that the Job is being replaced: whoever finds the Job gone then knows
 * that the run is to continue. The Job stays until its pods are gone, so that no two pods of one run are there at
 * once.
 */
export const replace = Effect.fn("JobActions.replace")(function* (
  { caches }: Pick<ReconcileContext, "caches">,
  { namespace }: Pick<Observed.Observed, "namespace">,
  { metadata: { name, resourceVersion, uid } }: Job
): Effect.fn.Return<void, KubernetesError, KubernetesApi | PodProgress> {
  const api = yield* KubernetesApi
  const { items } = yield* api.list(Kind.pods, { namespace, labelSelector: `batch.kubernetes.io/job-name=${name}` })
  for (const pod of items) caches.pods.learn(pod)
  const started = items.filter(JobStart.podStarted)
  if (started.length > 0 && !(yield* AwaitedSecret.stillAwait(started))) return
  yield* api
    .remove(Kind.jobs, { namespace, name }, given({ propagation: "Foreground" as const, resourceVersion, uid }))
    .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
})
