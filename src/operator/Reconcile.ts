import { Effect, Option } from "effect"
import type { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as Due from "../schedule/Due.ts"
import type { RunCause } from "../schedule/RunCause.ts"
import type { ScheduleMemory } from "../schedule/DueInput.ts"
import { acceptLossAnnotation } from "../resource/KafkaBackup.ts"
import * as KnownAnnotations from "../resource/KnownAnnotations.ts"
import * as RetentionSpec from "../resource/RetentionSpec.ts"
import * as StorageLocation from "../resource/StorageLocation.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as Trigger from "../resource/Trigger.ts"
import type { ActiveRun, EndedRun, Facts } from "../status/Facts.ts"
import * as History from "../status/History.ts"
import * as LockedFields from "../status/LockedFields.ts"
import * as ScheduleFields from "../status/ScheduleFields.ts"
import * as Format from "../status/Format.ts"
import type { Condition } from "../status/Status.ts"
import * as AwaitedSecret from "./AwaitedSecret.ts"
import * as Caches from "./Caches.ts"
import * as DrillStep from "./drill/DrillStep.ts"
import * as PreflightStep from "./preflight/PreflightStep.ts"
import * as NextJob from "./NextJob.ts"
import * as JobActions from "./JobActions.ts"
import * as StatusReport from "./StatusReport.ts"
import * as Requeue from "./Requeue.ts"
import type { PodProgress } from "./PodProgress.ts"
import type { ReconcileContext, ReconcileResult } from "./ReconcileContext.ts"
import * as Observed from "./Observed.ts"
import * as Replacement from "./Replacement.ts"
import * as RunningShards from "./RunningShards.ts"
import * as StartDeadline from "./StartDeadline.ts"
import * as StrimziStep from "./strimzi/StrimziStep.ts"
import * as DeletedJob from "./DeletedJob.ts"

/** The age from which an empty status means that the status was lost, in milliseconds. */
const lostAfterMillis = 300_000

/** How long a run that is due waits for the listing after the status was lost, in milliseconds. */
const listingFirstMillis = 60_000

/** Until when a run that is due waits for the listing, where the status was lost a moment ago. */
const listingUntil = (listed: Condition | undefined, nowMillis: number): number | undefined => {
  if (listed?.reason !== "StatusLost") return undefined
  const untilMillis = Format.millis(listed.lastTransitionTime) + listingFirstMillis
  return nowMillis < untilMillis ? untilMillis : undefined
}

/** The status is empty and was written before: the resource is not new, or the end of one of its Jobs was reported. */
const isStatusLost = ({ createdMillis, jobs, nowMillis, previous }: Observed.Observed): boolean =>
  previous.observedGeneration === undefined &&
  (nowMillis - createdMillis > lostAfterMillis || jobs.some(({ job }) => Caches.isReported(job)))

/**
 * Reconciles one resource that is not being deleted: reads the state of its Jobs, starts what is due, and publishes the
 * status. Level triggered: it may be cut off anywhere and be repeated at any time, here or in another process.
 */
export const reconcile = Effect.fn("Reconcile.reconcile")(function* (
  context: ReconcileContext,
  observed: Observed.Observed
): Effect.fn.Return<ReconcileResult, KubernetesError, KubernetesApi | PodProgress | StatusReport.Services> {
  const { caches, queue } = context
  const { backup, nowMillis, previous } = observed
  const ownedJobs = Observed.ownedJobs(observed)
  const gone = yield* DeletedJob.find(caches, observed, ownedJobs)
  const { deleted, pending, replaced } = replacement(observed, gone)
  const memory = ScheduleFields.read(previous)
  const isLost = isStatusLost(observed)
  const listed = previous.conditions?.find(({ type }) => type === "StorageListed")
  const listingUntilMillis = isLost ? nowMillis + listingFirstMillis : listingUntil(listed, nowMillis)
  const due =
    backup === undefined
      ? undefined
      : Due.decide({
          spec: backup.spec,
          createdMillis: observed.createdMillis,
          trigger: Trigger.requested(observed.resource.metadata.annotations),
          memory,
          active: ownedJobs.activeJob === undefined ? replaced : Observed.causeOf(ownedJobs.activeJob.job),
          startedSlotMillis: Observed.startedSlotMillis(observed),
          isMemoryLost: isLost,
          nowMillis
        })

  const resolution = yield* StrimziStep.take(context.settings, observed, {
    active: ownedJobs.active,
    isWanted: due?.start !== undefined || replaced !== undefined || due?.state._tag === "Scheduled"
  })
  const acceptedLoss = observed.resource.metadata.annotations?.[acceptLossAnnotation]
  const stuckMaintenance = JobActions.stuckMaintenance(ownedJobs)
  const outdated = Replacement.outdatedRun({ ...observed, backup: resolution.backup }, ownedJobs, context.settings)
  const action =
    backup === undefined
      ? ({ _tag: "Nothing" } as const)
      : NextJob.next({
          isBusy: ownedJobs.unfinished.length > 0,
          stuckMaintenance: stuckMaintenance?.job.metadata.name,
          isMaintenanceOutdated:
            stuckMaintenance !== undefined &&
            Replacement.isOutdatedMaintenance(observed, stuckMaintenance, context.settings),
          isRunOutdated: outdated !== undefined,
          replaced,
          due: due?.start,
          generation: observed.generation,
          keep: backup.spec.retention?.backups,
          rules: RetentionSpec.timed(backup.spec.retention, backup.spec.timeZone),
          appliedRules: previous.appliedRetention,
          // A run that ended just now is not in the history yet, and has applied retention itself.
          stored: ownedJobs.unreported.length > 0 ? 0 : History.stored(previous),
          newest: History.lastSuccess(previous.backupHistory ?? [])?.backupId,
          isHeldBack:
            acceptedLoss === undefined && isApplied(observed) && applied(observed)?.reason === "RetentionHeldBack",
          isHolding: applied(observed)?.reason === "RetentionHeldBack",
          waiting:
            (isApplied(observed) ? (previous.adoptedBackups ?? 0) : 0) +
            (previous.pinnedBackups ?? 0) +
            LockedFields.waiting(previous.locked, observed.nowMillis),
          acceptedLoss,
          // A listing that ended just now is not in the status yet.
          isUnlisted:
            ownedJobs.unreported.length === 0 && (isLost || (listed !== undefined && listed.status !== "True")),
          isListingFirst: listingUntilMillis !== undefined,
          deletedJob: deleted?.jobName
        })
  const done = yield* JobActions.carryOut(context, observed, action, resolution)
  if (action._tag !== "Run") queue.settle(observed.key)

  const drill = yield* DrillStep.take(context, observed)

  const isWaiting = due?.start !== undefined && !done.isStarted
  const active: ActiveRun | undefined =
    done.active ?? beingReplaced(ownedJobs, observed, action) ?? (yield* withProgress(ownedJobs, observed)) ?? pending
  const refusal = done.refusal ?? resolution.trouble
  const preflight = yield* PreflightStep.take(context, observed, {
    ended: ownedJobs.ended,
    isUnderWay: active !== undefined || due?.start !== undefined
  })
  const facts: Facts = {
    generation: observed.generation,
    namespace: observed.namespace,
    location: backup === undefined ? undefined : StorageLocation.of(StorageSpec.chosen(backup.spec.storage)),
    problems: observed.problems,
    state: due?.state,
    schedule: { text: backup?.spec.schedule, timeZone: backup?.spec.timeZone },
    memory: due === undefined ? unusable(observed, memory) : isWaiting ? Due.unstarted(memory, due) : due.memory,
    active,
    ended: deleted === undefined ? ownedJobs.ended : [...ownedJobs.ended, deleted],
    maintenance: ownedJobs.maintenance,
    skipped: due === undefined || isWaiting ? [] : due.skipped,
    refusedTrigger:
      [due?.refusedTrigger, drill.refusedTrigger, preflight.refusedTrigger]
        .filter((text) => text !== undefined)
        .join("; ") || undefined,
    unknownAnnotations: KnownAnnotations.unknownText(observed.resource.metadata.annotations),
    catalogue: ownedJobs.catalogue,
    listedMillis: ownedJobs.listedMillis,
    storedData: ownedJobs.storedData,
    percentPerRun: backup?.spec.verification.percentPerRun,
    listing: isLost ? "StatusLost" : deleted === undefined ? undefined : "ListingDue",
    queue: done.queue,
    refusal,
    deletion: undefined,
    drill: drill.observation,
    preflight: preflight.observation,
    ignoredStorageBlocks: backup === undefined ? [] : StorageSpec.ignoredStorageBlocks(backup.spec)
  }
  yield* StatusReport.publish(caches, observed, facts, ownedJobs.unreported)
  yield* DrillStep.release(context, observed, drill)
  yield* PreflightStep.release(context, observed, preflight)
  if (action._tag === "Replace" && outdated !== undefined) yield* JobActions.replace(context, observed, outdated)
  caches.forgetTombstones(observed.key)

  const millis = Requeue.nextMillis({
    dueMillis: due?.requeueMillis,
    active,
    isBusy: ownedJobs.unfinished.length > 0,
    isQueued: done.queue !== undefined,
    isRefused: refusal !== undefined,
    // A run that was found and had ended before leaves room for what comes after it.
    hasEnded:
      ownedJobs.unreported.some(({ job }) => job.metadata.deletionTimestamp === undefined) ||
      (done.isStarted && done.active === undefined),
    listingUntilMillis: isWaiting ? listingUntilMillis : undefined,
    nowMillis
  })
  return { _tag: "After", millis: Math.min(millis, drill.millis, preflight.millis) }
})

const applied = ({ previous }: Observed.Observed): Condition | undefined =>
  previous.conditions?.find(({ type }) => type === "RetentionApplied")

/** Retention was applied since the spec was edited: the status may have seen the edit while a run was active. */
const isApplied = (observed: Observed.Observed): boolean =>
  applied(observed)?.observedGeneration === observed.generation

/** The run whose Job is gone: ended, or to be continued in a new Job, unless that does not come in time. */
const replacement = (
  observed: Observed.Observed,
  gone: DeletedJob.DeletedJob | undefined
): {
  readonly deleted?: EndedRun
  readonly replaced?: RunCause
  readonly pending?: ActiveRun | undefined
} => {
  if (gone === undefined) return {}
  if (gone._tag === "Ended") return { deleted: gone.run }
  const { backup, nowMillis, previous } = observed
  const seconds = StartDeadline.seconds(backup?.spec, previous.activeRun?.cause ?? "schedule")
  const pending = Replacement.restored(observed, seconds)
  const endMillis = pending?.waiting?.failsAtMillis
  if (pending === undefined || endMillis === undefined || nowMillis < endMillis)
    return { replaced: gone.cause, pending }
  return {
    deleted: { ...pending, endMillis, outcome: "failed", ...Replacement.neverMade(pending, seconds), notes: [] }
  }
}

/** The active run while its Job is deleted to be made again. */
const beingReplaced = (
  { active, activeJob }: Observed.OwnedJobs,
  { previous }: Observed.Observed,
  action: NextJob.JobAction
): ActiveRun | undefined => {
  if (active === undefined) return undefined
  const isBeingDeleted =
    previous.activeRun?.replacing === true &&
    previous.activeRun.jobName === active.jobName &&
    activeJob?.job.metadata.deletionTimestamp !== undefined
  return action._tag === "Replace" || isBeingDeleted ? { ...active, trouble: undefined, isReplacing: true } : undefined
}

/** An invalid spec has no slots: correcting it counts as an edit, and an edit counts from now. */
const unusable = ({ createdMillis }: Observed.Observed, memory: ScheduleMemory): ScheduleMemory => ({
  sinceMillis: createdMillis,
  ...memory
})

/**
 * The active run with its pod's progress, unless that was read a moment ago: every new value is a reason to write the
 * status.
 */
const withProgress = Effect.fnUntraced(function* (
  { active, activeJob }: Observed.OwnedJobs,
  { nowMillis, previous: { activeRun, progress: before } }: Observed.Observed
) {
  if (active === undefined || activeJob === undefined) return active
  const isFresh =
    activeRun?.jobName === active.jobName &&
    before?.updatedTime !== undefined &&
    Math.abs(nowMillis - Format.millis(before.updatedTime)) < Requeue.progressMillis(active.startMillis, nowMillis)
  // The id that its run has claimed may be another one than that of its slot.
  const known = activeRun?.jobName === active.jobName ? { ...active, backupId: activeRun.backupId } : active
  // While the pod does not answer, what it answered last holds.
  const unchanged = AwaitedSecret.withTrouble(
    known,
    activeRun?.jobName === active.jobName ? before?.message : undefined
  )
  if (isFresh) return unchanged
  const running = activeJob.pods.filter(({ status }) => status?.phase === "Running")
  if (running.length === 0) return known
  const progress = yield* RunningShards.progress(activeJob.job, running, activeJob.pods)
  if (Option.isNone(progress)) return unchanged
  const { backupId = known.backupId, message } = progress.value
  return AwaitedSecret.withTrouble({ ...known, backupId, progress: progress.value }, message)
})
