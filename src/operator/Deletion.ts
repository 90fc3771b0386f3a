import type { RunReasonName } from "../outcome/RunReasons.ts"
import type { DeletionTrouble, Trouble } from "../status/Facts.ts"
import * as Format from "../status/Format.ts"

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
  /** The newest attempt of the clean-up; attempts count from 1. */
  readonly cleanup:
    | { readonly _tag: "None" }
    | {
        readonly _tag: "Active"
        readonly attempt: number
        readonly startMillis: number
        readonly trouble?: Trouble<RunReasonName> | undefined
        /** One of its pods is running. */
        readonly isRunning: boolean
        /** The failure of the attempt before. */
        readonly before?: Trouble | undefined
      }
    /** `notes`: what the user should know about backups that stay. */
    | { readonly _tag: "Succeeded"; readonly removed: number | undefined; readonly notes?: ReadonlyArray<string> }
    | { readonly _tag: "Failed"; readonly attempt: number; readonly endMillis: number; readonly trouble: Trouble }
}

export type DeletionStep =
  | { readonly _tag: "Nothing" }
  /** Runs and maintenance of the resource end first: what they write would outlive the clean-up. */
  | { readonly _tag: "EndJobs"; readonly waitsFor: DeletionTrouble }
  /** Makes the Job of this attempt; Jobs of earlier attempts that are not over end. */
  | { readonly _tag: "Clean"; readonly attempt: number; readonly waitsFor: DeletionTrouble }
  /** `untilMillis`: nothing happens before, unless a Job changes. */
  | { readonly _tag: "Wait"; readonly waitsFor: DeletionTrouble; readonly untilMillis?: number }
  /** Takes the finalizer off: the last write. */
  | { readonly _tag: "Release"; readonly outcome: "Retained" | "Cleaned"; readonly notes?: ReadonlyArray<string> }
  /** The same for a clean-up that did not succeed; `why` says what failed. */
  | { readonly _tag: "GiveUp"; readonly why: string }

/** A deletion ends after this long, cleaned up or not. Counted from the deletion, whatever happens to the operator. */
export const boundMillis = 3_600_000

const firstPauseMillis = 30_000
const longestPauseMillis = 300_000

/** The pause after a failed attempt: half a minute, doubling to five minutes. */
export const pauseMillis = (attempt: number): number =>
  Math.min(longestPauseMillis, firstPauseMillis * 2 ** Math.min(attempt - 1, 10))

/** The last attempt starts this long before the bound: time for a pod to start and to remove the backups. */
const lastStartMillis = 180_000

/** A Job whose pod cannot start for so long is made again, because the resource may have been corrected. */
const stuckMillis = 600_000

/** The next step of a deletion. Deletion always ends: every wait is within the bound. */
export const next = (input: DeletionInput): DeletionStep => {
  const { activeJobs, cleanup, deletedMillis, isHeld, nowMillis, wantsCleanup } = input
  if (!isHeld) return { _tag: "Nothing" }
  if (cleanup._tag === "Succeeded") {
    const { notes = [] } = cleanup
    return notes.length === 0 ? { _tag: "Release", outcome: "Cleaned" } : { _tag: "Release", outcome: "Cleaned", notes }
  }
  if (!wantsCleanup) return { _tag: "Release", outcome: "Retained" }
  const boundedMillis = deletedMillis + boundMillis
  if (nowMillis >= boundedMillis) return { _tag: "GiveUp", why: whyLate(cleanup) }
  if (activeJobs.length > 0) {
    const message = `The clean-up waits for ${activeJobs.join(", ")} to stop. It is given up at ${Format.time(boundedMillis)}`
    return { _tag: "EndJobs", waitsFor: { reason: "EndingRuns", message } }
  }
  switch (cleanup._tag) {
    case "None":
      return { _tag: "Clean", attempt: 1, waitsFor: removing(1, undefined, boundedMillis) }
    case "Active": {
      const { attempt, before, isRunning, startMillis, trouble } = cleanup
      if (trouble === undefined) return { _tag: "Wait", waitsFor: removing(attempt, before, boundedMillis) }
      const waitsFor = { reason: trouble.reason, message: untilGivenUp(trouble.message, boundedMillis) }
      return isRunning || nowMillis - startMillis < stuckMillis
        ? { _tag: "Wait", waitsFor }
        : { _tag: "Clean", attempt: attempt + 1, waitsFor }
    }
    case "Failed":
      return afterFailure(cleanup, nowMillis, boundedMillis)
  }
}

type Failed = Extract<DeletionInput["cleanup"], { readonly _tag: "Failed" }>

const afterFailure = (
  { attempt, endMillis, trouble }: Failed,
  nowMillis: number,
  boundedMillis: number
): DeletionStep => {
  const lastMillis = boundedMillis - lastStartMillis
  if (endMillis >= lastMillis) return { _tag: "GiveUp", why: whyFailed(attempt, trouble) }
  const nextMillis = Math.min(endMillis + pauseMillis(attempt), lastMillis)
  if (nowMillis >= nextMillis) {
    return { _tag: "Clean", attempt: attempt + 1, waitsFor: removing(attempt + 1, trouble, boundedMillis) }
  }
  const next = `The next attempt starts at ${Format.time(nextMillis)}`
  const message = untilGivenUp(`${whyFailed(attempt, trouble)} ${next}`, boundedMillis)
  return { _tag: "Wait", untilMillis: nextMillis, waitsFor: { reason: "CleanupRetrying", message } }
}

const untilGivenUp = (message: string, boundedMillis: number): string =>
  `${Format.sentence(message)} The clean-up is given up at ${Format.time(boundedMillis)}.`

const removing = (attempt: number, before: Trouble | undefined, boundedMillis: number): DeletionTrouble => {
  const now = "A Job removes the stored backups, as spec.deletionPolicy says"
  return {
    reason: "RemovingBackups",
    message:
      before === undefined
        ? `${now}.`
        : untilGivenUp(
            `${now}: attempt ${attempt}. The attempt before failed: ${shortened(before.message)}`,
            boundedMillis
          )
  }
}

/** Most bytes of a failure's own words: an Event has 1024, and what to do must fit, too. */
const wordsBytes = 400

const shortened = (message: string): string => Format.cut(message, wordsBytes)

const whyFailed = (attempt: number, { message }: Trouble): string =>
  Format.sentence(`Attempt ${attempt} to remove the stored backups failed: ${shortened(message)}`)

const whyLate = (cleanup: DeletionInput["cleanup"]): string => {
  if (cleanup._tag === "Failed") return whyFailed(cleanup.attempt, cleanup.trouble)
  const last = cleanup._tag === "Active" ? (cleanup.trouble ?? cleanup.before)?.message : undefined
  return last === undefined
    ? "The clean-up did not end within an hour."
    : Format.sentence(`The clean-up did not end within an hour: ${shortened(last)}`)
}
