import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { AccessDone, PreparedAccess } from "./Access.ts"
import * as Cleaning from "./Cleaning.ts"
import type { ResolvedBackup } from "../outcome/RestoreSummary.ts"
import type { GroupOutcome } from "./groups/GroupOutcome.ts"
import * as Groups from "./groups/Groups.ts"
import * as Configuring from "./Configuring.ts"
import type { Means } from "./HoleMeans.ts"
import * as MadeTopics from "./MadeTopics.ts"
import type * as Proof from "./Proof.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import * as RetentionHold from "./RetentionHold.ts"
import type { TargetTopic } from "./TargetTopic.ts"

/** The cluster that is restored to, written and read, and the store that is read. */
export interface Systems {
  readonly sink: KafkaSinkShape
  readonly source: KafkaSourceShape
  readonly store: ObjectStoreShape
}

export interface Options {
  /** Partitions written or read back at the same time. */
  readonly openPartitions: number
  /** Most bytes of a batch before compression. */
  readonly batchBytes: number
  /** Least bytes of a stored batch that is appended as it is. */
  readonly leastStoredBytes: number
  /** Most memory of batches that are not answered yet, in bytes. */
  readonly batchMemoryBytes: number
  readonly patienceMillis: number
  readonly onAppended: (records: number, bytes: number, partition: RestorePlan.PlannedPartition) => void
  /** All of the partition was read back and compared. */
  readonly onProven?: (partition: RestorePlan.PlannedPartition) => void
  /** The restore failed for good, and deleted topics that it had made. */
  readonly onRemoved?: (removed: MadeTopics.Removed) => void
  /** The former offsets of consumer groups are stored as this snapshot. */
  readonly onOffsetsStored?: (snapshotId: string) => void
}

/** What a restore is going to do, after everything that can be asked beforehand was asked. */
export interface Prepared {
  readonly plan: RestorePlan.RestorePlan
  /** The backup, and why it is this one. */
  readonly resolved: ResolvedBackup
  readonly targets: ReadonlyArray<TargetTopic>
  /** Absent: consumer groups are left alone. */
  readonly groups: Groups.PreparedGroups | undefined
  /** Absent: ACLs and quotas are left alone. */
  readonly access: PreparedAccess | undefined
  /** What is to be known of groups that are left alone, or would be now. */
  readonly groupNotes: ReadonlyArray<string>
  /** Which configuration the topics are to have. */
  readonly wanted: ConfigChoice
  /** What the principal may do about holes in logs. */
  readonly means: Means
  /** Configurations that the brokers said beforehand they would refuse. */
  readonly expectedRefusals: ReadonlyArray<Configuring.RefusedConfig>
}

/** What a restore has done. */
export interface Restored extends Prepared {
  /** Records in all target partitions: each was read back and compared. */
  readonly records: number
  /** Configurations of the backup that the brokers refused at the end, by target topic. */
  readonly refusedConfigs: ReadonlyArray<Configuring.RefusedConfig>
  /** Logs that end later than in the backup, because the fillers of their holes were removed again. */
  readonly cleaned: ReadonlyArray<Cleaning.Cleaned>
  /** What this attempt gave each target topic in the end, refused ones included; null is the broker's default. */
  readonly configs: ReadonlyMap<string, Readonly<Record<string, string | null>>>
  /** What this attempt compared, partition by partition. */
  readonly proven: ReadonlyArray<ProvenPartition>
  /** What became of each consumer group; absent if none was to be changed, or an earlier attempt did it. */
  readonly offsetReset: GroupOutcome | undefined
  /** True: an earlier attempt had set the offsets of consumer groups already. This one left them alone. */
  readonly wereGroupsSet: boolean
  /** What became of ACLs and quotas; absent if none were to be added, or an earlier attempt did it. */
  readonly accessDone: AccessDone | undefined
  /** True: an earlier attempt had added all ACLs and quotas already. */
  readonly wasAccessDone: boolean
  /** True: an earlier attempt had proven all records already. */
  readonly wasProven: boolean
  readonly hold: RetentionHold.HoldState
  /** False: without Read on the restore's group, nothing ends the hold but a person. */
  readonly isRemembered: boolean
  /** When it was complete, in milliseconds since 1970. */
  readonly endedMillis: number
}

/** A partition of the target and what was compared of it. */
export interface ProvenPartition {
  readonly topic: string
  readonly partition: number
  readonly ranges: ReadonlyArray<Proof.ComparedRange>
}
