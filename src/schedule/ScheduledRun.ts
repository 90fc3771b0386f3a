import { Result } from "effect"
import type { Problem } from "../resource/Problem.ts"
import * as DueSlot from "./DueSlot.ts"
import type { Occasion } from "./RunCause.ts"
import type { Outlook } from "./ScheduleState.ts"
import type { Remembered } from "./ScheduleMemory.ts"
import { scheduleText } from "./ScheduleMemory.ts"
import type { Situation } from "./DueInput.ts"
import type { SkippedSlots } from "./SkippedSlots.ts"
import * as Slots from "./Slots.ts"

/** What is due without anybody asking for it by a trigger. */
export interface Unasked {
  readonly start: Occasion | undefined
  readonly skipped: ReadonlyArray<SkippedSlots>
  readonly outlook: Outlook
  readonly remembered: Remembered
}

/** The run of a slot, or the one run of a resource without schedule. */
export const decide = (situation: Situation): Unasked => {
  const { schedule, suspend } = situation.spec
  if (schedule === undefined) return once(situation)
  return suspend ? nothing({ _tag: "Suspended" }, unscheduled(situation)) : scheduled(situation, schedule)
}

const nothing = (outlook: Outlook, remembered: Remembered): Unasked => ({
  start: undefined,
  skipped: [],
  outlook,
  remembered
})

/** The schedule is forgotten while it does not count: resuming it is then the same as editing it. */
const unscheduled = ({ createdMillis, remembered }: Situation): Remembered => {
  const { observedSchedule: _, ...rest } = remembered
  return { ...rest, sinceMillis: rest.sinceMillis ?? createdMillis }
}

/** A resource that had slots before its schedule was removed has had its run. */
const once = (situation: Situation): Unasked => {
  const { active, createdMillis, remembered, spec, startedSlotMillis } = situation
  const isDone =
    remembered.isOnceDone === true ||
    remembered.lastSlotMillis !== undefined ||
    startedSlotMillis !== undefined ||
    (active !== undefined && active._tag !== "Trigger")
  if (isDone) return nothing({ _tag: "OneTime", isAskedFor: true }, { ...unscheduled(situation), isOnceDone: true })
  if (spec.suspend) return nothing({ _tag: "Suspended" }, unscheduled(situation))
  if (active !== undefined) return nothing({ _tag: "OneTime", isAskedFor: false }, unscheduled(situation))
  return {
    start: { _tag: "Once", slotMillis: createdMillis },
    skipped: [],
    outlook: { _tag: "OneTime", isAskedFor: true },
    remembered: { ...unscheduled(situation), isOnceDone: true }
  }
}

const scheduled = (situation: Situation, schedule: string): Unasked => {
  const { active, nowMillis, remembered, spec } = situation
  const observedSchedule = scheduleText({ ...spec, schedule })
  const isEdited = remembered.sinceMillis !== undefined && remembered.observedSchedule !== observedSchedule
  const startedSlotMillis = startedSlot(situation)
  const observed = {
    ...(isEdited ? forgettingTheFuture(remembered, nowMillis) : remembered),
    observedSchedule,
    // Where nothing is remembered but a run is known, all memory was lost: what came before it is not for us to call skipped.
    sinceMillis: isEdited ? nowMillis : (remembered.sinceMillis ?? startedSlotMillis ?? situation.createdMillis)
  }
  const slots = Slots.of({ ...spec, schedule })
  if (Result.isFailure(slots)) return nothing(unusable(slots.failure), observed)

  const answer = DueSlot.answer({
    slots: slots.success,
    startingDeadlineSeconds: spec.startingDeadlineSeconds,
    sinceMillis: observed.sinceMillis,
    lastSlotMillis: observed.lastSlotMillis,
    startedSlotMillis,
    isRunActive: active !== undefined,
    nowMillis
  })
  const skippedNow = answer.skipped.reduce((sum, { count }) => sum + count, 0)
  return {
    start: answer.dueMillis === undefined ? undefined : { _tag: "Slot", slotMillis: answer.dueMillis },
    skipped: answer.skipped,
    outlook: outlook(slots.success, answer, nowMillis),
    remembered: {
      ...observed,
      ...(answer.lastSlotMillis === undefined ? {} : { lastSlotMillis: answer.lastSlotMillis }),
      ...(skippedNow === 0 ? {} : { skippedSlots: (observed.skippedSlots ?? 0) + skippedNow })
    }
  }
}

const unusable = (problems: ReadonlyArray<Problem>): Outlook => ({ _tag: "Unusable", problems })

/** An edit ends the wait for a slot that only a wrong clock can have done; should it come again, its run has the same identity. */
const forgettingTheFuture = ({ lastSlotMillis, ...rest }: Remembered, nowMillis: number): Remembered =>
  lastSlotMillis === undefined || lastSlotMillis > nowMillis ? rest : { ...rest, lastSlotMillis }

/** The latest slot that is known to have its run. One of the future says nothing about now. */
const startedSlot = ({ active, nowMillis, startedSlotMillis }: Situation): number | undefined => {
  const known = [startedSlotMillis, active?._tag === "Slot" ? active.slotMillis : undefined]
  return known
    .filter((slotMillis) => slotMillis !== undefined)
    .filter((slotMillis) => slotMillis <= nowMillis)
    .toSorted((a, b) => b - a)[0]
}

const outlook = (slots: Slots.Slots, answer: DueSlot.SlotAnswer, nowMillis: number): Outlook => {
  const { aheadMillis, nextMillis } = answer
  if (nextMillis === undefined) {
    return unusable([{ field: "spec.schedule", message: "has no slot any more: write when the next backup is wanted" }])
  }
  return aheadMillis === undefined
    ? { _tag: "Scheduled", nextMillis, intervalSeconds: Slots.intervalSeconds(slots, nowMillis) }
    : { _tag: "ClockBehind", untilMillis: aheadMillis, nextMillis }
}
