import { exitCodes } from "../../outcome/ExitCodes.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import type { Event, Job, Pod } from "../../kubernetes/Objects.ts"
import { given } from "../../resource/Json.ts"
import type { ActiveDrill, DrillCauseName, EndedDrill } from "../../status/drill/DrillFacts.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as JobEnd from "../jobs/JobEnd.ts"
import * as JobFacts from "../jobs/JobFacts.ts"
import * as JobResult from "../jobs/JobResult.ts"
import * as PodTrouble from "../jobs/PodTrouble.ts"

/** The state of one Job of a drill. */
export type DrillJobState =
  | { readonly _tag: "Active"; readonly drill: ActiveDrill }
  | {
      readonly _tag: "Ended"
      readonly drill: EndedDrill
      /** Kubernetes has not ended the Job, and may never: the reader should delete it. */
      readonly isStuck: boolean
    }

/**
 * The Job's state now. Total, as `JobState.read`. `pods` are those of this Job; `events` are those about the Job and
 * its pods. `startDeadlineSeconds` bounds the wait for the start of its container.
 */
export const read = (
  job: Job,
  pods: ReadonlyArray<Pod>,
  nowMillis: number,
  events: ReadonlyArray<Event>,
  startDeadlineSeconds: number | undefined
): DrillJobState => {
  const end = JobEnd.of(job, pods, nowMillis, startDeadlineSeconds)
  if (end === undefined) {
    return {
      _tag: "Active",
      drill: given({
        jobName: job.metadata.name,
        cause: cause(job),
        startMillis: JobFacts.startMillis(job, nowMillis),
        trouble: PodTrouble.of(job, pods, events, nowMillis)
      })
    }
  }
  if (end._tag !== "NotStarted") return ended(job, pods, end, nowMillis)
  // Where the drill is given up, a slow start is the trouble, however short the deadline is.
  const { deletionTimestamp: _, ...metadata } = job.metadata
  const blocked = PodTrouble.of({ ...job, metadata }, pods, events, nowMillis + PodTrouble.slowStartMillis)
  return ended(job, pods, end, nowMillis, blocked)
}

/** The end of a Job that no longer exists, from what was last observed of it and its pods. */
export const deleted = (job: Job, pods: ReadonlyArray<Pod>, nowMillis: number): EndedDrill => {
  const end = JobEnd.of(job, pods, nowMillis)
  const hasEnded = end !== undefined && end._tag !== "Lost"
  return ended(job, pods, hasEnded ? end : { _tag: "Deleted", endMillis: undefined }, nowMillis).drill
}

/** Why the drill exists. */
export const cause = (job: Job): DrillCauseName => (JobFacts.cause(job) === "trigger" ? "trigger" : "schedule")

const ended = (job: Job, pods: ReadonlyArray<Pod>, end: JobEnd.JobEnd, nowMillis: number, blocked?: Trouble) => {
  const result = JobResult.of(job, pods, end, "drill", blocked)
  const startMillis = JobFacts.startMillis(job, nowMillis)
  const finished = pods.flatMap((pod) => JobFacts.millis(JobFacts.terminated(pod)?.finishedAt) ?? [])
  const endMillis = end.endMillis ?? (finished.length === 0 ? nowMillis : Math.max(...finished))
  const { summary } = result
  const drill: EndedDrill = {
    jobName: job.metadata.name,
    cause: cause(job),
    startMillis,
    endMillis: Math.max(startMillis, endMillis),
    ...given({ backupId: summary?.backupId, summary: summary?.drill, notes: summary?.notes }),
    ...outcome(result)
  }
  const isStuck = end._tag === "Lost" || end._tag === "NotStarted" || (end._tag === "Failed" && end.isStuck)
  return { _tag: "Ended", drill, isStuck } as const
}

/**
 * Exit codes of failures that are about the backup. Others show nothing about it: an access, a Secret or a cluster that
 * cannot be used needs a person, and a broker that does not answer may answer later.
 */
const shown: ReadonlySet<number> = new Set([
  exitCodes.topicsUnusable,
  exitCodes.storageUnusable,
  exitCodes.dataUnusable,
  exitCodes.notProven,
  exitCodes.notFound
])

/** What the result shows. A drill that could not be carried out, or was stopped, shows nothing about the backup. */
const outcome = (result: JobResult.JobResult): Pick<EndedDrill, "outcome" | "reason" | "message"> => {
  if (result._tag === "Success") {
    if (result.summary.drill?.result === "Passed") return { outcome: "passed" }
    const [note = "there is no verified backup to drill"] = result.summary.notes
    return { outcome: "incomplete", reason: "NothingToDrill", message: note }
  }
  return { outcome: isShown(result.summary) ? "failed" : "incomplete", ...result.trouble }
}

const isShown = (summary: RunSummary | undefined): boolean =>
  summary?.drill?.result === "Failed" && shown.has(summary.exitCode)
