import type { DueInput, ScheduleMemory } from "./DueInput.ts"
import type { RunCause } from "./RunCause.ts"
import * as ScheduledRun from "./ScheduledRun.ts"
import type { SkippedSlots } from "./SkippedSlots.ts"

/** What to do now about one resource. */
export interface Due {
  /** The run to start: at most one. Asked for again only when `memory` was lost, and then under the same identity. */
  readonly start: RunCause | undefined
  /** Slots that get no run, one record for each gap. */
  readonly skipped: ReadonlyArray<SkippedSlots>
  /** What is wrong with the trigger's value, and what to write instead. */
  readonly refusedTrigger: string | undefined
  readonly state: ScheduledRun.ScheduleState
  /** When to reconcile again if nothing happens before: no edit, no trigger, no run that ends. Absent: only then. */
  readonly requeueMillis: number | undefined
  /** To be kept once `start` exists, not before: a run that could not be started is then asked for again. */
  readonly memory: ScheduleMemory
}

/**
 * What is due. Total, and a function of its argument alone: may be asked after every event. A slot goes before a
 * trigger: a trigger can wait for the end of a run, a slot cannot.
 */
export const decide = (input: DueInput): Due => {
  const { state, memory, skipped, start } = ScheduledRun.decide(input)
  const isBusy = input.active !== undefined || start !== undefined
  const triggered = trigger(input, memory, isBusy)
  return {
    start: start ?? triggered.start,
    skipped,
    refusedTrigger: input.trigger._tag === "Refused" ? input.trigger.message : undefined,
    state,
    requeueMillis: state._tag === "Scheduled" || state._tag === "ClockBehind" ? state.nextMillis : undefined,
    memory: triggered.memory
  }
}

/**
 * The memory while what is due does not exist yet: nothing that would make it less due. Only when a trigger was first
 * seen is kept, because its run is named after that.
 */
export const unstarted = (memory: ScheduleMemory, { memory: then, start }: Due): ScheduleMemory => {
  const kept = {
    ...memory,
    ...(then.observedSchedule === undefined ? {} : { observedSchedule: then.observedSchedule }),
    ...(then.sinceMillis === undefined ? {} : { sinceMillis: then.sinceMillis })
  }
  if (start?._tag === "Trigger") {
    return { ...kept, pendingTrigger: { token: start.token, firstSeenMillis: start.firstSeenMillis } }
  }
  return then.pendingTrigger === undefined ? kept : { ...kept, pendingTrigger: then.pendingTrigger }
}

/** The annotation holds one value, so the newest is the only one that can wait for a run to end. */
const trigger = ({ active, nowMillis, trigger }: DueInput, memory: ScheduleMemory, isBusy: boolean) => {
  const { pendingTrigger, ...rest } = memory
  if (trigger._tag !== "Token" || trigger.token === rest.handledTrigger) return { start: undefined, memory: rest }
  const { token } = trigger
  const handled = { ...rest, handledTrigger: token }
  // The memory of starting it was lost.
  if (active?._tag === "Trigger" && active.token === token) return { start: undefined, memory: handled }
  const firstSeenMillis = pendingTrigger?.token === token ? pendingTrigger.firstSeenMillis : nowMillis
  return isBusy
    ? { start: undefined, memory: { ...rest, pendingTrigger: { token, firstSeenMillis } } }
    : { start: { _tag: "Trigger" as const, token, firstSeenMillis }, memory: handled }
}
