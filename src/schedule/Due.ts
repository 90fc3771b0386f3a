import * as DueUnasked from "./ScheduledRun.ts"
import type { Occasion } from "./RunCause.ts"
import type { Outlook } from "./ScheduleState.ts"
import type { Remembered } from "./ScheduleMemory.ts"
import type { Situation } from "./DueInput.ts"
import type { SkippedSlots } from "./SkippedSlots.ts"

/** What to do now about one resource. */
export interface Due {
  /** The run to start: at most one. Asked for again only when `remembered` was lost, and then under the same identity. */
  readonly start: Occasion | undefined
  /** Slots that get no run, one record for each gap. */
  readonly skipped: ReadonlyArray<SkippedSlots>
  /** What is wrong with the trigger's value, and what to write instead. */
  readonly refusedTrigger: string | undefined
  readonly outlook: Outlook
  /** When to look again if nothing happens before: no edit, no trigger, no run that ends. Absent: only then. */
  readonly lookAgainMillis: number | undefined
  /** To be kept once `start` exists, not before: a run that could not be started is then asked for again. */
  readonly remembered: Remembered
}

/**
 * What is due. Total, and a function of its argument alone: to be asked after every event, and harmless when it is. A slot goes
 * before a trigger: a trigger can wait for the end of a run, a slot cannot.
 */
export const decide = (situation: Situation): Due => {
  const { outlook, remembered, skipped, start } = DueUnasked.decide(situation)
  const isBusy = situation.active !== undefined || start !== undefined
  const triggered = trigger(situation, remembered, isBusy)
  return {
    start: start ?? triggered.start,
    skipped,
    refusedTrigger: situation.trigger._tag === "Refused" ? situation.trigger.message : undefined,
    outlook,
    lookAgainMillis: outlook._tag === "Scheduled" || outlook._tag === "ClockBehind" ? outlook.nextMillis : undefined,
    remembered: triggered.remembered
  }
}

/** The annotation holds one value, so the newest is the only one that can wait for a run to end. */
const trigger = ({ active, nowMillis, trigger }: Situation, remembered: Remembered, isBusy: boolean) => {
  const { pendingTrigger, ...rest } = remembered
  if (trigger._tag !== "Token" || trigger.token === rest.handledTrigger) return { start: undefined, remembered: rest }
  const { token } = trigger
  const handled = { ...rest, handledTrigger: token }
  // The memory of starting it was lost.
  if (active?._tag === "Trigger" && active.token === token) return { start: undefined, remembered: handled }
  const firstSeenMillis = pendingTrigger?.token === token ? pendingTrigger.firstSeenMillis : nowMillis
  return isBusy
    ? { start: undefined, remembered: { ...rest, pendingTrigger: { token, firstSeenMillis } } }
    : { start: { _tag: "Trigger" as const, token, firstSeenMillis }, remembered: handled }
}
