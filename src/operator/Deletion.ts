import type { RunReasonName } from "../outcome/RunReasons.ts"
import type { DeletionTrouble, Trouble } from "../status/Facts.ts"

/** What is known about a resource that is being deleted. Instants are milliseconds since 1970. */
export interface DeletionInput {
  /** It carries the operator's finalizer. Without it the operator does not hold up the deletion. */
  readonly isHeld: boolean
  /** `spec.deletionPolicy` is Delete and the spec can be used. */
  readonly wantsCleanup: boolean
  readonly deletedMillis: number
  readonly nowMillis: number
  /** Jobs of the resource that are not over. */
  readonly activeJobs: ReadonlyArray<string>
  readonly cleanup:
    | { readonly _tag: "None" }
    | { readonly _tag: "Active"; readonly trouble?: Trouble<RunReasonName> | undefined }
    | { readonly _tag: "Succeeded"; readonly removed: number | undefined }
    | { readonly _tag: "Failed"; readonly trouble: Trouble }
}

export type DeletionStep =
  | { readonly _tag: "Nothing" }
  /** Runs and maintenance of the resource end first: what they write would outlive the clean-up. */
  | { readonly _tag: "EndJobs"; readonly waitsFor: DeletionTrouble }
  | { readonly _tag: "Clean"; readonly waitsFor: DeletionTrouble }
  | { readonly _tag: "Wait"; readonly waitsFor: DeletionTrouble }
  /**
   * Takes the finalizer off: the last write. `message` says why stored backups were kept although the spec asks to
   * remove them.
   */
  | { readonly _tag: "Release"; readonly outcome: "Retained" | "Cleaned" | "GivenUp"; readonly message?: string }

/** A deletion ends after this long, cleaned up or not. */
export const boundMillis = 3_600_000

const keptAdvice = "the stored backups are kept; to remove them, run kafka-backup prune --all or delete their folders"

/** The next step of a deletion. Deletion always ends: every wait is within the bound. */
export const next = (input: DeletionInput): DeletionStep => {
  const { activeJobs, cleanup, deletedMillis, isHeld, nowMillis, wantsCleanup } = input
  if (!isHeld) return { _tag: "Nothing" }
  if (cleanup._tag === "Succeeded") return { _tag: "Release", outcome: "Cleaned" }
  if (!wantsCleanup) return { _tag: "Release", outcome: "Retained" }
  if (cleanup._tag === "Failed") {
    return { _tag: "Release", outcome: "GivenUp", message: `${cleanup.trouble.message}; ${keptAdvice}` }
  }
  if (nowMillis - deletedMillis >= boundMillis) {
    const last = cleanup._tag === "Active" ? cleanup.trouble?.message : undefined
    const message = `the clean-up did not end within an hour${last === undefined ? "" : ` (${last})`}; ${keptAdvice}`
    return { _tag: "Release", outcome: "GivenUp", message }
  }
  if (activeJobs.length > 0) {
    const message = `waiting for ${activeJobs.join(", ")} to stop before the stored backups are removed`
    return { _tag: "EndJobs", waitsFor: { reason: "EndingRuns", message } }
  }
  const waitsFor: DeletionTrouble =
    cleanup._tag === "Active" && cleanup.trouble !== undefined
      ? cleanup.trouble
      : { reason: "RemovingBackups", message: "a Job removes the stored backups, as spec.deletionPolicy says" }
  return cleanup._tag === "None" ? { _tag: "Clean", waitsFor } : { _tag: "Wait", waitsFor }
}

/** No Job can be made in a namespace that is being deleted: the deletion continues without clean-up. */
export const withoutCleanup = (detail: string): DeletionStep => ({
  _tag: "Release",
  outcome: "GivenUp",
  message: `${detail}; ${keptAdvice}`
})
