import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { ScheduleState } from "../schedule/ScheduleState.ts"
import type { ScheduleMemory } from "../schedule/ScheduleMemory.ts"
import type { SkippedSlots } from "../schedule/SkippedSlots.ts"
import type { Problem } from "../resource/Problem.ts"

/** Why a run exists, as status and history say it. */
export type RunCauseName = "schedule" | "trigger" | "once"

/** Something that keeps a run or a Job from going on, in the server's own words, with what to do. */
export interface Trouble {
  /** CamelCase, part of the API: see RunReasons.ts, and Reasons.ts for what a deletion waits for. */
  readonly reason: string
  readonly message: string
}

/** How far a run is: what its pod says under /progress. */
export interface RunProgressFacts {
  readonly partitionsTotal: number
  readonly partitionsDone: number
  readonly recordsTotal?: number
  readonly records: number
  readonly bytes: number
  readonly percent?: number
  readonly message?: string
  readonly updatedMillis: number
}

/** The run that is active. Instants are milliseconds since 1970. */
export interface ActiveRun {
  /** The id its set will have, unless that is taken. */
  readonly backupId: string
  readonly cause: RunCauseName
  readonly startMillis: number
  readonly jobName: string
  readonly progress?: RunProgressFacts
  /** Its pod cannot start or keeps failing. */
  readonly trouble?: Trouble
}

/** A run that ended, as its Job, its pods and its termination message tell. */
export interface EndedRun {
  readonly jobName: string
  readonly cause: RunCauseName
  readonly backupId: string
  readonly startMillis: number
  readonly endMillis: number
  readonly outcome: "success" | "failed" | "interrupted"
  readonly size?: number
  readonly records?: number
  readonly addedBytes?: number
  readonly addedRecords?: number
  /** Of anything but a success. */
  readonly reason?: string
  readonly message?: string
  /** Of a success: what is worth knowing. */
  readonly notes: ReadonlyArray<string>
}

/** A prune, catalogue or clean-up Job that ended. */
export interface EndedMaintenance {
  readonly task: "prune" | "catalogue" | "cleanup"
  readonly jobName: string
  readonly isSuccess: boolean
  readonly removed?: number
  readonly trouble?: Trouble
}

/** Everything one look at a resource found: the next status is a function of this, the previous status and the time. */
export interface Facts {
  readonly generation: number
  /** What is wrong with the spec; empty when it can be used. Unusable: nothing is started. */
  readonly problems: ReadonlyArray<Problem>
  /** Absent with problems. */
  readonly state: ScheduleState | undefined
  readonly schedule: { readonly text?: string; readonly timeZone?: string }
  readonly memory: ScheduleMemory
  readonly active: ActiveRun | undefined
  /** Runs that ended since the last look, oldest first. Telling one twice changes nothing. */
  readonly ended: ReadonlyArray<EndedRun>
  readonly maintenance: ReadonlyArray<EndedMaintenance>
  readonly skipped: ReadonlyArray<SkippedSlots>
  readonly refusedTrigger: string | undefined
  /** What storage holds, where that was learnt since the last look. */
  readonly catalogue: CatalogueSummary | undefined
  /** A run is due and waits for its turn among all resources: how many are before it. */
  readonly queue: { readonly before: number } | undefined
  /** A Job is wanted and the API server does not take it. */
  readonly refusal: Trouble | undefined
  /** The resource is being deleted: what its deletion waits for. */
  readonly deletion: Trouble | undefined
  /** Storage blocks that are given but do not count. */
  readonly ignoredStorageBlocks: ReadonlyArray<string>
}
