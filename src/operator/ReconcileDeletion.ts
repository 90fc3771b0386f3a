import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import type { Facts, Trouble } from "../status/Facts.ts"
import * as Memory from "../status/ScheduleFields.ts"
import type { Caches } from "./Caches.ts"
import * as Deletion from "./Deletion.ts"
import * as JobMaker from "./EnsureJob.ts"
import * as ChoreJobs from "./jobs/MaintenanceJobs.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import * as Labels from "./Labels.ts"
import type { Tools } from "./JobActions.ts"
import * as Outcome from "./StatusReport.ts"
import { progressEveryMillis } from "./Requeue.ts"
import type { LookAgain } from "./ReconcileFibers.ts"
import * as Sight from "./Observed.ts"

/** Looks at a resource that is being deleted, until nothing of ours holds it. */
export const look = Effect.fn("LookDying.look")(function* (
  tools: Tools,
  sight: Sight.Sight,
  deletedMillis: number
): Effect.fn.Return<LookAgain, KubernetesError, KubernetesApi | Outcome.Services> {
  tools.queue.settle(sight.key)
  const { backup } = sight
  const decided = Deletion.next({
    isHeld: isHeld(sight),
    wantsCleanup: backup?.spec.deletionPolicy === "Delete",
    deletedMillis,
    nowMillis: sight.nowMillis,
    activeJobs: unfinished(sight).map(({ job }) => job.metadata.name),
    cleanup: cleanup(sight)
  })
  const step = decided._tag === "Clean" && backup !== undefined ? yield* clean(tools, sight, backup, decided) : decided
  switch (step._tag) {
    case "Nothing":
      return { _tag: "After", millis: Infinity }
    case "EndJobs":
      yield* endJobs(sight, unfinished(sight))
      break
    case "Clean":
    case "Wait":
      break
    case "Release": {
      // What is kept must not be removed by a Job that starts or goes on when nobody waits for it any more.
      if (step.outcome !== "Cleaned") yield* endJobs(sight, unfinishedCleanup(sight))
      const trouble: Trouble = step.trouble ?? { reason: step.outcome, message: released[step.outcome] }
      const told = yield* tell(tools.caches, sight, { ...trouble, reason: releaseReasons[step.outcome] })
      yield* release(tools.caches, sight, told)
      return { _tag: "After", millis: progressEveryMillis }
    }
  }
  yield* tell(tools.caches, sight, step.waitsFor)
  return { _tag: "After", millis: progressEveryMillis }
})

const released = {
  Cleaned: "every stored backup of this resource was removed, as spec.deletionPolicy says",
  Retained: "the stored backups are kept",
  GivenUp: "the stored backups are kept"
} as const

const releaseReasons = { Cleaned: "CleanedUp", Retained: "Retained", GivenUp: "CleanupGivenUp" } as const

const isHeld = ({ resource }: Sight.Sight): boolean => resource.metadata.finalizers?.includes(Labels.finalizer) ?? false

const isCleanup = ({ job }: Sight.SeenJob): boolean => JobFacts.purpose(job) === "cleanup"

const unfinished = (sight: Sight.Sight) => Sight.tidings(sight).unfinished.filter((seen) => !isCleanup(seen))

const unfinishedCleanup = (sight: Sight.Sight) => Sight.tidings(sight).unfinished.filter(isCleanup)

/** How the clean-up's Job stands. */
const cleanup = ({ jobs }: Sight.Sight): Deletion.DeletionQuestion["cleanup"] => {
  const reading = jobs.find(isCleanup)?.reading
  if (reading?._tag === "ActiveChore") {
    return { _tag: "Active", ...(reading.trouble === undefined ? {} : { trouble: reading.trouble }) }
  }
  if (reading?._tag !== "EndedChore") return { _tag: "None" }
  const { isSuccess, removed, trouble } = reading.chore
  return isSuccess
    ? { _tag: "Succeeded", removed }
    : { _tag: "Failed", trouble: trouble ?? { reason: "CleanupFailed", message: "the clean-up failed" } }
}

/** Makes the clean-up's Job, or says why there will be none. */
const clean = Effect.fnUntraced(function* (
  { caches, settings }: Tools,
  { uid }: Sight.Sight,
  backup: KafkaBackup,
  step: Extract<Deletion.DeletionStep, { readonly _tag: "Clean" }>
) {
  const made = yield* JobMaker.make(ChoreJobs.forCleanup({ backup, settings, key: "cleanup" }), uid)
  if (made._tag === "There") {
    caches.learnJob(made.job)
    return step
  }
  return made.isNamespaceTerminating
    ? Deletion.withoutCleanup(made.trouble.message)
    : ({ _tag: "Wait", waitsFor: made.trouble } as const)
})

/** Pods of the Jobs get their grace period: a run seals and remembers what it has. */
const endJobs = Effect.fnUntraced(function* (sight: Sight.Sight, jobs: ReadonlyArray<Sight.SeenJob>) {
  const api = yield* KubernetesApi
  yield* Effect.forEach(
    jobs.filter(({ job }) => job.metadata.deletionTimestamp === undefined),
    ({ job: { metadata } }) =>
      api
        .remove(
          Kind.jobs,
          { namespace: sight.namespace, name: metadata.name },
          { propagation: "Foreground", ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) }
        )
        .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void)),
    { discard: true }
  )
})

/** Says in status and Events how the deletion stands; nothing of it may hold the deletion up. Gives the resource as it is then. */
const tell = Effect.fnUntraced(function* (caches: Caches, sight: Sight.Sight, deletion: Trouble) {
  const { ended, chores, untold } = Sight.tidings(sight)
  const facts: Facts = {
    generation: sight.generation,
    problems: sight.problems,
    outlook: undefined,
    schedule: {},
    remembered: Memory.read(sight.previous),
    active: Sight.tidings(sight).active,
    ended,
    chores,
    skipped: [],
    refusedTrigger: undefined,
    catalogue: undefined,
    queue: undefined,
    refusal: undefined,
    deletion,
    ignoredStorageBlocks: []
  }
  const ofRuns = untold.filter((seen) => !isCleanup(seen))
  return yield* Outcome.tell(caches, sight, facts, ofRuns).pipe(
    Effect.catch((error) =>
      Effect.logWarning("how the deletion stands could not be told").pipe(
        Effect.annotateLogs({ resource: sight.key, error: error.message }),
        Effect.as(sight.resource)
      )
    )
  )
})

/** Takes our finalizer off, and no other, if nobody changed the resource since that was decided. */
const release = Effect.fnUntraced(function* (
  caches: Caches,
  { name, namespace, uid }: Sight.Sight,
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
