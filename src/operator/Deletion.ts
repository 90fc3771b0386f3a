import type { Trouble } from "../status/Facts.ts"

/** What is known of a resource that is being deleted. Instants are milliseconds since 1970. */
export interface DeletionQuestion {
  /** It carries our finalizer. Without it nothing of ours holds it. */
  readonly isHeld: boolean
  /** `spec.deletionPolicy` is Delete and the spec can be used. */
  readonly wantsCleanup: boolean
  readonly deletedMillis: number
  readonly nowMillis: number
  /** Jobs of the resource that are not over. */
  readonly activeJobs: ReadonlyArray<string>
  readonly cleanup:
    | { readonly _tag: "None" }
    | { readonly _tag: "Active"; readonly trouble?: Trouble }
    | { readonly _tag: "Succeeded"; readonly removed: number | undefined }
    | { readonly _tag: "Failed"; readonly trouble: Trouble }
}

export type DeletionStep =
  | { readonly _tag: "Nothing" }
  /** Runs and maintenance of a dying resource end first: what they write would outlive the clean-up. */
  | { readonly _tag: "EndJobs"; readonly waitsFor: Trouble }
  | { readonly _tag: "Clean"; readonly waitsFor: Trouble }
  | { readonly _tag: "Wait"; readonly waitsFor: Trouble }
  /** Takes the finalizer off: the last write. `trouble` says why stored backups were kept against the action. */
  | { readonly _tag: "Release"; readonly outcome: "Retained" | "Cleaned" | "GivenUp"; readonly trouble?: Trouble }

/** A deletion ends after this long, cleaned up or not. */
export const boundMillis = 3_600_000

const keptAdvice =
  "the stored backups are kept; remove them with kafka-backup prune --all, or by deleting their folders"

/** The next step of a deletion. Deletion always ends: every wait is within the bound. */
export const next = (question: DeletionQuestion): DeletionStep => {
  const { activeJobs, cleanup, deletedMillis, isHeld, nowMillis, wantsCleanup } = question
  if (!isHeld) return { _tag: "Nothing" }
  if (cleanup._tag === "Succeeded") return { _tag: "Release", outcome: "Cleaned" }
  if (!wantsCleanup) return { _tag: "Release", outcome: "Retained" }
  if (cleanup._tag === "Failed") {
    const { message, reason } = cleanup.trouble
    return { _tag: "Release", outcome: "GivenUp", trouble: { reason, message: `${message}; ${keptAdvice}` } }
  }
  if (nowMillis - deletedMillis >= boundMillis) {
    const last = cleanup._tag === "Active" ? cleanup.trouble?.message : undefined
    const message = `the clean-up did not end within an hour${last === undefined ? "" : ` (${last})`}; ${keptAdvice}`
    return { _tag: "Release", outcome: "GivenUp", trouble: { reason: "CleanupTimedOut", message } }
  }
  if (activeJobs.length > 0) {
    const message = `waiting for ${activeJobs.join(", ")} to stop before the stored backups are removed`
    return { _tag: "EndJobs", waitsFor: { reason: "EndingRuns", message } }
  }
  const waitsFor: Trouble =
    cleanup._tag === "Active" && cleanup.trouble !== undefined
      ? cleanup.trouble
      : { reason: "RemovingBackups", message: "a Job removes the stored backups, as spec.deletionPolicy says" }
  return cleanup._tag === "None" ? { _tag: "Clean", waitsFor } : { _tag: "Wait", waitsFor }
}

/** No Job can be made in a namespace that is being deleted: the deletion goes on without clean-up. */
export const withoutCleanup = (detail: string): DeletionStep => ({
  _tag: "Release",
  outcome: "GivenUp",
  trouble: { reason: "NamespaceTerminating", message: `${detail}; ${keptAdvice}` }
})
