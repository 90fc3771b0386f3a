import type { Trigger } from "../resource/Trigger.ts"
import type { RunCause } from "./RunCause.ts"

/** All that the decision whether a run is due depends on. Instants are milliseconds since 1970. */
export interface DueInput {
  readonly spec: {
    readonly schedule?: string
    readonly timeZone?: string
    readonly startingDeadlineSeconds?: number
    readonly suspend: boolean
    /** A first run at once, where there is a schedule. */
    readonly immediate?: boolean
  }
  readonly createdMillis: number
  readonly trigger: Trigger
  readonly memory: ScheduleMemory
  /** The run that is active, if one is; also one whose start is no longer remembered. */
  readonly active: RunCause | undefined
  /** The latest slot that is known to have its run, from a Job or from storage. */
  readonly startedSlotMillis?: number | undefined
  /** The memory was lost: which slots had their runs is unknown, so none of them is called skipped. */
  readonly isMemoryLost?: boolean
  readonly nowMillis: number
}

/**
 * What must be remembered between two reconciles of a resource. All of it may be lost: a run is then asked for again
 * under the same identity, and starting it finds that it exists.
 */
export interface ScheduleMemory {
  /**
   * Schedule and zone that the slots belong to. Absent while suspended, without schedule, and before the first
   * reconcile.
   */
  readonly observedSchedule?: string
  /**
   * Slots up to here do not count: creation, or when the schedule was last edited or resumed. Absent before the first
   * reconcile.
   */
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
