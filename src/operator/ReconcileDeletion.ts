import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Job, KubeObject } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { ActiveRun, DeletionTrouble, Facts, Trouble } from "../status/Facts.ts"
import * as Format from "../status/Format.ts"
import * as ScheduleFields from "../status/ScheduleFields.ts"
import type { Caches } from "./Caches.ts"
import * as ObservedDrills from "./drill/ObservedDrills.ts"
import * as ObservedChecks from "./preflight/ObservedChecks.ts"
import * as CleanupByHand from "./CleanupByHand.ts"
import * as Deletion from "./Deletion.ts"
import * as EnsureJob from "./EnsureJob.ts"
import * as MaintenanceJobs from "./jobs/MaintenanceJobs.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as RunAgain from "./jobs/RunAgain.ts"
import * as Labels from "./Labels.ts"
import * as StatusReport from "./StatusReport.ts"
import { progressEveryMillis } from "./Requeue.ts"
import type { ReconcileContext, ReconcileResult } from "./ReconcileContext.ts"
import * as Observed from "./Observed.ts"

/** Reconciles a resource that is being deleted, until the operator's finalizer no longer holds it. */
export const reconcile = Effect.fn("ReconcileDeletion.reconcile")(function* (
  context: ReconcileContext,
  observed: Observed.Observed,
  deletedMillis: number
): Effect.fn.Return<ReconcileResult, KubernetesError, KubernetesApi | StatusReport.Services> {
  context.queue.settle(observed.key)
  context.drillQueue.settle(observed.key)
  context.checkQueue.settle(observed.key)
  const { backup } = observed
  const decided = Deletion.next({
    isHeld: isHeld(observed),
    wantsCleanup: backup?.spec.deletionPolicy === "Delete",
    deletedMillis,
    nowMillis: observed.nowMillis,
    activeJobs: unfinished(observed).map(({ job }) => job.metadata.name),
    cleanup: cleanup(observed)
  })
  const step =
    decided._tag === "Clean" && backup !== undefined ? yield* clean(context, observed, backup, decided) : decided
  switch (step._tag) {
    case "Nothing":
      return { _tag: "After", millis: Infinity }
    case "EndJobs":
      yield* endJobs(observed, unfinished(observed))
      break
    case "Clean":
    case "Wait":
      break
    case "Release":
    case "GiveUp": {
      // Backups that are kept must not be removed by a Job that starts or continues after the resource is gone.
      if (step._tag === "GiveUp" || step.outcome === "Retained") yield* endJobs(observed, unfinishedCleanup(observed))
      const last = step._tag === "GiveUp" ? yield* givenUp(context, observed, step.why) : released(step)
      const published = yield* publish(context.caches, observed, last)
      yield* release(context.caches, observed, published)
      return { _tag: "After", millis: progressEveryMillis }
    }
  }
  yield* publish(context.caches, observed, step.waitsFor)
  const untilMillis = step._tag === "Wait" ? step.untilMillis : undefined
  return {
    _tag: "After",
    millis: untilMillis === undefined ? progressEveryMillis : Math.max(0, untilMillis - observed.nowMillis)
  }
})

const released = ({
  notes = [],
  outcome
}: Extract<Deletion.DeletionStep, { readonly _tag: "Release" }>): DeletionTrouble => {
  if (outcome === "Retained") return { reason: "Retained", message: "The stored backups are kept" }
  const removed = "The stored backups of this resource were removed, as spec.deletionPolicy says"
  return { reason: "CleanedUp", message: [removed, ...notes.map((note) => `Note: ${note}`)].join(". ") }
}

/** Leaves a suspended clean-up Job behind, where one can be made, and says how a person finishes the clean-up. */
const givenUp = Effect.fnUntraced(function* (
  { settings }: ReconcileContext,
  { backup, uid }: Observed.Observed,
  why: string
) {
  const reason = "CleanupGivenUp" as const
  if (backup === undefined) return { reason, message: why }
  const made = yield* EnsureJob.make(MaintenanceJobs.forLaterCleanup({ backup, settings }), uid)
  const command = made._tag === "There" ? CleanupByHand.resuming(made.job) : CleanupByHand.pruning(backup)
  return { reason, message: CleanupByHand.sentence(why, command) }
})

interface OwnedJob {
  readonly job: Job
}

const isHeld = ({ resource }: Observed.Observed): boolean =>
  resource.metadata.finalizers?.includes(Labels.finalizer) ?? false

const isCleanup = ({ job }: Observed.ObservedJob): boolean => JobFacts.purpose(job) === "cleanup"

/** The attempts of the clean-up, the newest first. The Job that is left behind for a person is none. */
const attempts = ({ jobs }: Observed.Observed): ReadonlyArray<Observed.ObservedJob> =>
  jobs
    .filter((owned) => isCleanup(owned) && !JobFacts.isSuspended(owned.job))
    .toSorted((a, b) => JobFacts.cleanupAttempt(b.job) - JobFacts.cleanupAttempt(a.job))

/** A drill reads what the clean-up removes, and a check writes there, so they end first, too. */
const unfinished = (observed: Observed.Observed): ReadonlyArray<OwnedJob> => [
  ...Observed.ownedJobs(observed).unfinished.filter((owned) => !isCleanup(owned)),
  ...ObservedDrills.of(observed).filter(({ state }) => state._tag === "Active"),
  ...ObservedChecks.of(observed).filter(ObservedChecks.isActive)
]

/** Attempts that Kubernetes has not ended, also those that the operator no longer waits for. */
const unfinishedCleanup = (observed: Observed.Observed) =>
  attempts(observed).filter(
    ({ job }) => (JobFacts.condition(job, "Complete") ?? JobFacts.condition(job, "Failed")) === undefined
  )

