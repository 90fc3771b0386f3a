import type { ScheduleMemory } from "../schedule/DueInput.ts"
import type { Status } from "./Status.ts"
import * as Format from "./Format.ts"

/** The fields of the status that hold the memory of the schedule. */
export type Fields = Pick<
  Status,
  "observedSchedule" | "scheduledSince" | "lastScheduledTime" | "skippedSlots" | "handledTrigger" | "pendingTrigger"
>

/**
 * The memory that the fields hold. Whole seconds are enough: slots are whole minutes, and cutting an instant never moves it across one.
 * That the one run of a resource without schedule was asked for is kept as its `lastScheduledTime`: a resource that had a slot has
 * had its run.
 */
export const read = (status: Fields): ScheduleMemory => {
  const { handledTrigger, lastScheduledTime, observedSchedule, pendingTrigger, scheduledSince, skippedSlots } = status
  return {
    ...(observedSchedule === undefined ? {} : { observedSchedule }),
    ...(scheduledSince === undefined ? {} : { sinceMillis: Format.millis(scheduledSince) }),
    ...(lastScheduledTime === undefined ? {} : { lastSlotMillis: Format.millis(lastScheduledTime) }),
    ...(skippedSlots === undefined ? {} : { skippedSlots }),
    ...(handledTrigger === undefined ? {} : { handledTrigger }),
    ...(pendingTrigger === undefined
      ? {}
      : {
          pendingTrigger: {
            token: pendingTrigger.token,
            firstSeenMillis: Format.millis(pendingTrigger.firstSeenTime)
          }
        })
  }
}

/** The fields that hold it. Writing what was read changes nothing. */
export const write = (memory: ScheduleMemory): Fields => {
  const { handledTrigger, isOnceDone, observedSchedule, pendingTrigger, sinceMillis, skippedSlots } = memory
  const lastSlotMillis = memory.lastSlotMillis ?? (isOnceDone === true ? (sinceMillis ?? 0) : undefined)
  return {
    ...(observedSchedule === undefined ? {} : { observedSchedule }),
    ...(sinceMillis === undefined ? {} : { scheduledSince: Format.time(sinceMillis) }),
    ...(lastSlotMillis === undefined ? {} : { lastScheduledTime: Format.time(lastSlotMillis) }),
    ...(skippedSlots === undefined ? {} : { skippedSlots }),
    ...(handledTrigger === undefined ? {} : { handledTrigger }),
    ...(pendingTrigger === undefined
      ? {}
      : {
          pendingTrigger: {
            token: pendingTrigger.token,
            firstSeenTime: Format.time(pendingTrigger.firstSeenMillis)
          }
        })
  }
}
