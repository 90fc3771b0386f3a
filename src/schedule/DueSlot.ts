import type { ScheduleMemory } from "./DueInput.ts"
import type { SkippedSlots, SkipReason } from "./SkippedSlots.ts"
import * as Slots from "./Slots.ts"

/** What decides which slot is due. Instants are milliseconds since 1970. */
export interface SlotQuestion {
  readonly slots: Slots.Slots
  readonly startingDeadlineSeconds: number | undefined
  readonly sinceMillis: number
  readonly lastSlotMillis: number | undefined
  /** The latest slot that is known to have its run, from a Job or from storage: the memory of it may be lost. */
  readonly startedSlotMillis: number | undefined
  readonly isRunActive: boolean
  readonly nowMillis: number
}

export interface SlotAnswer {
  /** The slot to start a run for. */
  readonly dueMillis: number | undefined
  readonly skipped: ReadonlyArray<SkippedSlots>
  readonly lastSlotMillis: ScheduleMemory["lastSlotMillis"]
  readonly nextMillis: number | undefined
  /** The remembered slot that lies in the future, when the clock must have jumped back: nothing is due until then. */
  readonly aheadMillis: number | undefined
}

/** Clocks of two machines may differ by this much without a report. */
const clockToleranceMillis = 60_000

const longestDefaultDeadlineSeconds = 3600

/**
 * How late the run of a slot may start: as the user set it, or half the time to the slot after it, at most one hour.
 */
export const deadlineSeconds = (slots: Slots.Slots, slotMillis: number, asked: number | undefined): number => {
  if (asked !== undefined) return asked
  const following = Slots.next(slots, slotMillis)
  return following === undefined
    ? longestDefaultDeadlineSeconds
    : Math.min(longestDefaultDeadlineSeconds, (following - slotMillis) / 2000)
}

/**
 * Which slot is due. Of all slots that passed since the last reconcile only the latest can be, and only within its
 * deadline and while no run is active; the others are skipped, with one record for the gap.
 */
export const answer = (question: SlotQuestion): SlotAnswer => {
  const { slots, nowMillis } = question
  const considered = Math.max(question.sinceMillis, question.lastSlotMillis ?? -Infinity)
  const started = question.startedSlotMillis !== undefined && question.startedSlotMillis > considered
  const fromMillis = started ? question.startedSlotMillis! : considered
  // Slots before one that was started and then forgotten: skipped then, reported now.
  const before = started ? skipped(slots, considered, fromMillis - 1, "Missed") : []
  const lastSlotMillis = started ? fromMillis : question.lastSlotMillis
  const nextMillis = Slots.next(slots, Math.max(fromMillis, nowMillis))
  const aheadMillis = fromMillis - nowMillis > clockToleranceMillis ? fromMillis : undefined

  const latest = Slots.latest(slots, fromMillis, nowMillis)
  if (latest === undefined) return { dueMillis: undefined, skipped: before, lastSlotMillis, nextMillis, aheadMillis }
  const isInTime = nowMillis - latest <= deadlineSeconds(slots, latest, question.startingDeadlineSeconds) * 1000
  const isDue = isInTime && !question.isRunActive
  const reason = isDue ? "Missed" : question.isRunActive ? "Overlapping" : "TooLate"
  return {
    dueMillis: isDue ? latest : undefined,
    skipped: [...before, ...skipped(slots, fromMillis, isDue ? latest - 1 : latest, reason)],
    lastSlotMillis: latest,
    nextMillis,
    aheadMillis
  }
}

const skipped = (
  slots: Slots.Slots,
  afterMillis: number,
  untilMillis: number,
  reason: SkipReason
): ReadonlyArray<SkippedSlots> => {
  const passed = Slots.passed(slots, afterMillis, untilMillis)
  return passed === undefined ? [] : [{ reason, ...passed }]
}
