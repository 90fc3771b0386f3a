import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { RunReasonName } from "../../outcome/RunReasons.ts"
import type { CatalogueSummary, RunSummary } from "../../outcome/RunSummary.ts"
import type { ActiveRun, EndedMaintenance, EndedRun, Trouble } from "../../status/Facts.ts"
import * as StoredData from "./StoredData.ts"
import type { Purpose } from "../Labels.ts"
import * as JobEnd from "./JobEnd.ts"
import * as JobFacts from "./JobFacts.ts"
import * as JobStart from "./JobStart.ts"
import * as PodTrouble from "./PodTrouble.ts"
import * as JobResult from "./JobResult.ts"

/** What the Jobs of a KafkaBackup are for, drills and checks apart: those have their own state. */
type BackupPurpose = Exclude<Purpose, "restore" | "drill" | "check" | "offsets">

const backupPurpose = (job: Job): BackupPurpose | undefined => {
  const purpose = JobFacts.purpose(job)
  const isOther = purpose === "restore" || purpose === "drill" || purpose === "check" || purpose === "offsets"
  return isOther ? undefined : purpose
}

/** The state of one Job of a KafkaBackup. */
export type JobState =
  | { readonly _tag: "Active"; readonly run: ActiveRun }
  | {
      readonly _tag: "Ended"
      readonly run: EndedRun
      /** What storage holds, as the run saw it at its end. */
      readonly catalogue?: CatalogueSummary
      readonly storedData?: StoredData.StoredData
      /** Kubernetes has not ended the Job, and may never: the reader should delete it. */
      readonly isStuck: boolean
    }
  | {
      readonly _tag: "ActiveMaintenance"
      readonly task: EndedMaintenance["task"]
      readonly jobName: string
      readonly startMillis: number
      readonly trouble?: Trouble<RunReasonName> | undefined
    }
  | {
      readonly _tag: "EndedMaintenance"
      readonly maintenance: EndedMaintenance
      readonly catalogue?: CatalogueSummary
      readonly storedData?: StoredData.StoredData
      readonly isStuck: boolean
    }
  /** A drill or a check, not one of the operator's, or its label no longer says what it is for: leave it alone. */
  | { readonly _tag: "Foreign"; readonly jobName: string }

/**
 * The Job's state now. Total: what others wrote into labels, annotations and termination messages never throws and
 * never makes a success. `pods` may hold pods of other Jobs; `events` are those about the Job and its pods, and explain
 * what blocks it. `startDeadlineSeconds` bounds a run's wait for the start of its container.
 */
export const read = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  nowMillis: number,
  events: ReadonlyArray<Event> = [],
  startDeadlineSeconds?: number
): JobState => {
  const own = JobFacts.podsOf(job, pods)
  const purpose = backupPurpose(job)
  if (purpose === undefined) return { _tag: "Foreign", jobName: job.metadata.name }
  const deadline = purpose === "run" ? startDeadlineSeconds : undefined
  const end = JobEnd.of(job, own, nowMillis, deadline)
  if (end !== undefined && end._tag !== "NotStarted") return ended(job, purpose, own, end, nowMillis)
  if (end !== undefined) {
    // Where the run is given up, a slow start is the trouble, however short the deadline is; that its Job is deleted
    // follows from it.
    const { deletionTimestamp: _, ...metadata } = job.metadata
    const blocked = PodTrouble.of({ ...job, metadata }, pods, events, nowMillis + PodTrouble.slowStartMillis)
    return ended(job, purpose, own, end, nowMillis, blocked)
  }
  const trouble = PodTrouble.of(job, pods, events, nowMillis)
  return active(job, purpose, own, nowMillis, trouble, waiting(job, own, nowMillis, deadline))
}

/** What becomes of a run while it waits for the start of a container. */
const waiting = (
  job: Job,
  own: ReadonlyArray<Pod>,
  nowMillis: number,
  deadlineSeconds: number | undefined
): ActiveRun["waiting"] => {
  const sinceMillis = JobStart.waitingSinceMillis(job, own, nowMillis)
  const isEnding =
    job.metadata.deletionTimestamp !== undefined || JobFacts.condition(job, "FailureTarget") !== undefined
  if (sinceMillis === undefined || isEnding) return undefined
  return given({
    isReplaceable: !JobStart.hasStarted(job, own),
    failsAtMillis: deadlineSeconds === undefined ? undefined : sinceMillis + deadlineSeconds * 1000
  })
}

/** The state of a Job that no longer exists, from what was last observed of it and its pods. */
export const deleted = (job: Job, pods: ReadonlyArray<Pod>, nowMillis: number): JobState => {
  const own = JobFacts.podsOf(job, pods)
  const purpose = backupPurpose(job)
  if (purpose === undefined) return { _tag: "Foreign", jobName: job.metadata.name }
  const end = JobEnd.of(job, own, nowMillis)
  const hasEnded = end !== undefined && end._tag !== "Lost"
  return ended(job, purpose, own, hasEnded ? end : { _tag: "Deleted", endMillis: undefined }, nowMillis)
}

