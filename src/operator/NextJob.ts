import type { RunCause } from "../schedule/RunCause.ts"

/** What decides about a resource's next Job. Runs, prunes and catalogues of one resource never overlap. */
export interface NextJobInput {
  /** A Job of the resource, or one of its pods, is not over. */
  readonly isBusy: boolean
  /** Name of the only unfinished Job, when it is a stuck maintenance Job, such as a prune whose pod finds no node. */
  readonly stuckMaintenance: string | undefined
  /** The maintenance Job of `stuckMaintenance` would have another pod now. */
  readonly isMaintenanceOutdated: boolean
  /** The active run's Job waits for its container to start, and would have another pod now. */
  readonly isRunOutdated: boolean
  /** The run whose Job was deleted to be made again. */
  readonly replaced: RunCause | undefined
  /** The run that is due. */
  readonly due: RunCause | undefined
  readonly generation: number
  /** `spec.retention.backups`. */
  readonly keep: number | undefined
  /** The rules of `spec.retention` in words, where it has others than `backups`: see `RetentionSpec.timed`. */
  readonly rules: string | undefined
  /** Those that were applied last. */
  readonly appliedRules: string | undefined
  /** How many backups storage holds, as far as it is known. */
  readonly stored: number
  /** The newest of them, by id. */
  readonly newest: string | undefined
  /**
   * Retention held backups back, and neither the spec nor the confirmation changed since: another prune would do the
   * same.
   */
  readonly isHeldBack: boolean
  /** Retention held backups back when it was applied last. */
  readonly isHolding: boolean
  /**
   * How many of the successes retention leaves alone, because they are pinned or locked, or because an earlier
   * resource made them and the spec was not edited since: another prune would do the same.
   */
  readonly waiting: number
  /** Value of the annotation that accepts a loss. */
  readonly acceptedLoss: string | undefined
  /** The history must be read from storage: the status was lost, or the last listing failed. */
  readonly isUnlisted: boolean
  /** The status was lost a moment ago: reading storage takes seconds, a run may take hours. */
  readonly isListingFirst: boolean
  /** A Job that the status calls active and that no longer exists: only storage shows what it did. */
  readonly deletedJob: string | undefined
}

export type JobAction =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Run"; readonly cause: RunCause }
  | { readonly _tag: "Preempt"; readonly jobName: string }
  /** The active run's Job is deleted, to be made again. */
  | { readonly _tag: "Replace" }
  /** `key` identifies this action among those of the resource: Jobs of equal keys are one Job. */
  | { readonly _tag: "Prune"; readonly key: string }
  | { readonly _tag: "Catalogue"; readonly key: string }

/**
 * A run does not wait for a maintenance Job that may never end, and a correction of the spec counts for it, too: it is
 * deleted, and made again when it is still needed.
 */
const preempt = (jobName: string): JobAction => ({ _tag: "Preempt", jobName })

const nothing: JobAction = { _tag: "Nothing" }

const catalogue = (key: string): JobAction => ({ _tag: "Catalogue", key })

/**
 * What to do next. A run goes first: it applies retention and reads the catalogue itself. Only right after the status
 * was lost it waits for the listing.
 */
export const next = (input: NextJobInput): JobAction => {
  const { acceptedLoss, deletedJob, due, generation, isBusy, isListingFirst, isUnlisted } = input
  const { isMaintenanceOutdated, isRunOutdated, newest, replaced, stuckMaintenance } = input
  if (isBusy) {
    if (isRunOutdated) return { _tag: "Replace" }
    const isInTheWay =
      stuckMaintenance !== undefined && ((due !== undefined && !isListingFirst) || isMaintenanceOutdated)
    return isInTheWay ? preempt(stuckMaintenance) : nothing
  }
  if (replaced !== undefined) return { _tag: "Run", cause: replaced }
  if (isListingFirst) return catalogue("unlisted")
  if (due !== undefined) return { _tag: "Run", cause: due }
  if (deletedJob !== undefined) return catalogue(`after ${deletedJob}`)
  if (isUnlisted) return catalogue("unlisted")
  if (isPruneDue(input)) {
    const rules = input.rules ?? input.keep
    // A failed prune is not tried again until its Job is gone or the input has changed.
    // One prune for each confirmed loss: runs heed it, too, and the annotation may stay for years.
    const which = acceptedLoss === undefined ? `after ${newest ?? ""}` : `accepting ${acceptedLoss}`
    return { _tag: "Prune", key: `${rules} at ${generation} ${which}` }
  }
  return nothing
}

/**
 * More backups are kept than wanted. How many the rules of time keep is not known here: they are applied once after an
 * edit, and again when a loss is accepted. Each run applies them, too.
 */
const isPruneDue = ({
  acceptedLoss,
  appliedRules,
  isHeldBack,
  isHolding,
  keep,
  rules,
  stored,
  waiting
}: NextJobInput): boolean => {
  if (rules === undefined) return keep !== undefined && stored - waiting > keep && !isHeldBack
  return stored > 1 && (rules !== appliedRules || (isHolding && acceptedLoss !== undefined))
}
