import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { DeletionTrouble, Facts } from "../status/Facts.ts"
import * as ScheduleFields from "../status/ScheduleFields.ts"
import type { Caches } from "./Caches.ts"
import * as Deletion from "./Deletion.ts"
import * as EnsureJob from "./EnsureJob.ts"
import * as MaintenanceJobs from "./jobs/MaintenanceJobs.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
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
    case "Release": {
      // Backups that are kept must not be removed by a Job that starts or continues after the resource is gone.
      if (step.outcome !== "Cleaned") yield* endJobs(observed, unfinishedCleanup(observed))
      const { message, reason } = released[step.outcome]
      const published = yield* publish(context.caches, observed, { reason, message: step.message ?? message })
      yield* release(context.caches, observed, published)
      return { _tag: "After", millis: progressEveryMillis }
    }
  }
  yield* publish(context.caches, observed, step.waitsFor)
  return { _tag: "After", millis: progressEveryMillis }
})

const released = {
  Cleaned: {
    reason: "CleanedUp",
    message: "every stored backup of this resource was removed, as spec.deletionPolicy says"
  },
  Retained: { reason: "Retained", message: "the stored backups are kept" },
  GivenUp: { reason: "CleanupGivenUp", message: "the stored backups are kept" }
} as const

const isHeld = ({ resource }: Observed.Observed): boolean =>
  resource.metadata.finalizers?.includes(Labels.finalizer) ?? false

const isCleanup = ({ job }: Observed.ObservedJob): boolean => JobFacts.purpose(job) === "cleanup"

const unfinished = (observed: Observed.Observed) =>
  Observed.ownedJobs(observed).unfinished.filter((owned) => !isCleanup(owned))

const unfinishedCleanup = (observed: Observed.Observed) => Observed.ownedJobs(observed).unfinished.filter(isCleanup)

/** The state of the clean-up Job. */
const cleanup = ({ jobs }: Observed.Observed): Deletion.DeletionInput["cleanup"] => {
  const state = jobs.find(isCleanup)?.state
  if (state?._tag === "ActiveMaintenance") {
    return { _tag: "Active", trouble: state.trouble }
  }
  if (state?._tag !== "EndedMaintenance") return { _tag: "None" }
  const { isSuccess, removed, trouble } = state.maintenance
  return isSuccess
    ? { _tag: "Succeeded", removed }
    : { _tag: "Failed", trouble: trouble ?? { reason: "CleanupFailed", message: "the clean-up failed" } }
}

/** Makes the clean-up Job, or gives the step that follows when it cannot be made. */
const clean = Effect.fnUntraced(function* (
  { caches, settings }: ReconcileContext,
  { uid }: Observed.Observed,
  backup: KafkaBackup,
  step: Extract<Deletion.DeletionStep, { readonly _tag: "Clean" }>
) {
  const made = yield* EnsureJob.make(MaintenanceJobs.forCleanup({ backup, settings, key: "cleanup" }), uid)
  if (made._tag === "There") {
    caches.learnJob(made.job)
    return step
  }
  return made.isNamespaceTerminating
    ? Deletion.withoutCleanup(made.trouble.message)
    : ({ _tag: "Wait", waitsFor: made.trouble } as const)
})

/** Pods of the Jobs get their grace period: a run seals and checkpoints what it has. */
const endJobs = Effect.fnUntraced(function* (observed: Observed.Observed, jobs: ReadonlyArray<Observed.ObservedJob>) {
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

/**
 * Publishes the state of the deletion in status and Events; a failure must not contain it up. Gives the resource as it
 * is then.
 */
const publish = Effect.fnUntraced(function* (caches: Caches, observed: Observed.Observed, deletion: DeletionTrouble) {
  const { ended, maintenance, unreported } = Observed.ownedJobs(observed)
  const facts: Facts = {
    generation: observed.generation,
    problems: observed.problems,
    state: undefined,
    schedule: {},
    memory: ScheduleFields.read(observed.previous),
    active: Observed.ownedJobs(observed).active,
    ended,
    maintenance,
    skipped: [],
    refusedTrigger: undefined,
    catalogue: undefined,
    listing: undefined,
    queue: undefined,
    refusal: undefined,
    deletion,
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