const active = (
  job: Job,
  purpose: BackupPurpose,
  own: ReadonlyArray<Pod>,
  nowMillis: number,
  trouble: Trouble<RunReasonName> | undefined,
  waiting: ActiveRun["waiting"]
): JobState => {
  const common = given({ jobName: job.metadata.name, startMillis: JobFacts.startMillis(job, nowMillis), trouble })
  return purpose === "run"
    ? {
        _tag: "Active",
        run: {
          ...common,
          ...given({ waiting }),
          backupId: JobFacts.expectedBackupId(job),
          cause: JobFacts.cause(job),
          ...(own.some(isAtWork) ? {} : { isStopped: true })
        }
      }
    : { _tag: "ActiveMaintenance", ...common, task: purpose }
}

/** A pod that succeeded ends its Job in a moment. */
const isAtWork = (pod: Pod): boolean =>
  pod.status?.phase === "Succeeded" ||
  (pod.status?.phase === "Running" && JobFacts.terminated(pod) === undefined && JobFacts.waiting(pod) === undefined)

const commands = { run: "run", prune: "prune", cleanup: "prune", catalogue: "list" } as const satisfies Record<
  BackupPurpose,
  RunSummary["command"]
>

const ended = (
  job: Job,
  purpose: BackupPurpose,
  own: ReadonlyArray<Pod>,
  end: JobEnd.JobEnd,
  nowMillis: number,
  blocked?: Trouble
): JobState => {
  const result = JobResult.of(job, own, end, commands[purpose], blocked)
  const isStuck = end._tag === "Lost" || end._tag === "NotStarted" || (end._tag === "Failed" && end.isStuck)
  const learnt = given({
    catalogue: result.summary?.catalogue,
    storedData: result._tag === "Success" ? StoredData.of(result.summary) : undefined
  })
  if (purpose === "run") return { _tag: "Ended", run: run(job, own, end, result, nowMillis), ...learnt, isStuck }
  const maintenance: EndedMaintenance = given({
    task: purpose,
    jobName: job.metadata.name,
    isSuccess: result._tag === "Success",
    removed: result.summary?.removed,
    heldBack: result.summary?.heldBack,
    locked: result._tag === "Success" ? result.summary.locked : undefined,
    retention: result._tag === "Success" ? result.summary.retention : undefined,
    notes: result._tag === "Success" && result.summary.notes.length > 0 ? result.summary.notes : undefined,
    trouble: result._tag === "Success" ? undefined : result.trouble
  })
  return { _tag: "EndedMaintenance", maintenance, ...learnt, isStuck }
}

const run = (
  job: Job,
  own: ReadonlyArray<Pod>,
  end: JobEnd.JobEnd,
  result: JobResult.JobResult,
  nowMillis: number
): EndedRun => {
  const startMillis = JobFacts.startMillis(job, nowMillis)
  const finished = own.flatMap((pod) => JobFacts.millis(JobFacts.terminated(pod)?.finishedAt) ?? [])
  const endMillis = end.endMillis ?? (finished.length === 0 ? nowMillis : Math.max(...finished))
  const { summary } = result
  const common = {
    jobName: job.metadata.name,
    ...given({ generation: JobFacts.generation(job) }),
    cause: JobFacts.cause(job),
    backupId: summary?.backupId || JobFacts.expectedBackupId(job),
    startMillis,
    endMillis: Math.max(startMillis, endMillis),
    ...(summary?.addedBytes === undefined ? {} : { addedBytes: summary.addedBytes }),
    ...(summary?.addedRecords === undefined ? {} : { addedRecords: summary.addedRecords })
  }
  if (result._tag === "Failure") {
    return { ...common, outcome: result.outcome, ...result.trouble, notes: [] }
  }
  const {
    backupId,
    healedObjects,
    heldBack,
    locked,
    notes,
    partitions,
    records,
    retention,
    size,
    topics,
    verification
  } = result.summary
  if (!backupId) {
    return { ...common, outcome: "failed", ...JobResult.manifestMissing(job), notes: [] }
  }
  const verifiedBytes = verification?.bytes
  const success = given({
    ...common,
    outcome: "success" as const,
    notes,
    size,
    records,
    topics,
    partitions,
    verifiedBytes,
    healedObjects,
    heldBack,
    locked,
    retention
  })
  const set = result.summary.alreadyComplete === true ? result.summary.made : undefined
  if (set === undefined) return success
  // A run that found its backup complete made none: the times are those of the backup, however long ago.
  const createdMillis = JobFacts.millis(job.metadata.creationTimestamp) ?? 0
  return {
    ...success,
    startMillis: set.startedMillis,
    endMillis: set.completedMillis,
    // Otherwise an earlier pod of this Job made it, and died before it could report it.
    ...(set.completedMillis < createdMillis ? { wasComplete: true } : {})
  }
}
