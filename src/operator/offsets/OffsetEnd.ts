import { given } from "../../resource/Json.ts"
import type { EndedRestore } from "../../status/restore/RestoreFacts.ts"
import * as JobStart from "../jobs/JobStart.ts"
import * as LateEdit from "../oneTime/LateEdit.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"

/** What the end of a Job means for its resource. */
export interface OffsetEnd {
  readonly ended: EndedRestore
  /** When it began to change something, in milliseconds since 1970; undefined for a Job that changed nothing. */
  readonly startedWritingMillis: number | undefined
}

/**
 * Reads the end of a Job. A pod that was killed left no word, and may have changed something. A Job of an earlier spec
 * that changed something has not done what the present spec says; one that changed nothing is only over.
 */
export const of = (
  { job, pods, state }: ObservedJob,
  generation: number,
  isReadOnly: boolean
): OffsetEnd | undefined => {
  if (state._tag !== "Ended") return undefined
  const { restore } = state
  const { jobName, message = "no reason was reported", outcome, reason = "JobFailed", startMillis, summary } = restore
  const isSilent = outcome !== "success" && summary === undefined && JobStart.hasStarted(job, pods)
  const startedWritingMillis =
    summary?.startedWriting === undefined
      ? isSilent && !isReadOnly
        ? startMillis
        : undefined
      : Date.parse(summary.startedWriting)
  const earlier = LateEdit.earlierGeneration(job, generation)
  if (earlier === undefined) return { ended: restore, startedWritingMillis }
  if (startedWritingMillis === undefined) {
    return { ended: outcome === "success" ? { ...restore, earlierGeneration: earlier } : restore, startedWritingMillis }
  }
  const what =
    outcome === "success"
      ? `It did what generation ${earlier} of the spec says.`
      : `It did what generation ${earlier} of the spec says, and failed: ${reason}: ${message.replace(/[.]$/, "")}.`
  return {
    startedWritingMillis,
    ended: {
      ...restore,
      ...given({ summary }),
      outcome: "failed",
      reason: "EditTooLate",
      message: `The edit came too late: Job ${jobName} had begun. ${what} Nothing more is started for this resource: create another one with the spec that you want`,
      notes: []
    }
  }
}
