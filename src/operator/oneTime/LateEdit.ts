import { given } from "../../resource/Json.ts"
import type { Job } from "../../kubernetes/Objects.ts"
import type { EndedRestore } from "../../status/restore/RestoreFacts.ts"
import * as Labels from "../Labels.ts"

/*
 * The status learns of the first write only seconds after it, and the API server admits edits of the spec until then. A
 * Job that writes is never stopped, so it may end under a spec that is not its own. Nothing of that end may be told as
 * the end of the new spec.
 */

/** What a Job keeps of the resource that it was made from. */
export const annotations = (
  generation: number | undefined,
  backupId: string | undefined
): Readonly<Record<string, string>> => ({
  ...(generation === undefined ? {} : { [Labels.generationAnnotation]: String(generation) }),
  ...(backupId === undefined ? {} : { [Labels.backupAnnotation]: backupId })
})

/** The backup that the Job restores; undefined where nobody knows. */
export const backupId = ({ metadata }: Job): string | undefined => metadata.annotations?.[Labels.backupAnnotation]

/**
 * The generation of the spec that the Job was made from, where the spec was edited since. Undefined for a Job of the
 * present spec, and where the annotation cannot be read.
 */
export const earlierGeneration = ({ metadata }: Job, generation: number): number | undefined => {
  const own = Number(metadata.annotations?.[Labels.generationAnnotation])
  return Number.isSafeInteger(own) && own > 0 && own < generation ? own : undefined
}

/**
 * The end of a Job under the present spec. `ended` itself, except for a Job of an earlier spec that has begun to write:
 * its plan, its records and its notes are not those of the present spec, and the restore is not complete.
 */
export const applied = (
  ended: EndedRestore,
  job: Job,
  generation: number,
  startedWritingMillis: number | undefined
): EndedRestore => {
  const earlier = earlierGeneration(job, generation)
  if (earlier === undefined) return ended
  const { jobName, message: why = "no reason was reported", outcome, reason = "JobFailed", summary } = ended
  if (ended.isDryRun) return { ...ended, earlierGeneration: earlier }
  const isSuccess = outcome === "success"
  if (!isSuccess && startedWritingMillis === undefined && summary?.startedWriting === undefined) return ended
  const backup = backupId(job) ?? "of that spec"
  const what = isSuccess
    ? `It restored backup ${backup} as generation ${earlier} of the spec says.`
    : `It was restoring backup ${backup} as generation ${earlier} of the spec says, and failed: ${reason}: ${why.replace(/[.]$/, "")}.`
  const { records: _records, ...rest } = ended
  return {
    ...rest,
    outcome: "failed",
    reason: "EditTooLate",
    message: `The edit came too late: Job ${jobName} had begun to write. ${what} Topics of the present spec were not restored. Nothing more is started for this resource: create another one with the spec that you want`,
    notes: [],
    summary: given({
      startedWriting: summary?.startedWriting,
      held: summary?.held,
      groups: summary?.groups,
      rollbackSnapshotId: summary?.rollbackSnapshotId
    })
  }
}
