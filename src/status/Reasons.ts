/** One reason of a condition: part of the API, so that alerts and scripts may rely on it. */
export interface Reason {
  /** Condition types that may carry it. */
  readonly of: ReadonlyArray<ConditionType>
  readonly meaning: string
  /** What to do; absent when nothing is to be done. */
  readonly todo?: string
}

/** Condition types in the order in which a status lists them, and the question that each answers. */
export const types = {
  Ready:
    "Are backups made as wanted? The one to alert on: its message says what is wrong, what to do, and when the last backup succeeded.",
  Progressing: "Is a run active?",
  ScheduleValid: "Can the schedule and its time zone be used?",
  KafkaReachable:
    "Does the active run reach the Kafka cluster, or else did the newest run that tried, and were its credentials accepted?",
  StorageReachable:
    "Does the active run reach the storage, or else did the newest run that tried, and were its credentials accepted?",
  Verified: "Did the newest verification find the backup in storage exactly as it was written?",
  SetsIntact:
    "Are all backups of the resource whole, as far as is known? False while one is known to be damaged: runs read stored backups again, and `kafka-backup verify --mark` records what it finds.",
  DataVerified:
    "Was every stored byte read again, or written, within the runs that `spec.verification.percentPerRun` promises, and half as many more?",
  Restorable:
    "Can the newest backup be restored? The newest drill that passed or failed answers, until it is too old. Present only with `spec.drill`.",
  Warnings: "Are there warnings that do not stop backups?",
  StorageListed:
    "Did the newest listing of storage succeed? The history learns from it which backups still exist. Absent until storage was listed or has to be.",
  RetentionApplied: "Did the newest removal of old backups succeed? Absent until there was one.",
  CleanedUp:
    "Are the stored backups of a resource with deletionPolicy Delete removed? Present only while the resource is being deleted."
} as const

export type ConditionType = keyof typeof types

