import type { PartitionOffset, TopicPartition } from "../../kafka/KafkaSource.ts"

/** An offset that a group is to have. */
export interface WantedOffset extends PartitionOffset {
  readonly metadata?: string
}

/** What one group is to have. */
export interface WantedGroup {
  readonly groupId: string
  readonly offsets: ReadonlyArray<WantedOffset>
  /** Partitions in which it is to have no offset. */
  readonly forget?: ReadonlyArray<TopicPartition>
  /** Present: it is left as it is, for this reason. */
  readonly left?: string
}

/** A group that has its offsets: each was set and read back. */
export interface GroupReset {
  readonly group: string
  readonly offsets: ReadonlyArray<PartitionOffset>
  /** Partitions in which it has no offset any more. Absent: none was to be forgotten. */
  readonly forgotten?: ReadonlyArray<TopicPartition>
}

/** A group that was left as it is, and why. */
export interface GroupSkipped {
  readonly group: string
  readonly reason: string
  /** It has members: once they have left, its offsets can be set. */
  readonly active?: true
}

export interface GroupOutcome {
  readonly groupsReset: ReadonlyArray<GroupReset>
  readonly groupsSkipped: ReadonlyArray<GroupSkipped>
}

export const isReset = (one: GroupReset | GroupSkipped): one is GroupReset => "offsets" in one

export const outcomeOf = (all: ReadonlyArray<GroupReset | GroupSkipped>): GroupOutcome => ({
  groupsReset: all.filter(isReset),
  groupsSkipped: all.filter((one): one is GroupSkipped => !isReset(one))
})
