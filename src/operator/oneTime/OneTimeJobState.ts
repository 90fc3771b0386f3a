import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import { given } from "../../resource/Json.ts"
import type { ActiveRestore, EndedRestore } from "../../status/restore/RestoreFacts.ts"
import * as JobEnd from "../jobs/JobEnd.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as JobResult from "../jobs/JobResult.ts"
import * as JobStart from "../jobs/JobStart.ts"
import * as PodSummary from "../jobs/PodSummary.ts"
import * as PodTrouble from "../jobs/PodTrouble.ts"

/** The state of one Job of a restore, or of work on offsets. */
export type OneTimeJobState =
  | { readonly _tag: "Active"; readonly restore: ActiveRestore }
  | {
      readonly _tag: "Ended"
      readonly restore: EndedRestore
      /** Kubernetes has not ended the Job, and may never: the reader should delete it. */
      readonly isStuck: boolean
    }

/**
 * The Job's state now. `command` is what its pods run. Total, as `JobState.read`. `pods` are those of this Job;
 * `events` are those about the Job and its pods.
 */
export const read = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  nowMillis: number,
  events: ReadonlyArray<Event> = [],
  command: RunSummary["command"] = "restore"
): OneTimeJobState => {
  const end = JobEnd.of(job, pods, nowMillis)
  if (end !== undefined) return ended(job, pods, end, nowMillis, command)
  return {
    _tag: "Active",
    restore: given({
      jobName: job.metadata.name,
      startMillis: JobFacts.startMillis(job, nowMillis),
      hasStarted: JobStart.hasStarted(job, pods),
      trouble: PodTrouble.of(job, pods, events, nowMillis)
    })
  }
}

/** The end of a Job that no longer exists, from what was last observed of it and its pods. */
export const deleted = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  nowMillis: number,
  command: RunSummary["command"] = "restore"
): EndedRestore => {
  const end = JobEnd.of(job, pods, nowMillis)
  const hasEnded = end !== undefined && end._tag !== "Lost"
  return ended(job, pods, hasEnded ? end : { _tag: "Deleted", endMillis: undefined }, nowMillis, command).restore
}

const ended = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  end: JobEnd.JobEnd,
  nowMillis: number,
  command: RunSummary["command"]
) => {
  const result = JobResult.of(job, pods, end, command)
  const startMillis = JobFacts.startMillis(job, nowMillis)
  const finished = pods.flatMap((pod) => JobFacts.millis(JobFacts.terminated(pod)?.finishedAt) ?? [])
  const endMillis = end.endMillis ?? (finished.length === 0 ? nowMillis : Math.max(...finished))
  const { summary } = result
  const common = {
    jobName: job.metadata.name,
    startMillis,
    endMillis: Math.max(startMillis, endMillis),
    isDryRun: summary?.restore?.dryRun === true,
    ...given({ summary: summary?.restore, backupId: summary?.backupId })
  }
  const restore: EndedRestore =
    result._tag === "Failure"
      ? { ...common, outcome: result.outcome, ...result.trouble, notes: [] }
      : { ...common, outcome: "success", notes: result.summary.notes, ...given({ records: result.summary.records }) }
  const isStuck = end._tag === "Lost" || (end._tag === "Failed" && end.isStuck)
  return { _tag: "Ended", restore, isStuck } as const
}

/** When an attempt in one of these pods began to write, by what it left behind; in milliseconds since 1970. */
export const startedWritingMillis = (pods: ReadonlyArray<Pod>): number | undefined => {
  const found = pods.flatMap((pod) => JobFacts.millis(PodSummary.of(pod)?.restore?.startedWriting) ?? [])
  return found.length === 0 ? undefined : Math.min(...found)
}
