import type { ResolvedBackup } from "../outcome/RestoreSummary.ts"
import type * as Explanation from "../worker/Explanation.ts"
import type { Acl, Quota } from "../kafka/AccessRules.ts"
import type { StoredUser } from "../manifest/ClusterMetadata.ts"
import type { AccessDone } from "./Access.ts"
import type { DifferentQuota } from "./AclMapping.ts"
import type { TopicCut } from "./CutReport.ts"
import type { GroupOutcome } from "./groups/GroupOutcome.ts"
import type { Removed } from "./MadeTopics.ts"
import type { ComparedRange } from "./Proof.ts"

/** One topic of a report. */
export interface ReportedTopic extends TopicCut {
  readonly source: string
  readonly target: string
  /**
   * `create`: a dry run would create it. `created`: by this attempt. `resumed`: an earlier attempt of this restore had
   * begun to write to it. `proven`: an earlier attempt had compared all of it; this one neither read nor wrote its
   * records. `existing`: it was there, and empty. `recreate`, `recreated`: one of others is deleted first. `append`,
   * `appended`: behind the records that were there.
   */
  readonly topic:
    | "create"
    | "created"
    | "recreate"
    | "recreated"
    | "append"
    | "appended"
    | "resumed"
    | "proven"
    | "existing"
  readonly partitions: number
  readonly records: number
  readonly offsets: "exact" | "renumbered"
  /** Why the records have new offsets. */
  readonly renumberedBecause?: string
  readonly configurations: {
    /** Given to the topic in the end; null: set back to the broker's default. Absent in a dry run. */
    readonly set?: Readonly<Record<string, string | null>>
    /** Of the backup, and never given to a new topic. */
    readonly leftOut: ReadonlyArray<string>
    /** The brokers refused them. */
    readonly refused: ReadonlyArray<string>
  }
  /** What this attempt read back and compared, by partition. */
  readonly compared?: ReadonlyArray<{ readonly partition: number; readonly ranges: ReadonlyArray<ComparedRange> }>
}

/** What `--report FILE` holds: what one attempt of a restore did, whatever the outcome. */
export interface RestoreReport {
  readonly version: 1
  readonly restore: { readonly name: string; readonly namespace?: string; readonly uid?: string } | undefined
  readonly backupId: string | undefined
  /** The backup in detail; absent before there is a plan. */
  readonly resolved?: ResolvedBackup
  readonly outcome: "success" | "failed" | "interrupted"
  readonly exitCode: number
  readonly dryRun: boolean
  readonly startedAt: string
  readonly completedAt: string
  /** Absent: this attempt wrote nothing. */
  readonly startedWriting?: string
  /** Fingerprint of the plan: of the backup's content and of what the resource asks for. */
  readonly plan?: string
  /** Of the plan; with outcome `success` and without `dryRun` all of them were read back and compared. */
  readonly records?: number
  readonly topics: ReadonlyArray<ReportedTopic>
  /** The snapshot with the former offsets of consumer groups, once it is stored. */
  readonly rollbackSnapshotId?: string
  /**
   * What became of consumer groups; absent if none was to be changed, the restore failed before, or an earlier attempt
   * did it.
   */
  readonly offsetReset?: GroupOutcome
  /** What became of ACLs and quotas; absent where none were to be added, or an earlier attempt did it. */
  readonly access?: AccessDone
  /** What a dry run would add of them. */
  readonly accessToAdd?: {
    readonly acls: ReadonlyArray<Acl>
    readonly quotas: ReadonlyArray<Quota>
    /** Of the backup, and there with other values, which stay. */
    readonly differentQuotas: ReadonlyArray<DifferentQuota>
  }
  /** Users of the backup that a person has to make, with a password of their choice; absent for none. */
  readonly usersToMake?: ReadonlyArray<StoredUser>
  /** Present where the restore failed for good with `onFailure: DeleteCreated`: topics that it had created. */
  readonly removed?: Removed
  /** Old records of the restored topics are kept until the retention hold ends. */
  readonly held?: true
  /** Nothing ends the hold but a person: the restore may not remember it, because it lacks Read on its group. */
  readonly holdWithoutEnd?: true
  readonly notes: ReadonlyArray<string>
  readonly error?: Pick<Explanation.Explained, "reason" | "message" | "advice" | "isRetryable"> & {
    readonly objections?: ReadonlyArray<{ readonly reason: string; readonly message: string; readonly advice: string }>
  }
}
