import type { Trigger } from "../resource/Trigger.ts"
import type { RunCause } from "./RunCause.ts"
import type { ScheduleMemory } from "./ScheduleMemory.ts"

/** All that the decision whether a run is due depends on. Instants are milliseconds since 1970. */
export interface DueInput {
  readonly spec: {
    readonly schedule?: string
    readonly timeZone?: string
    readonly startingDeadlineSeconds?: number
    readonly suspend: boolean
  }
  readonly createdMillis: number
  readonly trigger: Trigger
  readonly memory: ScheduleMemory
  /** The run that is active, if one is; also one that nobody remembers starting. */
  readonly active: RunCause | undefined
  /** The latest slot that is known to have its run, from a Job or from storage, where that is known. */
  readonly startedSlotMillis?: number
  readonly nowMillis: number
}