const all = {
  BackupScheduled: { of: ["Ready"], meaning: "The schedule is valid and the newest run, if there was one, succeeded." },
  BackupCompleted: {
    of: ["Ready"],
    meaning: "The one-time backup is complete and verified."
  },
  AwaitingFirstBackup: {
    of: ["Ready"],
    meaning: "The one-time backup has not ended yet.",
    todo: "Wait. `Progressing` shows what it is doing."
  },
  Suspended: {
    of: ["Ready"],
    meaning: "`spec.suspend` is true and the newest run did not fail. Only a trigger starts a backup.",
    todo: "Set `spec.suspend` to false when backups are wanted again."
  },
  BackupFailed: {
    of: ["Ready"],
    meaning: "The newest run failed. Earlier backups are untouched.",
    todo: "Do what the message says. With a schedule the next slot tries again; otherwise set the trigger annotation to a new value."
  },
  BackupInterrupted: {
    of: ["Ready"],
    meaning: "The newest run was stopped before its end: its Job was deleted or its node was lost.",
    todo: "With a schedule, nothing. Otherwise set the trigger annotation to a new value. Stored data is reused."
  },
  BackupOverdue: {
    of: ["Ready"],
    meaning: "No backup has succeeded for more than two intervals of the schedule, and at least two slots have passed.",
    todo: "See `Progressing` and `.status.backupHistory`: slots may be skipped because runs take longer than the interval."
  },
  InvalidSpec: {
    of: ["Ready", "ScheduleValid"],
    meaning: "The spec cannot be used. The message lists every mistake with its field, its value and the remedy.",
    todo: "Correct the fields and apply the manifest again. Nothing is started until then."
  },
  InvalidSchedule: {
    of: ["Ready", "ScheduleValid"],
    meaning: "The schedule or its time zone is invalid, or the schedule has no more slots.",
    todo: "Correct `spec.schedule` or `spec.timeZone` as the message says."
  },
  ClockBehind: {
    of: ["Ready"],
    meaning: "A slot in the future has already run: the clock of the operator's node jumped back.",
    todo: "Correct the clock. If the clock is right now, edit the schedule to end the wait."
  },
  JobRefused: {
    of: ["Ready", "Restorable"],
    meaning:
      "A run or a drill is due but the API server rejects its Job: quota, admission policy, missing permissions. The message quotes the server.",
    todo: "Remove what blocks the Job. The operator tries again automatically."
  },
  PodTrouble: {
    of: ["Ready", "Progressing"],
    meaning:
      "A run is active but its pod cannot start or keeps failing: image, node, volume, Secret or memory. The message says which.",
    todo: "Remove the cause. The run then continues automatically within its limits. While no container has started, a correction of the spec takes effect at once, and the message says when the run fails."
  },
  BackupPaused: {
    of: ["Ready", "Progressing"],
    meaning:
      "A run has waited for a store or broker for more than 30 seconds. It continues when that answers again; without an answer for ten minutes the attempt fails, and the Job starts another one.",
    todo: "Find out why the store or broker that the message names does not answer."
  },
  Deleting: { of: ["Ready"], meaning: "The resource is being deleted. No more runs start." },

  BackupRunning: { of: ["Progressing"], meaning: "A run is active. `.status.progress` shows how far it is." },
  ReplacingJob: {
    of: ["Progressing"],
    meaning:
      "The spec or the operator's configuration changed before a container of the run had started, so its Job is made again."
  },
  Queued: {
    of: ["Progressing"],
    meaning:
      "A run is due and waits until the operator runs fewer backups at the same time. `Ready` says since when, and which place it has.",
    todo: "Wait, or raise the operator's `--max-concurrent-runs`."
  },
  NoRunActive: { of: ["Progressing"], meaning: "No run is active or queued." },

  ScheduleValid: { of: ["ScheduleValid"], meaning: "The schedule has slots." },
  NoSchedule: { of: ["ScheduleValid"], meaning: "There is no schedule: one backup is made." },

  Reached: {
    of: ["KafkaReachable", "StorageReachable"],
    meaning: "The run that is active, or else the newest run that tried, reached it."
  },
  NotYetTried: {
    of: ["KafkaReachable", "StorageReachable", "Verified", "SetsIntact", "DataVerified"],
    meaning: "Not checked yet: no run has got that far."
  },
  BrokerUnreachable: {
    of: ["KafkaReachable"],
    meaning: "No broker gave a valid Kafka response.",
    todo: "Check `bootstrapServers`, `securityProtocol`, DNS and network policies."
  },
  KafkaAuthenticationFailed: {
    of: ["KafkaReachable"],
    meaning: "SASL or TLS authentication failed, at the client or at the broker.",
    todo: "Check the Secrets of `saslSecret` and `tlsSecret`."
  },
  KafkaAuthorizationFailed: {
    of: ["KafkaReachable"],
    meaning: "The principal is authenticated, but an ACL is missing.",
    todo: "Grant what the message names."
  },
  TopicAccessDenied: {
    of: ["KafkaReachable"],
    meaning: "The principal may not describe or read topics.",
    todo: "Grant Read and Describe on them, or exclude them with `excludeTopics`."
  },
  ProtocolFailure: {
    of: ["KafkaReachable"],
    meaning: "A broker sent a response that cannot be understood.",
    todo: "Check the broker's version and log; Kafka 2.1 to 4.x are supported."
  },
  Stalled: {
    of: ["KafkaReachable"],
    meaning: "A partition did not advance within the time allowed.",
    todo: "Check the partition's leader and quotas. The next attempt resumes there."
  },
  StoreUnavailable: {
    of: ["StorageReachable"],
    meaning: "The storage does not answer, or asks to try again later.",
    todo: "Check its state and the network. The next attempt resumes where this one stopped."
  },
  StorageAuthenticationFailed: {
    of: ["StorageReachable"],
    meaning: "The storage does not accept the credentials: unknown, expired, or not usable.",
    todo: "Check the Secret or the identity that the message names."
  },
  StorageAuthorizationFailed: {
    of: ["StorageReachable"],
    meaning: "The storage does not permit it to these credentials.",
    todo: "Grant the permission that the message names."
  },
  TargetMissing: {
    of: ["StorageReachable"],
    meaning: "The bucket, container, volume or sub-path does not exist.",
    todo: "Create it or correct its name."
  },
  Misconfigured: {
    of: ["StorageReachable"],
    meaning: "The storage cannot work as configured: region, endpoint, certificate.",
    todo: "Correct the field that the message names."
  },
  OutOfSpace: {
    of: ["StorageReachable"],
    meaning: "The storage is full.",
    todo: "Free space, enlarge the volume, or keep fewer backups (`spec.retention`)."
  },

  BackupVerified: {
    of: ["Verified"],
    meaning:
      "Every segment of the newest backup was found in storage as it was written. In a bucket, its size and the server's fingerprint were compared; on a volume, it was read back and its checksum was compared."
  },
  NotProven: {
    of: ["Verified"],
    meaning:
      "The data in storage is not what was written. The backup was not declared complete; earlier backups are untouched.",
    todo: "Check the storage, then run the backup again."
  },
  SegmentDamaged: {
    of: ["Verified"],
    meaning: "A stored segment is damaged.",
    todo: "Check the storage, run `kafka-backup verify`, and make a new backup."
  },
  VerificationFailed: {
    of: ["Verified"],
    meaning: "A backup does not contain what its manifest names.",
    todo: "Check the storage, run `kafka-backup verify`, and make a new backup."
  },
  ContentMismatch: {
    of: ["Verified"],
    meaning: "Data was altered in transit or at rest.",
    todo: "Check the storage and everything between it and the backup."
  },

  NoKnownDamage: { of: ["SetsIntact"], meaning: "No backup of the resource is known to be damaged." },
  BackupsDamaged: {
    of: ["SetsIntact"],
    meaning:
      "At least one backup of the resource is known to be damaged: an object is missing, or its bytes are not those that were written. The message names the first, and the newest backup without known damage. Backups go on, and `Ready` does not change.",
    todo: "Restore from the backup that the message names. Find out what changed or removed the object. The next run reads again what Kafka still has; see [the runbook](../guides/operations.md#kafkabackupdamaged)."
  },

  DataVerified: {
    of: ["DataVerified"],
    meaning:
      "Every stored byte was read again, or written, within the promised number of runs and half as many more. The message says since when."
  },
  VerificationStarting: {
    of: ["DataVerified"],
    meaning:
      "Runs have begun to read stored backups again, and have not come round yet: after an upgrade, a larger share, a new or resumed schedule."
  },
  VerificationBehind: {
    of: ["DataVerified"],
    meaning:
      "A stored byte was not read again for more slots of the schedule than the promised runs and half as many more: runs fail, are skipped, or read less than their share.",
    todo: "See `.status.backupHistory` and the newest run's report. `kafka-backup verify BACKUP_ID --deep` reads a backup at once."
  },
  VerificationOff: {
    of: ["DataVerified"],
    meaning: "`spec.verification.percentPerRun` is 0: runs do not read stored backups again.",
    todo: "Remove the field or set a larger number, or run `kafka-backup verify --deep` by other means."
  },
  NoScheduledRuns: {
    of: ["DataVerified"],
    meaning:
      "Without a schedule, or while it is suspended, no run reads stored backups again, so nothing is promised. The message says since when every byte was read or written.",
    todo: "Run `kafka-backup verify BACKUP_ID --deep` from time to time."
  },

  DrillPassed: {
    of: ["Restorable"],
    meaning:
      "The newest drill restored a part of the newest backup and found it equal. The message has the backup, how much was compared, and how long a restore of the whole backup takes."
  },
  DrillFailed: {
    of: ["Restorable"],
    meaning:
      "The newest drill found that the backup cannot be restored, or that what was restored differs. The message says where. Backups go on, and `Ready` does not change.",
    todo: "Do what the message says, and make a new backup. Then set annotation `kafka.oso.sh/drill` to a new value."
  },
  DrillOverdue: {
    of: ["Restorable"],
    meaning:
      "No drill has passed for more than two intervals of `spec.drill.schedule`, and at least two slots have passed.",
    todo: "See `.status.drill`: drills may wait for their turn, be stopped, or fail to start."
  },
  NewestBackupDamaged: {
    of: ["Restorable"],
    meaning:
      "The newest backup is known to be damaged, whatever the newest drill has shown. `SetsIntact` has the details.",
    todo: "Restore from the backup that the message names, if there is one. The next run makes a new backup."
  },
  NoBackupYet: {
    of: ["Restorable"],
    meaning: "There is no verified backup yet, so no drill starts. One that is due starts after the first backup."
  },
  AwaitingFirstDrill: {
    of: ["Restorable"],
    meaning: "There was no drill yet. The message has the time of the next one."
  },
  DrillRunning: { of: ["Restorable"], meaning: "The first drill is running." },
  DrillIncomplete: {
    of: ["Restorable"],
    meaning: "Every drill so far was stopped or could not be carried out, so nothing is known about the backup.",
    todo: "Do what the message says, then set annotation `kafka.oso.sh/drill` to a new value."
  },

  NoWarnings: { of: ["Warnings"], meaning: "There are no warnings." },
  TriggerRefused: {
    of: ["Warnings"],
    meaning:
      "The value of an annotation that asks for a backup or a drill cannot be used, so nothing was started for it.",
    todo: "Set another value, for example `$(date +%s)`."
  },
  AnnotationUnknown: {
    of: ["Warnings"],
    meaning: "An annotation that begins with `kafka.oso.sh/` means nothing, so nothing was done for it.",
    todo: "Correct its name as the message says, or remove it."
  },
  BackupNotes: {
    of: ["Warnings"],
    meaning:
      "The newest backup is complete, but it has notes: open transactions, lost offsets, topics that are no longer visible, patterns that match nothing.",
    todo: "Read the message and decide whether to act."
  },
  StorageBlockIgnored: {
    of: ["Warnings"],
    meaning: "The manifest has blocks below `spec.storage` that `storageType` does not select. They are ignored.",
    todo: "Remove them, or correct `storageType`."
  },

  Listed: { of: ["StorageListed"], meaning: "Storage was listed; the message says how many backups it holds." },
  StatusLost: {
    of: ["StorageListed"],
    meaning:
      "The status was empty although the resource is not new. Storage is listed to find its backups; the history is incomplete until then."
  },
  ListingDue: {
    of: ["StorageListed"],
    meaning:
      "A Job was deleted before its end was observed. Storage is listed to find out whether its backup is complete."
  },
  ListingFailed: {
    of: ["StorageListed"],
    meaning: "Storage could not be listed, so the history may name backups that are gone. No backup was harmed.",
    todo: "Do what the message says. Storage is listed again by the next successful run, and once an hour."
  },

  RetentionApplied: { of: ["RetentionApplied"], meaning: "Old backups were removed, as `spec.retention` says." },
  RetentionHeldBack: {
    of: ["RetentionApplied"],
    meaning:
      "Old backups stay, because newer backups lost what they hold: a topic is gone, was created again or was emptied, or the cluster is another one.",
    todo: "Find out whether the loss is intended. If it is, set annotation `kafka.oso.sh/accept-loss` to the id of the newest backup, or to `topic:PATTERN` for topics that are removed regularly. If not, the named backup holds the data."
  },
  PruneFailed: {
    of: ["RetentionApplied"],
    meaning: "Old backups could not be removed. None was damaged; more backups are kept than wanted.",
    todo: "Do what the message says. The operator tries again about an hour later, and each run applies retention, too."
  },

  RemovingBackups: { of: ["CleanedUp"], meaning: "The clean-up Job is removing this resource's backups." },
  CleanupRetrying: {
    of: ["CleanedUp"],
    meaning:
      "An attempt to remove the backups failed. The message says why, when the next attempt starts, and when the clean-up is given up: one hour after the deletion.",
    todo: "Remove the cause that the message names. To keep the backups instead, set `spec.deletionPolicy` to Retain."
  },
  EndingRuns: { of: ["CleanedUp"], meaning: "The clean-up waits for the resource's own Jobs to stop." },
  CleanupTrouble: {
    of: ["CleanedUp"],
    meaning: "The clean-up Job is stuck.",
    todo: "Do what the message says. The clean-up is given up one hour after the deletion."
  },
  CleanupGivenUp: {
    of: ["CleanedUp"],
    meaning:
      "The clean-up did not succeed within an hour, or the namespace takes no more Jobs. It was given up so that the deletion can finish: the data stays in storage.",
    todo: "If the data should go, run the command in the message. It resumes a suspended Job that was left behind; to keep the data, delete that Job."
  },
  Retained: { of: ["CleanedUp"], meaning: "`deletionPolicy` is Retain: the backups stay in storage." },
  CleanedUp: { of: ["CleanedUp"], meaning: "This resource's backups are gone." }
} as const satisfies Readonly<Record<string, Reason>>

export type ReasonName = keyof typeof all

/** The reasons that a condition of this type may carry. */
export type ReasonOf<Type extends ConditionType> = {
  [Name in ReasonName]: Type extends (typeof all)[Name]["of"][number] ? Name : never
}[ReasonName]

/** Every reason of a condition. */
export const reasons: Readonly<Record<ReasonName, Reason>> = all

export const isKnown = (name: string): name is ReasonName => Object.hasOwn(all, name)

/** True when a condition of this type may carry the reason. */
export const isOf = <Type extends ConditionType>(name: string, type: Type): name is ReasonOf<Type> =>
  isKnown(name) && reasons[name].of.includes(type)
