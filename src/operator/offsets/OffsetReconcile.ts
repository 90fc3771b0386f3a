import { Effect, Option, Result } from "effect"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { given } from "../../resource/Json.ts"
import * as GroupsLeft from "../../status/GroupsLeft.ts"
import * as NextOffset from "../../status/offsets/NextOffset.ts"
import * as OffsetReady from "../../status/offsets/OffsetReady.ts"
import * as EnsureJob from "../EnsureJob.ts"
import { PodProgress } from "../PodProgress.ts"
import type { ReconcileResult } from "../ReconcileContext.ts"
import * as Requeue from "../Requeue.ts"
import * as AttemptStep from "../oneTime/AttemptStep.ts"
import * as LiveJobs from "../oneTime/LiveJobs.ts"
import * as LostJob from "../oneTime/LostJob.ts"
import { after, type OneTimeContext, soonMillis } from "../oneTime/OneTimeContext.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import * as OneTimeJobState from "../oneTime/OneTimeJobState.ts"
import * as StopJob from "../oneTime/StopJob.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"
import * as OffsetEnd from "./OffsetEnd.ts"
import * as OffsetJob from "./OffsetJob.ts"
import * as OffsetObserved from "./OffsetObserved.ts"
import * as OffsetReport from "./OffsetReport.ts"
import * as SnapshotStorage from "./SnapshotStorage.ts"

type Services = KubernetesApi | PodProgress | OffsetReport.Services

/** A Job that the API server rejects is tried again after this time, and a snapshot that nobody names looked for. */
const againMillis = 60_000

/**
 * Reconciles one resource that is not being deleted. Level triggered: it may be cut off anywhere and be repeated at any
 * time, here or in another process.
 */
export const reconcile = Effect.fn("OffsetReconcile.reconcile")(function* (
  context: OneTimeContext,
  first: OffsetObserved.OffsetObserved
): Effect.fn.Return<ReconcileResult, KubernetesError, Services> {
  const { caches } = context
  const events = yield* LiveJobs.read(caches, first)
  const observed =
    events === undefined ? first : OffsetObserved.of(first.kind, caches, first.resource, first.nowMillis, events)
  const { jobs, kind, previous } = observed
  const { step, unfinished, unreported } = AttemptStep.of(jobs, {
    wanted: OffsetJob.nameOf(kind, { ...observed, annotations: observed.resource.metadata.annotations }),
    isUsable: observed.wanted !== undefined,
    isCompleted: OffsetReady.isCompleted(previous),
    isEditTooLate: OffsetReady.isEditTooLate(previous),
    hasStartedWriting: observed.startedWritingMillis !== undefined,
    known:
      previous.jobName === undefined ? undefined : { name: previous.jobName, hasEnded: NextOffset.hasEnded(previous) }
  })
  switch (step._tag) {
    case "Watch":
      return yield* watch(context, observed, unfinished!)
    case "Stop": {
      const found = yield* StopJob.atWork(context, observed, unfinished!)
      if (found === "NothingWritten") yield* StopJob.stop(observed, unfinished!.job)
      else {
        const watched = yield* watch(context, observed, unfinished!)
        if (found === "Writing") return watched
      }
      return after(soonMillis)
    }
    case "Report": {
      const job = jobs.find((one) => one.job.metadata.name === step.name)
      const isReadOnly = OffsetObserved.isReadOnly(observed.wanted)
      const end = job === undefined ? undefined : OffsetEnd.of(job, observed.generation, isReadOnly)
      yield* OffsetReport.publish(caches, observed, given({ ...end }), unreported)
      return after(soonMillis)
    }
    case "Lost": {
      const kept = "; offsets that were set stay as they are"
      const end = yield* LostJob.end(caches, OffsetReport.kinds[kind], observed, step.name, kept, "offsets")
      // Nobody knows what it did.
      const isSilent = end?.summary === undefined && !OffsetObserved.isReadOnly(observed.wanted)
      if (end !== undefined) {
        const startedWritingMillis = isSilent ? end.startMillis : undefined
        yield* OffsetReport.publish(caches, observed, given({ ended: end, startedWritingMillis }))
      }
      return after(soonMillis)
    }
    case "UsedBefore":
      yield* OffsetReport.publish(caches, observed, { usedBefore: step.name })
      return after(soonMillis)
    case "Start":
      return yield* start(context, observed, step.name)
    case "Rest":
      yield* OffsetReport.publish(caches, observed, {})
      return after(Infinity)
  }
})

/** Reports a Job that is at work, and whether it has begun to change something. */
const watch = Effect.fnUntraced(function* (
  { caches }: OneTimeContext,
  observed: OffsetObserved.OffsetObserved,
  { pods, state }: ObservedJob
) {
  if (state._tag !== "Active") return after(soonMillis)
  const pod = pods.find(({ status }) => status?.phase === "Running")
  const read = pod === undefined ? Option.none() : yield* (yield* PodProgress).readRestore(pod)
  const progress = Option.getOrUndefined(read)
  const awaiting =
    progress?.awaited === undefined
      ? undefined
      : {
          reason: "AwaitingSecret" as const,
          message: `${progress.awaited}; create or correct it in the namespace of the resource`
        }
  yield* OffsetReport.publish(
    caches,
    observed,
    given({
      active: { ...state.restore, trouble: state.restore.trouble ?? awaiting },
      startedWritingMillis: progress?.startedWritingMillis
    })
  )
  return after(Requeue.progressMillis(state.restore.startMillis, observed.nowMillis))
})

/** The resource with the storage of its snapshot, where it names none. */
const completed = Effect.fnUntraced(function* ({ namespace, wanted }: OffsetObserved.OffsetObserved) {
  if (wanted?.kind !== "KafkaOffsetRollback" || wanted.spec.storage !== undefined) {
    return { _tag: "Whole", resource: wanted } as const
  }
  const found = yield* SnapshotStorage.find(namespace, wanted.spec.snapshotId)
  return found._tag === "Trouble"
    ? found
    : ({ _tag: "Whole", resource: { ...wanted, spec: { ...wanted.spec, storage: found.storage } } } as const)
})

/** Makes the Job, or finds it made. */
const start = Effect.fnUntraced(function* (
  { caches, settings }: OneTimeContext,
  observed: OffsetObserved.OffsetObserved,
  name: string
) {
  const { namespace, nowMillis, previous, uid } = observed
  // The status says already that another resource has to name the groups.
  if (previous.startedWriting !== undefined && GroupsLeft.isExhausted(previous)) return after(Infinity)
  const whole = yield* completed(observed)
  if (whole._tag === "Trouble") {
    yield* OffsetReport.publish(caches, observed, { snapshot: whole.trouble })
    return after(againMillis)
  }
  const { resource } = whole
  if (resource === undefined) return after(Infinity)
  const choice = previous.startedWriting === undefined ? {} : GroupsLeft.choice(previous)
  const found = yield* StrimziClusters.ofOffsets(resource, namespace, settings)
  const job = Result.flatMap(found, (spelled) => OffsetJob.make({ choice, resource: spelled }, name, settings))
  const made = yield* EnsureJob.make(job, uid)
  if (made._tag === "Refused") {
    yield* OffsetReport.publish(caches, observed, { refusal: made.trouble })
    return after(againMillis)
  }
  caches.jobs.learn(made.job)
  const state = OneTimeJobState.read(made.job, [], nowMillis, [], "offsets")
  if (state._tag === "Active") yield* OffsetReport.publish(caches, observed, { active: state.restore })
  return after(state._tag === "Active" ? Requeue.progressMillis(state.restore.startMillis, nowMillis) : soonMillis)
})
