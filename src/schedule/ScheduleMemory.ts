/**
 * What must be memory between two looks at a resource. All of it may be lost: a run is then asked for again under the same
 * identity, and whoever starts it finds that it exists.
 */
export interface ScheduleMemory {
  /** Schedule and zone that the slots belong to. Absent while suspended, without schedule, and before the first look. */
  readonly observedSchedule?: string
  /** Slots up to here do not count: creation, or when the schedule was last edited or resumed. Absent before the first look. */
  readonly sinceMillis?: number
  /** The latest slot that was run or skipped. */
  readonly lastSlotMillis?: number
  /** Slots skipped so far; a floor where a record says "at least". */
  readonly skippedSlots?: number
  /** The trigger value that was handled last. */
  readonly handledTrigger?: string
  /** A trigger value that waits for the end of a run, and when it was first seen. */
  readonly pendingTrigger?: { readonly token: string; readonly firstSeenMillis: number }
  /** True once the run of a resource without schedule was asked for, or can no longer be. */
  readonly isOnceDone?: boolean
}

/** How `observedSchedule` is written. */
export const scheduleText = (spec: { readonly schedule: string; readonly timeZone?: string }): string =>
  `${spec.schedule.trim()} in ${spec.timeZone ?? "UTC"}`
