import { Schema } from "effect"

/** Why a partition was read in full, although backups may build on earlier ones. */
const sentences = {
  FullAsked: "a full backup was asked for",
  FullDue: "it was the turn of a full backup (incremental.fullEvery)",
  NoEarlierBackup: "there was no earlier complete backup",
  EarlierUnreadable: "the earlier backup could not be read",
  OtherCluster: "the earlier backup is of another Kafka cluster",
  OtherFormat: "the earlier backup has another format (spec.format)",
  OtherHeaders: "the earlier backup adds other headers to the records",
  TopicNew: "the earlier backup does not have the topic",
  PartitionNew: "the earlier backup does not have the partition",
  TopicIdUnknown: "the id of the topic is not known, in Kafka or in the earlier backup",
  TopicRecreated: "the topic was deleted and created again",
  NothingLeft: "the log has nothing left of what the earlier backup holds",
  EndWentBack: "the log ends before the earlier backup does",
  CleanupUnknown: "the configuration of the topic could not be read, so nobody knows whether it is compacted",
  DeletionsMayBeGone:
    "the earlier backup is too old: compaction may have dropped deletions since (delete.retention.ms)",
  TransactionWasOpen:
    "a transaction was open when the earlier backup was made, and nobody knows for how long: compaction may have dropped deletions since",
  ClockBehind: "the clock of the machine is behind a newer backup, so compaction may have dropped deletions since",
  ObjectsMissing: "much of what the earlier backup holds is missing or damaged in storage",
  DamagedCompacted:
    "objects of the earlier backup are missing or damaged, and in a compacted topic deletions may be gone since",
  ManySmallSegments: "the earlier backups hold it in many small objects, and a backup can name only so many",
  TooManyForMemory:
    "the earlier backup names more objects than the memory limit allows; raise spec.resources.limits.memory",
  LogReplaced: "the log is not the one of the earlier backup: an unclean leader election replaced records",
  LineageUnknown: "the brokers do not say whether the log is still the one of the earlier backup",
  EndDiffers: "the last records of the earlier backup are not those in Kafka",
  EarlierGone: "the earlier backup was removed or changed while this one was made",
  TookTooLong: "reading took longer than compaction keeps deletions (delete.retention.ms)"
} as const

export type FullReason = keyof typeof sentences

export const fullReasons = Object.keys(sentences) as ReadonlyArray<FullReason>

export const FullReason = Schema.Literals(fullReasons)

/** The reason as a clause without a full stop; that of a newer version is given as it is. */
export const sentence = (reason: string): string => (reason in sentences ? sentences[reason as FullReason] : reason)
