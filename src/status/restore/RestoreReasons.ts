/** One reason of a condition of a KafkaRestore: part of the API, so that alerts and scripts may rely on it. */
export interface RestoreReason {
  /** Condition types that may carry it. */
  readonly of: ReadonlyArray<RestoreConditionType>
  readonly meaning: string
  /** What to do; absent when nothing is to be done. */
  readonly todo?: string
}

/** Condition types in the order in which a status lists them, and the question that each answers. */
export const restoreTypes = {
  Ready:
    "Is the restore complete? The one to wait for: until then its message says what is happening, or what is wrong and what to do.",
  Preflight: "Can the backup be restored into the target cluster? Everything that can be asked beforehand was asked.",
  Verified: "Was every record read back from the target cluster, and is it equal to that of the backup?",
  OffsetsExact: "Do all records have the offsets that they have in the backup?",
  RetentionHeld:
    "Do the restored topics still keep records that are older than their retention allows? Absent where they never did.",
  GroupsReset: "Do all consumer groups of `spec.offsetReset` have the offsets that it asks for?"
} as const

export type RestoreConditionType = keyof typeof restoreTypes

const all = {
  RestorePending: { of: ["Ready"], meaning: "The restore has not started yet: its pod is being made." },
  PreflightRunning: {
    of: ["Ready"],
    meaning: "The backup and the target cluster are being checked. Nothing was written yet by this attempt."
  },
  Restoring: {
    of: ["Ready"],
    meaning:
      "Records are being written, read back and compared. `.status.progress` shows how far it is. The spec cannot be changed any more."
  },
  RestoreCompleted: {
    of: ["Ready"],
    meaning: "Every record was written, read back and compared. This restore never writes again."
  },
  DryRunPassed: {
    of: ["Ready"],
    meaning: "All checks of the dry run passed. Nothing was written.",
    todo: "Set `spec.dryRun` to false to start the restore."
  },
  RestoreFailed: {
    of: ["Ready"],
    meaning:
      "The restore failed, or its dry run did. The message says why. Topics stay as they are, except that `onFailure: DeleteCreated` may delete those that the restore created.",
    todo: "Do what the message says. Then set the annotation `kafka.oso.sh/retry` to a new value; as long as nothing was written, an edit of the spec starts another attempt, too."
  },
  EditTooLate: {
    of: ["Ready"],
    meaning:
      "The spec was edited after a Job had begun to write, a moment before the status could say so. The Job continued with the earlier spec; the present spec was not restored.",
    todo: "Create another resource with the spec that you want, restored to other names or after deleting the topics. This one starts nothing more."
  },
  InvalidSpec: {
    of: ["Ready"],
    meaning: "The spec cannot be used. The message lists every mistake with its field, its value and the remedy.",
    todo: "Correct the fields and apply the manifest again. Nothing is started until then."
  },
  JobRefused: {
    of: ["Ready"],
    meaning:
      "The API server rejects the Job: quota, admission policy, missing permissions. The message quotes the server.",
    todo: "Remove what blocks the Job. The operator tries again automatically."
  },
  StrimziUnresolved: {
    of: ["Ready"],
    meaning: "`strimziRef` stands for no cluster now, so no Job can be made. The message says what is missing.",
    todo: "Do what the message says. Strimzi's resources are looked up again every minute."
  },
  BackupMissing: {
    of: ["Ready"],
    meaning: "The KafkaBackup of `spec.backupRef` does not exist in the namespace, or its spec cannot be used.",
    todo: "Create or correct it, or set `spec.backupId` and `spec.storage` instead. The restore then starts by itself."
  },
  PodTrouble: {
    of: ["Ready"],
    meaning: "The pod cannot start or keeps failing: image, node, volume, Secret or memory. The message says which.",
    todo: "Remove the cause. The restore then continues automatically within its limits."
  },

  Passed: { of: ["Preflight"], meaning: "All checks passed." },
  NotYetChecked: { of: ["Preflight"], meaning: "The checks have not finished." },
  NoBackup: {
    of: ["Preflight"],
    meaning: "The KafkaBackup of `spec.backupRef` has no complete backup in the storage.",
    todo: "Wait for its first backup, or name one in `spec.backupId`."
  },
  NotInBackup: {
    of: ["Preflight"],
    meaning: "The backup does not hold a topic that `spec.topics` names, or none that is selected.",
    todo: "Choose topics of the backup."
  },
  GapsNotAccepted: {
    of: ["Preflight"],
    meaning: "The backup lists offsets that it could not read.",
    todo: "Choose another backup, or set `spec.gaps` to Accept."
  },
  TooManyFillers: {
    of: ["Preflight"],
    meaning: "The old offsets would need too many offsets without a record.",
    todo: "Set `spec.offsets` to Auto or New."
  },
  TargetsCollide: {
    of: ["Preflight"],
    meaning: "Several topics of the backup would be restored to one topic.",
    todo: "Give each of them a name of its own in `spec.topicMapping`."
  },
  MappingUnused: {
    of: ["Preflight"],
    meaning: "`spec.topicMapping` names a topic that is not restored.",
    todo: "Remove it from `spec.topicMapping`, or add it to `spec.topics`."
  },
  OverrideUnused: {
    of: ["Preflight"],
    meaning: "`spec.configOverrides` names a topic, or a pattern, and no topic of that name is restored.",
    todo: "Correct it, or remove it from `spec.configOverrides`."
  },
  BackupDamaged: {
    of: ["Preflight"],
    meaning: "An object of the backup is missing or damaged.",
    todo: "Make a new backup now, if Kafka still has the records: an incremental one often repairs this one, too. Else restore another backup, or leave out what is damaged with `spec.excludeTopics` or `spec.sourcePartitions`."
  },
  TargetDenied: {
    of: ["Preflight"],
    meaning: "The target cluster denies a permission for a topic.",
    todo: "Grant the permissions of the restore guide."
  },
  TargetTopicMissing: {
    of: ["Preflight"],
    meaning: "A topic does not exist in the target cluster, and `spec.createTopics` is false.",
    todo: "Create the topic, or set `spec.createTopics` to true."
  },
  TargetInternal: {
    of: ["Preflight"],
    meaning: "A target topic is one of Kafka's own.",
    todo: "Restore it to another name with `spec.topicMapping`."
  },
  PartitionsDiffer: {
    of: ["Preflight"],
    meaning: "A target topic has another number of partitions than the backup.",
    todo: "Restore to another name, or delete the topic."
  },
  TargetNotEmpty: {
    of: ["Preflight"],
    meaning: "A target topic is not empty, or was not empty before, and its records are not from this restore.",
    todo: "Restore to another name with `spec.topicMapping`, delete the topic, or set `spec.existingTopics`."
  },
  RecreateNotConfirmed: {
    of: ["Preflight"],
    meaning:
      "`spec.existingTopics` is Recreate, and a topic that exists is not in `spec.confirmRecreate`, or is this restore's own.",
    todo: "Add the topic to `spec.confirmRecreate` to delete what it holds, or restore to another name."
  },
  RecreateUnused: {
    of: ["Preflight"],
    meaning: "`spec.confirmRecreate` lists a topic that nothing is restored to.",
    todo: "Correct it, or remove it from `spec.confirmRecreate`."
  },
  AppendImpossible: {
    of: ["Preflight"],
    meaning:
      "Records cannot be appended to a topic, because of its configuration, or because this restore wrote to it before an edit. The message says which.",
    todo: "Do what the message says, or restore to another name."
  },
  RecordTooLarge: {
    of: ["Preflight"],
    meaning: "A record of the backup is too large for the memory limit of the restore.",
    todo: "Raise `spec.resources.limits.memory` to what the message says."
  },
  TargetRefused: {
    of: ["Preflight"],
    meaning: "The brokers refuse to create a topic, or can keep no ACLs. The message quotes them.",
    todo: "Correct what the message names, or create the topic yourself."
  },
  TargetNotCovered: {
    of: ["Preflight"],
    meaning: "The backup does not reach the time of `spec.pitr`, or holds no record until then.",
    todo: "Choose a backup whose run began after that time, or another time."
  },
  MappingAmbiguous: {
    of: ["Preflight"],
    meaning: "Several patterns of `spec.topicMapping` fit a topic equally well.",
    todo: "Map this topic by its name."
  },
  TargetNameInvalid: {
    of: ["Preflight"],
    meaning: "A pattern of `spec.topicMapping` gives a name that Kafka does not allow.",
    todo: "Map this topic to a shorter or another name."
  },
  GroupsNotInBackup: {
    of: ["Preflight"],
    meaning: "The backup has no offsets of a consumer group that `spec.offsetReset` names, or of any group.",
    todo: "Choose groups of the backup, or another strategy."
  },
  MetadataNotInBackup: {
    of: ["Preflight"],
    meaning:
      "The backup has no ACLs, or no client quotas, which `spec.acls` or `spec.quotas` asks for. The message says why.",
    todo: "Set the field to `None`, or choose a backup that has them."
  },
  OtherSourceCluster: {
    of: ["Preflight"],
    meaning: "The backup is of another cluster than `spec.offsetReset.sourceCluster` says.",
    todo: "Correct the name of the cluster, or choose a backup of that cluster."
  },
  GroupDenied: {
    of: ["Preflight"],
    meaning: "The target cluster denies setting the offsets of a consumer group.",
    todo: "Grant Read on the group."
  },
  GroupsRepartitioned: {
    of: ["Preflight"],
    meaning: "Consumer groups cannot continue at their old offsets in a topic that gets another number of partitions.",
    todo: "Choose another strategy in `spec.offsetReset`, or restore the topic without it."
  },
  SnapshotTaken: {
    of: ["Preflight"],
    meaning:
      "Offsets are stored under the name of `spec.rollback.snapshotId` already: of another resource, or for another backup, cluster, groups or topics, or for other settings of the topics.",
    todo: "Choose another name."
  },
  SnapshotDenied: {
    of: ["Preflight"],
    meaning: "The storage does not allow to store the former offsets of the groups.",
    todo: "Grant permission to write below `_kafka-backup/`, or remove `spec.rollback`."
  },
  Refused: {
    of: ["Preflight"],
    meaning: "Another check failed. The message says what is wrong.",
    todo: "Do what the message says."
  },

  RecordsCompared: {
    of: ["Verified"],
    meaning: "Every record was read back from the target cluster and is equal to that of the backup."
  },
  NotYetCompared: { of: ["Verified"], meaning: "The restore has not compared all records." },
  Differs: {
    of: ["Verified"],
    meaning: "Records that were read back differ from the backup. The message names topic, partition and offsets.",
    todo: "Delete the topic, and restore it again with a new resource."
  },
  TargetDisturbed: {
    of: ["Verified"],
    meaning: "Another client wrote to a topic while it was restored, or its records were removed.",
    todo: "Delete the topic, stop the client, and restore it again with a new resource."
  },

  AllExact: { of: ["OffsetsExact"], meaning: "All topics have the offsets of the backup." },
  RenumberedTopics: {
    of: ["OffsetsExact"],
    meaning: "Some topics have new offsets. The message names them, and says why.",
    todo: "Consumers of these topics cannot use the offsets that they kept."
  },
  Held: {
    of: ["RetentionHeld"],
    meaning: "`retention.ms` and `retention.bytes` of the restored topics are -1. The message says until when.",
    todo: "Read what you need of the old records until then: brokers remove them within minutes after the hold."
  },
  HeldWithoutEnd: {
    of: ["RetentionHeld"],
    meaning:
      "`retention.ms` and `retention.bytes` of the restored topics are -1, and the operator cannot end that. The message says why.",
    todo: "Read what you need of the old records. Then set both with `kafka-configs`."
  },
  HoldNotEnded: {
    of: ["RetentionHeld"],
    meaning: "The hold is over, but the topics could not be given the retention of the backup. The message says why.",
    todo: "Remove the cause. The operator tries again: about an hour later where a Job failed, else by itself within minutes."
  },
  HoldEnded: { of: ["RetentionHeld"], meaning: "The topics have the retention of the backup." },
  AllReset: { of: ["GroupsReset"], meaning: "The offsets of all these groups were set and read back." },
  GroupsSkipped: {
    of: ["GroupsReset"],
    meaning:
      "Some groups were left as they are, most often because they have members. The message names them, and says why.",
    todo: "Stop the consumers of these groups. Then set the annotation `kafka.oso.sh/reset-offsets` to a new value: only these groups are set. Where that cannot set all that are left, the message says so, and names the command that can."
  },
  NotYetPlanned: { of: ["OffsetsExact"], meaning: "No attempt has reported its plan." }
} as const satisfies Readonly<Record<string, RestoreReason>>

export type RestoreReasonName = keyof typeof all

/** The reasons of one condition type. */
export type RestoreReasonOf<Type extends RestoreConditionType> = {
  [Name in RestoreReasonName]: Type extends (typeof all)[Name]["of"][number] ? Name : never
}[RestoreReasonName]

/** Every reason of a condition of a KafkaRestore. */
export const restoreReasons: Readonly<Record<RestoreReasonName, RestoreReason>> = all

/** True for a word that stands against a restore, as a pod reports it, and is a reason of `Preflight`. */
export const isObjection = (word: string): word is RestoreReasonOf<"Preflight"> =>
  Object.hasOwn(all, word) && all[word as RestoreReasonName].of.some((type) => type === "Preflight")
