import { slotText } from "../identity/RunIdentity.ts"

/** Slots that get no run of their own: one record for each gap, however many slots it has. */
export interface SkippedSlots {
  readonly reason: SkipReason
  readonly firstMillis: number
  readonly lastMillis: number
  readonly count: number
  /** True when there were more than `count`. */
  readonly isAtLeast: boolean
}

/**
 * `Missed`: no run could start, and a later slot or run stands for them. `TooLate`: no run could start, and the last of
 * them is past its deadline too. `Overlapping`: another run of the resource was active.
 */
export type SkipReason = "Missed" | "TooLate" | "Overlapping"

const because: Readonly<Record<SkipReason, string>> = {
  Missed: "no run could start in time; a later slot runs instead",
  TooLate:
    "no run could start before the starting deadline (spec.startingDeadlineSeconds; by default half the interval, at most one hour); the next slot runs",
  Overlapping:
    "another run was still active; if this happens often, make runs shorter or the schedule's interval longer"
}

/** The record in a sentence, for an event or a history entry. */
export const sentence = (skipped: SkippedSlots): string => {
  const { count, firstMillis, lastMillis, isAtLeast, reason } = skipped
  return count === 1 && !isAtLeast
    ? `slot ${slotText(firstMillis)} was skipped: ${because[reason]}`
    : `${isAtLeast ? "at least " : ""}${count} slots from ${slotText(firstMillis)} to ${slotText(lastMillis)} were skipped: ${because[reason]}`
}