const failed: Trouble = { reason: "CleanupFailed", message: "no reason was reported" }

/** The state of the clean-up: that of its newest attempt. */
const cleanup = (observed: Observed.Observed): Deletion.DeletionInput["cleanup"] => {
  const [newest, earlier] = attempts(observed)
  if (newest === undefined) return { _tag: "None" }
  const { job, pods, state } = newest
  const attempt = JobFacts.cleanupAttempt(job)
  if (state._tag === "ActiveMaintenance") {
    return {
      _tag: "Active",
      attempt,
      startMillis: state.startMillis,
      trouble: state.trouble,
      isRunning: pods.some(({ status }) => status?.phase === "Running"),
      before: earlier?.state._tag === "EndedMaintenance" ? (earlier.state.maintenance.trouble ?? failed) : undefined
    }
  }
  if (state._tag !== "EndedMaintenance") return { _tag: "None" }
  const { isSuccess, notes = [], removed, trouble } = state.maintenance
  return isSuccess
    ? { _tag: "Succeeded", removed, notes }
    : { _tag: "Failed", attempt, endMillis: Observed.endMillis(newest), trouble: trouble ?? failed }
}

/** Makes the clean-up Job, or gives the step that follows when it cannot be made. */
const clean = Effect.fnUntraced(function* (
  { caches, settings }: ReconcileContext,
  observed: Observed.Observed,
  backup: KafkaBackup,
  step: Extract<Deletion.DeletionStep, { readonly _tag: "Clean" }>
): Effect.fn.Return<Deletion.DeletionStep, KubernetesError, KubernetesApi> {
  yield* endJobs(observed, unfinishedCleanup(observed))
  const job = MaintenanceJobs.forCleanup({ backup, settings, key: String(step.attempt) })
  const made = yield* EnsureJob.make(job, observed.uid)
  if (made._tag === "There") {
    caches.learnJob(made.job)
    return step
  }
  // No Job can be made in a namespace that is being deleted: the deletion continues without clean-up.
  return made.isNamespaceTerminating
    ? { _tag: "GiveUp", why: Format.sentence(made.trouble.message) }
    : { _tag: "Wait", waitsFor: made.trouble }
})

/** Pods of the Jobs get their grace period: a run seals and checkpoints what it has. */
const endJobs = Effect.fnUntraced(function* (observed: Observed.Observed, jobs: ReadonlyArray<OwnedJob>) {
  const api = yield* KubernetesApi
  yield* Effect.forEach(
    jobs.filter(({ job }) => job.metadata.deletionTimestamp === undefined),
    ({ job: { metadata } }) =>
      api
        .remove(
          Kind.jobs,
          { namespace: observed.namespace, name: metadata.name },
          given({ propagation: "Foreground" as const, uid: metadata.uid })
        )
        .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void)),
    { discard: true }
  )
})

/** The run that is being stopped: it cannot be run again. */
const withoutAgain = (active: ActiveRun | undefined): ActiveRun | undefined =>
  active?.trouble === undefined
    ? active
    : { ...active, trouble: { ...active.trouble, message: RunAgain.without(active.trouble.message) } }

/**
 * Publishes the state of the deletion in status and Events; a failure must not contain it up. Gives the resource as it
 * is then.
 */
const publish = Effect.fnUntraced(function* (caches: Caches, observed: Observed.Observed, deletion: DeletionTrouble) {
  const { active, ended, maintenance, unreported } = Observed.ownedJobs(observed)
  const facts: Facts = {
    generation: observed.generation,
    namespace: observed.namespace,
    problems: observed.problems,
    state: undefined,
    schedule: {},
    memory: ScheduleFields.read(observed.previous),
    active: withoutAgain(active),
    ended: ended.map((run) => given({ ...run, message: run.message && RunAgain.without(run.message) })),
    maintenance,
    skipped: [],
    refusedTrigger: undefined,
    unknownAnnotations: undefined,
    catalogue: undefined,
    storedData: {},
    percentPerRun: undefined,
    listing: undefined,
    queue: undefined,
    refusal: undefined,
    deletion,
    drill: { _tag: "Unchanged" },
    preflight: { _tag: "Unchanged" },
    ignoredStorageBlocks: []
  }
  const ofRuns = unreported.filter((owned) => !isCleanup(owned))
  return yield* StatusReport.publish(caches, observed, facts, ofRuns).pipe(
    Effect.catch((error) =>
      Effect.logWarning("the status of a deletion cannot be written").pipe(
        Effect.annotateLogs({ resource: observed.key, error: error.message }),
        Effect.as(observed.resource)
      )
    )
  )
})

/** Takes the operator's finalizer off, and no other, if the resource did not change since that was decided. */
const release = Effect.fnUntraced(function* (
  caches: Caches,
  { name, namespace, uid }: Observed.Observed,
  { metadata }: KubeObject
) {
  const api = yield* KubernetesApi
  const { finalizers = [], resourceVersion } = metadata
  yield* api
    .patch(
      Kind.kafkaBackups,
      { namespace, name },
      {
        metadata: given({
          uid,
          resourceVersion,
          finalizers: finalizers.filter((finalizer) => finalizer !== Labels.finalizer)
        })
      }
    )
    .pipe(
      // Until the watch reports its deletion, no reconcile may take it for a resource that still needs a clean-up.
      Effect.map((released) => caches.resources.learn(released)),
      Effect.catchIf(hasReason("NotFound"), () => Effect.void)
    )
})
