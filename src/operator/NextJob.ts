import type { RunCause } from "../schedule/RunCause.ts"

/** What a resource's one lane of Jobs is asked. Runs, prunes and catalogues of one resource never overlap. */
export interface NextJobInput {
  /** A Job of the resource is not over, or its pods are not. */
  readonly isBusy: boolean
  /** The one Job that makes it busy is a chore that cannot get on, such as a prune whose pod no node takes. */
  readonly stuckMaintenance: string | undefined
  /** The run that is due. */
  readonly due: RunCause | undefined
  readonly generation: number
  /** `spec.retention.backups`. */
  readonly keep: number | undefined
  /** Successes in the history, newest first, by id. */
  readonly successes: ReadonlyArray<string>
  /** The spec was edited since the last look, and the history is as long as it gets: storage may hold more than it tells. */
  readonly mayHoldMore: boolean
  /** The resource has been here for a while and its status says nothing: history must be read from storage. */
  readonly isForgotten: boolean
  /** A Job that status calls active and that no longer exists: what it did is known to storage alone. */
  readonly vanishedJob: string | undefined
}

export type JobAction =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Run"; readonly cause: RunCause }
  | { readonly _tag: "Preempt"; readonly jobName: string }
  /** `key` tells this action from every other of the resource: Jobs of equal keys are one Job. */
  | { readonly _tag: "Prune"; readonly key: string }
  | { readonly _tag: "Catalogue"; readonly key: string }

/** A run does not wait for what may never end: the chore is ended, and made again when it is still wanted. */
const preempt = (jobName: string): JobAction => ({ _tag: "Preempt", jobName })

const nothing: JobAction = { _tag: "Nothing" }

/** What the lane should do next. A run goes first: it applies retention and reads the catalogue itself. */
export const next = (question: NextJobInput): JobAction => {
  const { due, generation, isBusy, isForgotten, keep, mayHoldMore, stuckMaintenance, successes, vanishedJob } = question
  if (isBusy) return due !== undefined && stuckMaintenance !== undefined ? preempt(stuckMaintenance) : nothing
  if (due !== undefined) return { _tag: "Run", cause: due }
  if (vanishedJob !== undefined) return { _tag: "Catalogue", key: `after ${vanishedJob}` }
  if (isForgotten) return { _tag: "Catalogue", key: "forgotten" }
  if (keep !== undefined && (successes.length > keep || mayHoldMore)) {
    // Failing once, it is not tried again until its Job is gone or the question has changed.
    return { _tag: "Prune", key: `${keep} at ${generation} after ${successes[0] ?? ""}` }
  }
  return nothing
}
