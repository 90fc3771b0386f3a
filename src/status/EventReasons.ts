import { preflightEvents } from "./preflight/PreflightReasons.ts"

/** One reason of an Event: part of the API, like the reasons of conditions. */
export interface EventReason {
  readonly type: "Normal" | "Warning"
  /** What the operator was doing. */
  readonly action: string
  readonly meaning: string
}

const all = {
  BackupStarted: { type: "Normal", action: "Backup", meaning: "A run started. The note names its cause and its Job." },
  BackupSucceeded: { type: "Normal", action: "Backup", meaning: "A backup is complete and verified." },
  BackupFailed: {
    type: "Warning",
    action: "Backup",
    meaning: "A run failed. The note says what happened and what to do."
  },
  BackupInterrupted: { type: "Warning", action: "Backup", meaning: "A run was stopped before its end." },
  BackupPaused: {
    type: "Warning",
    action: "Backup",
    meaning: "A run has waited for a store or broker for more than 30 seconds. Once for each pause."
  },
  BackupResumed: { type: "Normal", action: "Backup", meaning: "What a paused run waited for answers again." },
  BackupOverdue: {
    type: "Warning",
    action: "Schedule",
    meaning: "No backup has succeeded for more than two intervals of the schedule."
  },
  SlotsSkipped: {
    type: "Warning",
    action: "Schedule",
    meaning:
      "Slots of the schedule get no run of their own. One Event for each gap, with its first and last slot and the reason."
  },
  ClockBehind: {
    type: "Warning",
    action: "Schedule",
    meaning: "The clock jumped back: slots wait until it has caught up."
  },
  TriggerRefused: {
    type: "Warning",
    action: "Trigger",
    meaning: "The value of an annotation that asks for a backup or a drill cannot be used; nothing was started."
  },
  AnnotationUnknown: {
    type: "Warning",
    action: "Validate",
    meaning: "An annotation that begins with `kafka.oso.sh/` means nothing. The note has those that are known."
  },
  InvalidSpec: {
    type: "Warning",
    action: "Validate",
    meaning: "The spec cannot be used. The note names every mistake."
  },
  InvalidSchedule: { type: "Warning", action: "Validate", meaning: "The schedule or its time zone cannot be used." },
  BackupMissing: {
    type: "Warning",
    action: "Restore",
    meaning: "The KafkaBackup that a restore refers to does not exist, or cannot be used."
  },
  JobRefused: { type: "Warning", action: "CreateJob", meaning: "The API server rejects the Job of a run." },
  StrimziUnresolved: {
    type: "Warning",
    action: "CreateJob",
    meaning:
      "`strimziRef` stands for no cluster now, so no Job can be made. The note says what is missing. One for each cause."
  },
  PodTrouble: {
    type: "Warning",
    action: "Backup",
    meaning: "The pod of the active run cannot start or keeps failing."
  },
  JobReplaced: {
    type: "Normal",
    action: "Backup",
    meaning:
      "The Job of a run is made again, because the spec or the operator's configuration changed before a container had started."
  },
  BackupsPruned: {
    type: "Normal",
    action: "Prune",
    meaning: "Backups that no rule of `spec.retention` keeps were removed."
  },
  TriggerHandledBefore: {
    type: "Warning",
    action: "StartRun",
    meaning:
      "A value of an annotation that asks for a backup or a drill was used before. Its backup or drill exists, and no new one was made."
  },
  BackupsAdopted: {
    type: "Normal",
    action: "Adopt",
    meaning:
      "Storage has backups that an earlier resource of this namespace, name and sourceClusterId made. They count as backups of this one. Said once for a resource."
  },
  RetentionHeldBack: {
    type: "Warning",
    action: "Prune",
    meaning: "Old backups were not removed, because newer backups lost what they hold."
  },
  BackupsLocked: {
    type: "Normal",
    action: "Prune",
    meaning:
      "Backups that are past retention stay, because the store locks them. Said when the first is found, and again when there are more."
  },
  PruneFailed: { type: "Warning", action: "Prune", meaning: "Old backups could not be removed." },
  BackupsDamaged: {
    type: "Warning",
    action: "Verify",
    meaning:
      "Backups are known to be damaged. The note has the first, and the newest backup without known damage. Again when what is known changes."
  },
  BackupsIntact: {
    type: "Normal",
    action: "Verify",
    meaning: "No backup is known to be damaged any more: what was damaged is whole again, or its backups are gone."
  },
  VerificationBehind: {
    type: "Warning",
    action: "Verify",
    meaning: "Stored backups are not read again as often as `spec.verification.percentPerRun` promises."
  },
  VerificationCaughtUp: {
    type: "Normal",
    action: "Verify",
    meaning: "Stored backups are read again as often as promised, after they were not."
  },
  ListingFailed: { type: "Warning", action: "List", meaning: "Storage could not be listed." },
  CleanupStarted: {
    type: "Normal",
    action: "CleanUp",
    meaning: "The resource is being deleted, and the clean-up that `deletionPolicy: Delete` asks for has started."
  },
  CleanupRetrying: {
    type: "Warning",
    action: "CleanUp",
    meaning: "An attempt to remove the backups failed. The note says why, and when the next attempt starts."
  },
  CleanupTrouble: { type: "Warning", action: "CleanUp", meaning: "The clean-up Job is stuck." },
  CleanupGivenUp: {
    type: "Warning",
    action: "CleanUp",
    meaning:
      "The clean-up was given up so that the deletion can finish; the data stays in storage. The note ends with the command that removes it."
  },
  ...preflightEvents,
  DrillStarted: { type: "Normal", action: "Drill", meaning: "A drill started. The note names its cause and its Job." },
  DrillPassed: {
    type: "Normal",
    action: "Drill",
    meaning:
      "A drill restored a part of the newest backup and found it equal. The note says how much, and how long a whole restore takes."
  },
  DrillFailed: {
    type: "Warning",
    action: "Drill",
    meaning: "A drill found that a backup cannot be restored, or that what was restored differs. The note says where."
  },
  DrillIncomplete: {
    type: "Warning",
    action: "Drill",
    meaning: "A drill was stopped or could not be carried out, so it shows nothing about the backup."
  },
  DrillOverdue: {
    type: "Warning",
    action: "Schedule",
    meaning: "No drill has passed for more than two intervals of `spec.drill.schedule`."
  },
  DrillTrouble: {
    type: "Warning",
    action: "Drill",
    meaning:
      "The API server rejects the Job of a drill, its pod cannot start or keeps failing, or the `strimziRef` of its target stands for no cluster."
  },
  RestoreStarted: {
    type: "Normal",
    action: "Restore",
    meaning: "A Job of a KafkaRestore was made. The note names it and the backup."
  },
  RestoreWriting: {
    type: "Normal",
    action: "Restore",
    meaning: "A restore began to write. From then on its spec cannot be changed."
  },
  RestoreCompleted: {
    type: "Normal",
    action: "Restore",
    meaning: "Every record was written, read back and compared."
  },
  DryRunPassed: { type: "Normal", action: "Restore", meaning: "All checks of a dry run passed. Nothing was written." },
  RestoreFailed: {
    type: "Warning",
    action: "Restore",
    meaning: "A restore or its dry run failed. The note says what happened and what to do."
  },
  RetentionHoldEnded: {
    type: "Normal",
    action: "Restore",
    meaning:
      "The topics of a complete restore got the retention of the backup. Brokers remove old records within minutes."
  },
  RetentionHoldNotEnded: {
    type: "Warning",
    action: "Restore",
    meaning: "The topics of a complete restore could not be given the retention of the backup. The note says why."
  },
  RetentionHoldLeft: {
    type: "Warning",
    action: "Restore",
    meaning:
      "A KafkaRestore was deleted before its retention hold ended. Its topics keep everything until somebody sets their retention."
  },
  RestoreGroupsSet: {
    type: "Normal",
    action: "Restore",
    meaning: "The annotation `kafka.oso.sh/reset-offsets` was followed: all groups have their offsets."
  },
  RestoreGroupsLeft: {
    type: "Warning",
    action: "Restore",
    meaning:
      "The annotation `kafka.oso.sh/reset-offsets` was followed, and groups are still as they were. The note says why."
  },
  RestoreCancelled: {
    type: "Warning",
    action: "Restore",
    meaning: "A KafkaRestore was deleted while it was at work. Its Job is stopped, and topics stay as they are."
  },
  OffsetsStarted: {
    type: "Normal",
    action: "SetOffsets",
    meaning: "A Job of a KafkaOffsetReset or KafkaOffsetRollback was made. The note names it."
  },
  OffsetsCompleted: {
    type: "Normal",
    action: "SetOffsets",
    meaning: "A KafkaOffsetReset or KafkaOffsetRollback has done what it says. The note has the result."
  },
  OffsetsFailed: {
    type: "Warning",
    action: "SetOffsets",
    meaning:
      "A KafkaOffsetReset or KafkaOffsetRollback failed, or left groups as they are. The note says why and what to do."
  },
  OffsetsCancelled: {
    type: "Warning",
    action: "SetOffsets",
    meaning:
      "A KafkaOffsetReset or KafkaOffsetRollback was deleted while it was at work. Its Job is stopped, and offsets that were set stay as they are."
  },
  CleanupFinished: { type: "Normal", action: "CleanUp", meaning: "The resource's backups are removed." }
} as const satisfies Readonly<Record<string, EventReason>>

export type EventReasonName = keyof typeof all

/** Every reason of an Event. */
export const eventReasons: Readonly<Record<EventReasonName, EventReason>> = all
