import type { DrillSummary } from "../../outcome/DrillSummary.ts"
import type { RunReasonName, RunReasonOf } from "../../outcome/RunReasons.ts"
import type { DrillStatus } from "../../resource/DrillStatus.ts"
import type { ScheduleMemory } from "../../schedule/DueInput.ts"
import type { ScheduleState } from "../../schedule/ScheduledRun.ts"
import type { QueuedRun, Trouble } from "../Trouble.ts"

/** `status.drill` as Kubernetes holds it. */
export type Drill = typeof DrillStatus.Encoded

/** Why a drill exists. */
export type DrillCauseName = "schedule" | "trigger"

/** The drill that is active. Instants are milliseconds since 1970. */
export interface ActiveDrill {
  readonly jobName: string
  readonly cause: DrillCauseName
  readonly startMillis: number
  /** Its pod cannot start or keeps failing. */
  readonly trouble?: Trouble<RunReasonName> | undefined
}

/** A drill that ended, as its Job, its pods and its termination message show. */
export interface EndedDrill {
  readonly jobName: string
  readonly cause: DrillCauseName
  readonly startMillis: number
  readonly endMillis: number
  /** Incomplete: nothing was shown, because the drill was stopped or could not be carried out. */
  readonly outcome: "passed" | "failed" | "incomplete"
  readonly backupId?: string
  /** Of anything but a success: a FailureReason of the pod's report, a RunReasonName, or a word of Kubernetes. */
  readonly reason?: string
  readonly message?: string
  readonly summary?: DrillSummary | undefined
  /** What the pod's report says beside its numbers. */
  readonly notes?: ReadonlyArray<string>
  /** Its end was reported before; the status no longer says it. */
  readonly isRecalled?: boolean
}

/** What one reconcile found about drills, where the spec asks for them. */
export interface DrillFacts {
  readonly schedule: { readonly text: string; readonly timeZone?: string | undefined }
  readonly state: ScheduleState
  readonly memory: ScheduleMemory
  readonly active: ActiveDrill | undefined
  /** Drills that ended since the last reconcile, oldest first. Reporting one twice changes nothing. */
  readonly ended: ReadonlyArray<EndedDrill>
  /** A drill is due and waits for its turn. */
  readonly queue: QueuedRun | undefined
  /** A drill is due and the API server rejects its Job. */
  readonly refusal: Trouble<RunReasonOf<"refusal">> | undefined
  /** No drill is due, and none could be started now: its target's `strimziRef` stands for no cluster. */
  readonly unresolved: Trouble<RunReasonOf<"refusal">> | undefined
  /** A value of the annotation whose drill exists already and was reported. */
  readonly usedBefore: string | undefined
}

/** What a reconcile found about drills. */
export type DrillObservation =
  /** The spec asks for no drills. */
  | { readonly _tag: "None" }
  /** Nothing could be found out, or nothing counts: what the status says stays. */
  | { readonly _tag: "Unchanged" }
  | { readonly _tag: "Found"; readonly facts: DrillFacts }
