import { Result } from "effect"
import type { Problem } from "../resource/Problem.ts"
import * as DueSlot from "./DueSlot.ts"
import type { RunCause } from "./RunCause.ts"
import { type DueInput, type ScheduleMemory, scheduleText } from "./DueInput.ts"
import type { SkippedSlots } from "./SkippedSlots.ts"
import * as Slots from "./Slots.ts"

/** The state of the runs that need no trigger. */
export type ScheduleState =
  | { readonly _tag: "Scheduled"; readonly nextMillis: number; readonly intervalSeconds: number | undefined }
  /**
   * The clock jumped back: a slot of the future is done already. Slots wait until it is past; editing the schedule ends
   * the wait.
   */
  | { readonly _tag: "ClockBehind"; readonly untilMillis: number; readonly nextMillis: number }
  /** The schedule or its zone cannot be used: nothing to wait for but an edit. */
  | { readonly _tag: "Unusable"; readonly problems: ReadonlyArray<Problem> }
  | { readonly _tag: "Suspended" }
  /** No schedule: one run, asked for, or waiting for another to end. */
  | { readonly _tag: "OneTime"; readonly isAskedFor: boolean }

/** What is due without a trigger. */
export interface ScheduledDecision {
  readonly start: RunCause | undefined
  readonly skipped: ReadonlyArray<SkippedSlots>
  readonly state: ScheduleState
  readonly memory: ScheduleMemory
}

/** The run of a slot, or the one run of a resource without schedule. */
export const decide = (input: DueInput): ScheduledDecision => {
  const { schedule, suspend } = input.spec
  if (schedule === undefined) return once(input)
  return suspend ? nothing({ _tag: "Suspended" }, unscheduled(input)) : scheduled(input, schedule)
}

const nothing = (state: ScheduleState, memory: ScheduleMemory): ScheduledDecision => ({
  start: undefined,
  skipped: [],
  state,
  memory
})

/** The schedule is not remembered while it does not count: resuming it is then the same as editing it. */
const unscheduled = ({ createdMillis, memory }: DueInput): ScheduleMemory => {
  const { observedSchedule: _, ...rest } = memory
  return { ...rest, sinceMillis: rest.sinceMillis ?? createdMillis }
}

/** A resource that had slots before its schedule was removed has had its run. */
const once = (input: DueInput): ScheduledDecision => {
  const { active, createdMillis, memory, spec, startedSlotMillis } = input
  const isDone =
    memory.isOnceDone === true ||
    memory.lastSlotMillis !== undefined ||
    startedSlotMillis !== undefined ||
    (active !== undefined && active._tag !== "Trigger")
  if (isDone) return nothing({ _tag: "OneTime", isAskedFor: true }, { ...unscheduled(input), isOnceDone: true })
  if (spec.suspend) return nothing({ _tag: "Suspended" }, unscheduled(input))
  if (active !== undefined) return nothing({ _tag: "OneTime", isAskedFor: false }, unscheduled(input))
  return {
    start: { _tag: "Once", slotMillis: createdMillis },
    skipped: [],
    state: { _tag: "OneTime", isAskedFor: true },
    memory: { ...unscheduled(input), isOnceDone: true }
  }
}

const scheduled = (input: DueInput, schedule: string): ScheduledDecision => {
  const { active, nowMillis, memory, spec } = input
  const observedSchedule = scheduleText({ ...spec, schedule })
  const isEdited = memory.sinceMillis !== undefined && memory.observedSchedule !== observedSchedule
  const startedSlotMillis = startedSlot(input)
  const slots = Slots.of({ ...spec, schedule })
  const observed = {
    ...(isEdited ? withoutFuture(memory, nowMillis) : memory),
    observedSchedule,
    // A known run without memory means that the memory was lost: slots before that run are not called skipped.
    sinceMillis: isEdited ? nowMillis : (memory.sinceMillis ?? startedSlotMillis ?? unknownSince(input, slots))
  }
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
  const first = answer.dueMillis === undefined ? immediate(input, startedSlotMillis) : undefined
  const lastSlotMillis = Math.max(answer.lastSlotMillis ?? -Infinity, first?.slotMillis ?? -Infinity)
  const skippedNow = answer.skipped.reduce((sum, { count }) => sum + count, 0)
  return {
    start: answer.dueMillis === undefined ? first : { _tag: "Slot", slotMillis: answer.dueMillis },
    skipped: answer.skipped,
    state: state(slots.success, answer, nowMillis),
    memory: {
      ...observed,
      ...(lastSlotMillis === -Infinity ? {} : { lastSlotMillis }),
      ...(skippedNow === 0 ? {} : { skippedSlots: (observed.skippedSlots ?? 0) + skippedNow })
    }
  }
}

/** The first run of a resource that wants it at once. A resource that had a slot has had its first run. */
const immediate = ({ active, createdMillis, memory, spec }: DueInput, startedSlotMillis: number | undefined) =>
  spec.immediate !== true ||
  active !== undefined ||
  memory.isOnceDone === true ||
  memory.lastSlotMillis !== undefined ||
  startedSlotMillis !== undefined
    ? undefined
    : ({ _tag: "Once", slotMillis: createdMillis } as const)

/** From when slots count whose runs nobody remembers: after a loss only the one that can still be run. */
const unknownSince = (input: DueInput, slots: ReturnType<typeof Slots.of>): number => {
  const { createdMillis, isMemoryLost, nowMillis, spec } = input
  if (isMemoryLost !== true || Result.isFailure(slots)) return createdMillis
  const latest = Slots.latest(slots.success, createdMillis, nowMillis)
  if (latest === undefined) return createdMillis
  const lateSeconds = (nowMillis - latest) / 1000
  const isInTime = lateSeconds <= DueSlot.deadlineSeconds(slots.success, latest, spec.startingDeadlineSeconds)
  // A second before, so that it is the first slot after this instant: the status holds whole seconds.
  return isInTime ? latest - 1000 : nowMillis
}

const unusable = (problems: ReadonlyArray<Problem>): ScheduleState => ({ _tag: "Unusable", problems })

/**
 * An edit ends the wait for a slot that only a wrong clock can have run; if it comes again, its run has the same
 * identity.
 */
const withoutFuture = ({ lastSlotMillis, ...rest }: ScheduleMemory, nowMillis: number): ScheduleMemory =>
  lastSlotMillis === undefined || lastSlotMillis > nowMillis ? rest : { ...rest, lastSlotMillis }

/** The latest slot that is known to have its run. One of the future says nothing about now. */
const startedSlot = ({ active, nowMillis, startedSlotMillis }: DueInput): number | undefined => {
  const known = [startedSlotMillis, active?._tag === "Slot" ? active.slotMillis : undefined]
  return known
    .filter((slotMillis) => slotMillis !== undefined)
    .filter((slotMillis) => slotMillis <= nowMillis)
    .toSorted((a, b) => b - a)[0]
}

const state = (slots: Slots.Slots, answer: DueSlot.SlotAnswer, nowMillis: number): ScheduleState => {
  const { aheadMillis, nextMillis } = answer
  if (nextMillis === undefined) {
    return unusable([
      { field: "spec.schedule", message: "has no more slots: write a schedule that has a slot in the future" }
    ])
  }
  return aheadMillis === undefined
    ? { _tag: "Scheduled", nextMillis, intervalSeconds: Slots.intervalSeconds(slots, nowMillis) }
    : { _tag: "ClockBehind", untilMillis: aheadMillis, nextMillis }
}
