import { given } from "../resource/Json.ts"
import type { ScheduleMemory } from "../schedule/DueInput.ts"
import type { Status } from "./Status.ts"
import * as Format from "./Format.ts"

/** The fields of the status that hold the memory of the schedule. */
export type Fields = Pick<
  Status,
  "observedSchedule" | "scheduledSince" | "lastScheduledTime" | "skippedSlots" | "handledTrigger" | "pendingTrigger"
>

/**
 * The memory that the fields hold. Whole seconds are enough: slots are whole minutes, and cutting an instant never
 * moves it across one. That the one run of a resource without schedule was asked for is kept as its
 * `lastScheduledTime`: a resource that had a slot has had its run.
 */
export const read = (status: Fields): ScheduleMemory => {
  const { handledTrigger, lastScheduledTime, observedSchedule, pendingTrigger, scheduledSince, skippedSlots } = status
  return given({
    observedSchedule,
    sinceMillis: scheduledSince === undefined ? undefined : Format.millis(scheduledSince),
    lastSlotMillis: lastScheduledTime === undefined ? undefined : Format.millis(lastScheduledTime),
    skippedSlots,
    handledTrigger,
    pendingTrigger:
      pendingTrigger === undefined
        ? undefined
        : { token: pendingTrigger.token, firstSeenMillis: Format.millis(pendingTrigger.firstSeenTime) }
  })
}

/** The fields that hold it. Writing what was read changes nothing. */
export const write = (memory: ScheduleMemory): Fields => {
  const { handledTrigger, isOnceDone, observedSchedule, pendingTrigger, sinceMillis, skippedSlots } = memory
  const lastSlotMillis = memory.lastSlotMillis ?? (isOnceDone === true ? (sinceMillis ?? 0) : undefined)
  return given({
    observedSchedule,
    scheduledSince: sinceMillis === undefined ? undefined : Format.time(sinceMillis),
    lastScheduledTime: lastSlotMillis === undefined ? undefined : Format.time(lastSlotMillis),
    skippedSlots,
    handledTrigger,
    pendingTrigger:
      pendingTrigger === undefined
        ? undefined
        : { token: pendingTrigger.token, firstSeenTime: Format.time(pendingTrigger.firstSeenMillis) }
  })
}
