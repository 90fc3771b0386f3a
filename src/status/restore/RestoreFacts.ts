import type { RunReasonOf } from "../../outcome/RunReasons.ts"
import type { GroupsSummary, ResolvedBackup, RestoreSummary } from "../../outcome/RestoreSummary.ts"
import type { KafkaRestoreStatus } from "../../resource/KafkaRestoreStatus.ts"
import type { Problem } from "../../resource/Problem.ts"
import type { Trouble } from "../Facts.ts"

/** The status of a restore as Kubernetes holds it: times are RFC 3339 texts in UTC with whole seconds. */
export type RestoreStatus = typeof KafkaRestoreStatus.Encoded

/** How far a restore is, as its pod reports under /progress. */
export interface RestoreProgressFacts {
  readonly step: string
  readonly records: number
  readonly bytes: number
  readonly partitionsDone: number
  readonly partitionsTotal: number
  readonly percent?: number
  readonly startedWritingMillis?: number
  /** When all records are written, if it goes on as it did so far. */
  readonly etaMillis?: number
  /** What the restore waits for before it begins: a Secret that is missing. */
  readonly awaited?: string
  /** The backup, once there is a plan. */
  readonly resolved?: ResolvedBackup
  readonly updatedMillis: number
}

/** The Job that is not over. Instants are milliseconds since 1970. */
export interface ActiveRestore {
  readonly jobName: string
  readonly startMillis: number
  /** A container of the Job runs or ran. */
  readonly hasStarted: boolean
  /** The generation of the spec that the Job has, where the spec was edited since. */
  readonly earlierGeneration?: number | undefined
  readonly trouble?: Trouble | undefined
  readonly progress?: RestoreProgressFacts | undefined
}

/** A Job that ended, as its pods and its termination message show. */
export interface EndedRestore {
  readonly jobName: string
  readonly startMillis: number
  readonly endMillis: number
  readonly outcome: "success" | "failed" | "interrupted"
  readonly isDryRun: boolean
  /** Of a dry run: the generation of the spec that it checked, where the spec was edited since. */
  readonly earlierGeneration?: number
  /** The backup that the pod named. */
  readonly backupId?: string
  /** Of a success that was no dry run. */
  readonly records?: number
  readonly summary?: RestoreSummary | undefined
  /** Of anything but a success: a FailureReason of the pod's report, a RunReasonName, or a word of Kubernetes. */
  readonly reason?: string
  readonly message?: string
  readonly notes: ReadonlyArray<string>
}

/** What a Job does, or did, that repeats the group step of a complete restore. */
export interface GroupStepFacts {
  /** Value of the annotation that asked for it. */
  readonly token: string
  readonly isActive: boolean
  /** What became of the groups, where a pod said so. */
  readonly found?: GroupsSummary | undefined
  /** Why it cannot start, or failed. */
  readonly problem?: string | undefined
}

/** Everything that one reconcile found: the next status is a function of this, the previous status and the time. */
export interface RestoreFacts {
  readonly generation: number
  /** What is wrong with the spec; empty when it can be used. With problems nothing is started. */
  readonly problems: ReadonlyArray<Problem>
  /** That of the Job that is reported, which may differ from the one in the spec; empty where it is not known. */
  readonly backupId: string
  /** The KafkaBackup of which a backup is chosen; absent where the spec names a backup. */
  readonly backupRef?: string | undefined
  /** That KafkaBackup is missing or cannot be used, for people. */
  readonly missingBackup?: string | undefined
  readonly active: ActiveRestore | undefined
  /** The end of the Job that the spec asks for, where it is new. */
  readonly ended: EndedRestore | undefined
  /** `spec.retentionHold` in milliseconds. */
  readonly hold: number | "forever"
  /** `spec.onFailure` is DeleteCreated: a failure may have deleted topics that the restore created. */
  readonly deletesCreated?: boolean | undefined
  /** A Job that was to end the retention hold has ended; or it cannot be made, or does not start. */
  readonly holdEnd: { readonly isSuccess: boolean; readonly message: string } | undefined
  /** A complete restore sets groups that it had left. */
  readonly groupStep?: GroupStepFacts | undefined
  /** When the restore began to write, where a pod of it said so. */
  readonly startedWritingMillis: number | undefined
  /** The Job of a value of the retry annotation that is there again: it has ended and was reported. */
  readonly usedBefore?: string | undefined
  /** A Job is needed and the API server rejects it. */
  readonly refusal: Trouble<RunReasonOf<"refusal">> | undefined
}
