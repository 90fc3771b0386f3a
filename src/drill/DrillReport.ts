import type { DrillSummary } from "../outcome/DrillSummary.ts"
import type * as Explanation from "../worker/Explanation.ts"

/** One topic of a report. */
export interface DrilledTopic {
  readonly source: string
  /** The scratch topic. */
  readonly target: string
  readonly offsets: "exact" | "renumbered"
  readonly runs: ReadonlyArray<{
    readonly partition: number
    /** Offsets of the source; `until` is exclusive. */
    readonly from: number
    readonly until: number
    readonly records: number
    readonly targetPartition: number
  }>
}

/** What `--report FILE` holds: what one drill did, whatever the outcome. */
export interface DrillReport {
  readonly version: 1
  /** The KafkaBackup. */
  readonly backup: { readonly name: string; readonly namespace?: string; readonly uid?: string } | undefined
  /** The newest complete backup; absent: there is none, or it was not found out. */
  readonly backupId?: string
  readonly capturedAt?: string
  readonly outcome: "success" | "failed" | "interrupted"
  readonly exitCode: number
  readonly dryRun: boolean
  /** Absent: a dry run, or stopped before it could tell. */
  readonly result?: NonNullable<DrillSummary["result"]>
  readonly startedAt: string
  readonly completedAt: string
  readonly topics: ReadonlyArray<DrilledTopic>
  /** Topics with records of which nothing was chosen this time. */
  readonly leftOut: ReadonlyArray<string>
  /** Of what was chosen; `bytes` as stored. With result `Passed` all of it was restored and compared. */
  readonly records: number
  readonly bytes: number
  /** How long it took to restore and compare it. Absent: it did not come to that. */
  readonly seconds?: number
  /** Of the whole backup, at that rate. */
  readonly estimatedSeconds?: number
  /** Records that were compared with the live topics, too. */
  readonly comparedLiveRecords?: number
  /** Live topics that are still those that were backed up. 0: nothing could be compared, for the reasons in `notes`. */
  readonly comparedLiveTopics?: number
  /** Scratch topics that could not be deleted. The next drill tries again. */
  readonly leftTopics: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
  readonly error?: Pick<Explanation.Explained, "reason" | "message" | "advice" | "isRetryable">
}
