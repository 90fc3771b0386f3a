import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { Facts, Trouble } from "../status/Facts.ts"
import * as ScheduleFields from "../status/ScheduleFields.ts"
import type { Caches } from "./Caches.ts"
import * as Deletion from "./Deletion.ts"
import * as EnsureJob from "./EnsureJob.ts"
import * as MaintenanceJobs from "./jobs/MaintenanceJobs.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as Labels from "./Labels.ts"
import type { Tools } from "./JobActions.ts"
import * as StatusReport from "./StatusReport.ts"
import { progressEveryMillis } from "./Requeue.ts"
import type { ReconcileResult } from "./ReconcileFibers.ts"
import * as Observed from "./Observed.ts"

/** Looks at a resource that is being deleted, until nothing of ours holds it. */
export const reconcile = Effect.fn("ReconcileDeletion.reconcile")(function* (
  tools: Tools,
  observed: Observed.Observed,
  deletedMillis: number
): Effect.fn.Return<ReconcileResult, KubernetesError, KubernetesApi | StatusReport.Services> {
  tools.queue.settle(observed.key)
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
    decided._tag === "Clean" && backup !== undefined ? yield* clean(tools, observed, backup, decided) : decided
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
      // What is kept must not be removed by a Job that starts or goes on when nobody waits for it any more.
      if (step.outcome !== "Cleaned") yield* endJobs(observed, unfinishedCleanup(observed))
      const trouble: Trouble = step.trouble ?? { reason: step.outcome, message: released[step.outcome] }
      const told = yield* tell(tools.caches, observed, { ...trouble, reason: releaseReasons[step.outcome] })
      yield* release(tools.caches, observed, told)
      return { _tag: "After", millis: progressEveryMillis }
    }
  }
  yield* tell(tools.caches, observed, step.waitsFor)
  return { _tag: "After", millis: progressEveryMillis }
})

const released = {
  Cleaned: "every stored backup of this resource was removed, as spec.deletionPolicy says",
  Retained: "the stored backups are kept",
  GivenUp: "the stored backups are kept"
} as const

const releaseReasons = { Cleaned: "CleanedUp", Retained: "Retained", GivenUp: "CleanupGivenUp" } as const

const isHeld = ({ resource }: Observed.Observed): boolean =>
  resource.metadata.finalizers?.includes(Labels.finalizer) ?? false

const isCleanup = ({ job }: Observed.ObservedJob): boolean => JobFacts.purpose(job) === "cleanup"

const unfinished = (observed: Observed.Observed) =>
  Observed.ownedJobs(observed).unfinished.filter((seen) => !isCleanup(seen))

const unfinishedCleanup = (observed: Observed.Observed) => Observed.ownedJobs(observed).unfinished.filter(isCleanup)

/** How the clean-up's Job stands. */
const cleanup = ({ jobs }: Observed.Observed): Deletion.DeletionQuestion["cleanup"] => {
  const reading = jobs.find(isCleanup)?.reading
  if (reading?._tag === "ActiveMaintenance") {
    return { _tag: "Active", ...(reading.trouble === undefined ? {} : { trouble: reading.trouble }) }
  }
  if (reading?._tag !== "EndedMaintenance") return { _tag: "None" }
  const { isSuccess, removed, trouble } = reading.maintenance
  return isSuccess
    ? { _tag: "Succeeded", removed }
    : { _tag: "Failed", trouble: trouble ?? { reason: "CleanupFailed", message: "the clean-up failed" } }
}

/** Makes the clean-up's Job, or says why there will be none. */
const clean = Effect.fnUntraced(function* (
  { caches, settings }: Tools,
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

/** Pods of the Jobs get their grace period: a run seals and remembers what it has. */
const endJobs = Effect.fnUntraced(function* (observed: Observed.Observed, jobs: ReadonlyArray<Observed.ObservedJob>) {
  const api = yield* KubernetesApi
  yield* Effect.forEach(
    jobs.filter(({ job }) => job.metadata.deletionTimestamp === undefined),
    ({ job: { metadata } }) =>
      api
        .remove(
          Kind.jobs,
          { namespace: observed.namespace, name: metadata.name },
          { propagation: "Foreground", ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) }
        )
        .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void)),
    { discard: true }
  )
})

/** Says in status and Events how the deletion stands; nothing of it may hold the deletion up. Gives the resource as it is then. */
const tell = Effect.fnUntraced(function* (caches: Caches, observed: Observed.Observed, deletion: Trouble) {
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
    queue: undefined,
    refusal: undefined,
    deletion,
    ignoredStorageBlocks: []
  }
  const ofRuns = unreported.filter((seen) => !isCleanup(seen))
  return yield* StatusReport.publish(caches, observed, facts, ofRuns).pipe(
    Effect.catch((error) =>
      Effect.logWarning("how the deletion stands could not be told").pipe(
        Effect.annotateLogs({ resource: observed.key, error: error.message }),
        Effect.as(observed.resource)
      )
    )
  )
})

/** Takes our finalizer off, and no other, if nobody changed the resource since that was decided. */
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
        metadata: {
          uid,
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
          finalizers: finalizers.filter((finalizer) => finalizer !== Labels.finalizer)
        }
      }
    )
    .pipe(
      // Until the watch tells of its end, no look may take it for one that is still to be cleaned up.
      Effect.map((released) => caches.resources.learn(released)),
      Effect.catchIf(hasReason("NotFound"), () => Effect.void)
    )
})
