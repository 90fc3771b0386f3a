import type { Owner } from "../identity/RunIdentity.ts"
import type { Cut } from "./Cut.ts"
import type { SourcePartitions } from "./SourcePartitions.ts"
import type { GroupsRequest, RollbackRequest } from "./groups/GroupsRequest.ts"
import type { Hold } from "../resource/RetentionHoldSpec.ts"
import type { Codec } from "./Compression.ts"

/**
 * Which offsets restored records get.
 *
 * - `exact`: their old ones, with the log's old start, end and holes; a topic where that is not possible is refused.
 * - `auto`: the old ones where that is possible, else new ones.
 * - `new`: consecutive ones from 0 on.
 */
export type Offsets = "exact" | "auto" | "new"

/** Which configuration restored topics are to have. */
export interface ConfigChoice {
  /** False: the defaults of the brokers. */
  readonly fromBackup: boolean
  /** By name or wildcard of topics of the backup: configurations that take precedence. */
  readonly overrides: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** A backup that was chosen for a resource that names none: see BackupChoice.ts. */
export interface Chosen {
  readonly backupId: string
  /** Fingerprint of what was asked for: another question is answered anew. */
  readonly by: string
  /** Why this one, for people. */
  readonly why: string
}

/** One restore as the resource asks for it, with defaults applied and units resolved. */
export interface RestoreRequest {
  /** Whose restore it is: the same owner resumes, another one starts anew. */
  readonly owner: Owner
  readonly backupId: string
  /** Present where the backup was chosen for `spec.backupRef`: what asked for it, and why it is this one. */
  readonly chosen?: Chosen
  /** Names and wildcards of topics of the backup. */
  readonly topics: ReadonlyArray<string>
  readonly excludeTopics: ReadonlyArray<string>
  /** From topics of the backup to those to write to; see TopicMapping.ts. A topic that no key fits keeps its name. */
  readonly topicMapping: ReadonlyMap<string, string>
  readonly createTopics: boolean
  /** What becomes of topics that hold records of others; absent: the restore is refused. */
  readonly existingTopics?: "append" | "recreate"
  /** Target topics that may be deleted. */
  readonly confirmRecreate?: ReadonlySet<string>
  /** Absent: that of the source. */
  readonly replicationFactor?: number
  readonly offsets: Offsets
  /** Most offsets without a record that are filled in one partition. */
  readonly maxFillerOffsets: number
  /** Most holes of one partition that are taken one by one; absent: see HoleMeans.ts. */
  readonly mostSingleHoles?: number
  /** Whether a backup that lists ranges that it could not read is restored with holes in their place. */
  readonly acceptsGaps: boolean
  /** Absent: all partitions. */
  readonly sourcePartitions?: SourcePartitions
  /** By topic of the backup: the number of partitions that it gets instead of its own; only with new offsets. */
  readonly partitions?: ReadonlyMap<string, number>
  /** Whether every record gets headers with its offset, timestamp and partition in the source. */
  readonly includesOriginalOffset?: boolean
  /** Absent: records of all times. */
  readonly cut?: Cut
  /** What a user should know of fields that have no effect. */
  readonly notes?: ReadonlyArray<string>
  /** Absent: no consumer group is changed. */
  readonly groups?: GroupsRequest
  /** Absent: nothing is stored. */
  readonly rollback?: RollbackRequest
  /** Whether ACLs of the backup are added for what is restored. */
  readonly createsAcls?: boolean
  /** Whether client quotas of the backup are set where there are none. */
  readonly createsQuotas?: boolean
  /** How long the topics keep all records after the proof, whatever their retention says. */
  readonly retentionHold: Hold
  /** Whether a restore that fails for good deletes the topics that it made. */
  readonly deletesCreated: boolean
  /** Absent: that of the source, else lz4. */
  readonly compression?: Codec
  readonly configs: ConfigChoice
  /** Ceilings for the whole restore; absent: none. */
  readonly bytesPerSecond: number | undefined
  readonly recordsPerSecond: number | undefined
}
