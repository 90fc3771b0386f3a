import type { DrillSpec } from "../../resource/DrillSpec.ts"
import { drillAnnotation } from "../../resource/KafkaBackup.ts"
import * as Trigger from "../../resource/Trigger.ts"
import * as Due from "../../schedule/Due.ts"
import type { ScheduleMemory } from "../../schedule/DueInput.ts"
import type { RunCause } from "../../schedule/RunCause.ts"

/** All that the decision whether a drill is due depends on. Instants are milliseconds since 1970. */
export interface DrillDueInput {
  readonly spec: Pick<DrillSpec, "schedule" | "timeZone" | "suspend">
  readonly annotations: { readonly [key: string]: string } | undefined
  readonly memory: ScheduleMemory
  /** The drill that is active. */
  readonly active: RunCause | undefined
  /** The latest slot that is known to have its drill, from a Job. */
  readonly startedSlotMillis: number | undefined
  readonly nowMillis: number
}

/**
 * Which drill is due: the rules of runs, with two differences. A drill takes the newest backup whenever it starts, so
 * the latest slot that passed is drilled however late it is; and slots count from when the schedule was first seen, so
 * that adding one to an old resource starts nothing.
 */
export const decide = ({ active, annotations, memory, nowMillis, spec, startedSlotMillis }: DrillDueInput): Due.Due =>
  Due.decide({
    spec: { ...spec, startingDeadlineSeconds: Infinity },
    createdMillis: nowMillis,
    trigger: Trigger.requested(annotations, drillAnnotation),
    memory,
    active,
    startedSlotMillis,
    nowMillis
  })
