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
 * `Missed`: nobody was there to start them, and a later slot or run stands for them. `TooLate`: nobody was there, and the last of
 * them is past its deadline too. `Overlapping`: another run of the resource was running.
 */
export type SkipReason = "Missed" | "TooLate" | "Overlapping"

const because: Readonly<Record<SkipReason, string>> = {
  Missed: "nothing could start it in time; a later slot stands for it",
  TooLate: "it was noticed after spec.startingDeadlineSeconds had passed; the next slot runs",
  Overlapping: "another run was still running; make runs shorter or the schedule wider if this happens often"
}

/** The record in a sentence, for an event or a history entry. */
export const sentence = (skipped: SkippedSlots): string => {
  const { count, firstMillis, lastMillis, isAtLeast, reason } = skipped
  return count === 1 && !isAtLeast
    ? `slot ${slotText(firstMillis)} was skipped: ${because[reason]}`
    : `${isAtLeast ? "at least " : ""}${count} slots from ${slotText(firstMillis)} to ${slotText(lastMillis)} were skipped: ${because[reason]}`
}
