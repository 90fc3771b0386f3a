import type { RunReasonName, RunReasonOf } from "../outcome/RunReasons.ts"
import type { CatalogueSummary, LockedSummary } from "../outcome/RunSummary.ts"
import type { DamageSummary, VerificationSummary } from "../outcome/VerificationSummary.ts"
import type { ScheduleMemory } from "../schedule/DueInput.ts"
import type { ScheduleState } from "../schedule/ScheduledRun.ts"
import type { SkippedSlots } from "../schedule/SkippedSlots.ts"
import type { StorageType } from "../resource/StorageSpec.ts"
import type { Problem } from "../resource/Problem.ts"
import type { DrillObservation } from "./drill/DrillFacts.ts"
import type { PreflightObservation } from "./preflight/PreflightFacts.ts"
import type { ReasonOf } from "./Reasons.ts"
import type { QueuedRun, Trouble } from "./Trouble.ts"

export type { QueuedRun, Trouble } from "./Trouble.ts"

/** Why a run exists, as status and history name it. */
export type RunCauseName = "schedule" | "trigger" | "once"

/** How far a run is, as its pod reports under /progress. */
export interface RunProgressFacts {
  readonly partitionsTotal: number
  readonly partitionsDone: number
  readonly recordsTotal?: number
  readonly records: number
  readonly bytes: number
  readonly percent?: number
  /** Of `recordsTotal`, the offsets that are done. */
  readonly offsetsDone?: number
  readonly message?: string
  /** A store or broker that does not answer, since when, and the last failure. */
  readonly outage?: { readonly target: string; readonly sinceMillis: number; readonly cause: string }
  /** The id of its backup, once it is claimed. */
  readonly backupId?: string
  /** Of the pod of one shard: what all shards read together, and how much of its own is done. */
  readonly shard?: {
    readonly index: number
    readonly of: number
    readonly run: { readonly partitions: number; readonly offsets: number }
    readonly offsetsDone: number
  }
  readonly updatedMillis: number
}

/** The run that is active. Instants are milliseconds since 1970. */
export interface ActiveRun {
  /** The id its set will have, unless that is taken. */
  readonly backupId: string
  readonly cause: RunCauseName
  readonly startMillis: number
  readonly jobName: string
  readonly progress?: RunProgressFacts | undefined
  /** No container of it is running now: whatever the last one waited for is over. */
  readonly isStopped?: boolean | undefined
  /** Its pod cannot start or keeps failing. */
  readonly trouble?: Trouble<RunReasonName> | undefined
  /** None of its containers runs: what becomes of it. */
  readonly waiting?: {
    /** No container of it ever ran: a change of the spec replaces its Job. */
    readonly isReplaceable: boolean
    /** When it fails if no container starts. Absent: never. */
    readonly failsAtMillis?: number
  }
  /** Its Job is made again, or will be: what its pods are made from changed before a container had started. */
  readonly isReplacing?: boolean
}

/** A run that ended, as its Job, its pods and its termination message show. */
export interface EndedRun {
  readonly jobName: string
  readonly cause: RunCauseName
  readonly backupId: string
  readonly startMillis: number
  readonly endMillis: number
  readonly outcome: "success" | "failed" | "interrupted"
  /** Generation of the resource that its Job was made from, where that is known. */
  readonly generation?: number
  readonly size?: number
  readonly records?: number
  readonly topics?: number
  readonly partitions?: number
  readonly addedBytes?: number
  readonly addedRecords?: number
  /** Stored bytes of kept backups that it read again. */
  readonly verifiedBytes?: number
  /** Damaged objects of earlier backups whose records it read from Kafka again. */
  readonly healedObjects?: number
  /** Of anything but a success: a FailureReason of the pod's report, a RunReasonName, or a word of Kubernetes. */
  readonly reason?: string
  readonly message?: string
  /** Of a success: what the user should know about it. */
  readonly notes: ReadonlyArray<string>
  /** Backups that retention held back at its end, and why. */
  readonly heldBack?: string
  /** Backups that it left at its end because the store locks them. */
  readonly locked?: LockedSummary
  /** The rules that retention applied at its end, where there are others than a number of backups. */
  readonly retention?: string
  /** The run found its backup complete: an earlier Job with the same slot or trigger value had made it. */
  readonly wasComplete?: boolean
}

/** A prune, catalogue or clean-up Job that ended. */
export interface EndedMaintenance {
  readonly task: "prune" | "catalogue" | "cleanup"
  readonly jobName: string
  readonly endMillis?: number
  readonly isSuccess: boolean
  readonly removed?: number
  readonly heldBack?: string
  readonly locked?: LockedSummary
  /** The rules that a prune applied, where there are others than a number of backups. */
  readonly retention?: string
  /** What the user should know about the backups that stay. */
  readonly notes?: ReadonlyArray<string>
  readonly trouble?: Trouble
}

/** What Jobs that ended report of the stored data; of each, the one that ended last counts. */
export interface StoredDataNews {
  readonly damage?: DamageSummary & { readonly endMillis: number }
  readonly verification?: VerificationSummary & { readonly endMillis: number }
}

/** What a deletion waits for, or how it ended. */
export type DeletionTrouble = Trouble<RunReasonName | ReasonOf<"CleanedUp">>

/** Everything that one reconcile found: the next status is a function of this, the previous status and the time. */
export interface Facts {
  readonly generation: number
  readonly namespace?: string
  /** Where the backups lie, as `StorageLocation` writes it; absent with problems. */
  readonly location?: string | undefined
  /** What is wrong with the spec; empty when it can be used. With problems nothing is started. */
  readonly problems: ReadonlyArray<Problem>
  /** Absent with problems. */
  readonly state: ScheduleState | undefined
  readonly schedule: { readonly text?: string | undefined; readonly timeZone?: string | undefined }
  readonly memory: ScheduleMemory
  readonly active: ActiveRun | undefined
  /** Runs that ended since the last reconcile, oldest first. Reporting one twice changes nothing. */
  readonly ended: ReadonlyArray<EndedRun>
  readonly maintenance: ReadonlyArray<EndedMaintenance>
  readonly skipped: ReadonlyArray<SkippedSlots>
  readonly refusedTrigger: string | undefined
  /** Annotations with this group's prefix that mean nothing, in a sentence. */
  readonly unknownAnnotations: string | undefined
  /** What storage holds, where that was learnt since the last reconcile. */
  readonly catalogue: CatalogueSummary | undefined
  /** When it was learnt: the end of the Job that listed storage. */
  readonly listedMillis?: number | undefined
  /** What was learnt of the stored data since the last reconcile. */
  readonly storedData: StoredDataNews
  /** `spec.verification.percentPerRun`; absent with problems. */
  readonly percentPerRun: number | undefined
  /** Why the history must be read from storage, where that was found now. */
  readonly listing: "StatusLost" | "ListingDue" | undefined
  /** A run is due and queued among all resources. */
  readonly queue: QueuedRun | undefined
  /** A Job is needed and the API server rejects it. */
  readonly refusal: Trouble<RunReasonOf<"refusal">> | undefined
  /** The resource is being deleted: what its deletion waits for. */
  readonly deletion: DeletionTrouble | undefined
  readonly drill: DrillObservation
  readonly preflight: PreflightObservation
  /** Storage blocks that are given but not selected. */
  readonly ignoredStorageBlocks: ReadonlyArray<StorageType>
}
