/** A reason not to begin, in words for a person. */
export interface Objection {
  readonly reason:
    | "NoBackup"
    | "NotInBackup"
    | "GapsNotAccepted"
    | "TooManyFillers"
    | "TargetsCollide"
    | "MappingUnused"
    | "OverrideUnused"
    | "MappingAmbiguous"
    | "TargetNameInvalid"
    | "BackupDamaged"
    | "TargetDenied"
    | "TargetTopicMissing"
    | "TargetInternal"
    | "PartitionsDiffer"
    | "TargetNotEmpty"
    | "RecreateNotConfirmed"
    | "RecreateUnused"
    | "AppendImpossible"
    | "RecordTooLarge"
    | "TargetRefused"
    | "TargetNotCovered"
    | "GroupsNotInBackup"
    | "MetadataNotInBackup"
    | "OtherSourceCluster"
    | "GroupDenied"
    | "GroupsRepartitioned"
    | "SnapshotTaken"
    | "SnapshotDenied"
  readonly message: string
  readonly advice: string
}

export const objection = (reason: Objection["reason"], message: string, advice: string): Objection => ({
  reason,
  message,
  advice
})
