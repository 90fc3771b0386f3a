/** One reason of a condition: part of the API, so that alerts and scripts may rely on it. */
export interface Reason {
  /** Condition types that may carry it. */
  readonly of: ReadonlyArray<string>
  readonly meaning: string
  /** What to do; absent when nothing is to be done. */
  readonly todo?: string
}

/** Condition types in the order in which a status lists them, and the question that each answers. */
export const types = {
  Ready:
    "Are backups made as wanted? The one to alert on: its message says what is wrong, what to do, and when the last backup succeeded.",
  Progressing: "Does a run go on now?",
  ScheduleValid: "Can the schedule and its time zone be used?",
  KafkaReachable: "Did the newest run that came so far reach the cluster and find its credentials accepted?",
  StorageReachable: "Did the newest run that came so far reach the storage and find its credentials accepted?",
  Verified: "Was the newest backup that was checked found in storage exactly as it was written?",
  Warnings: "Is there something worth knowing that does not stop backups?",
  StorageListed:
    "Did the newest listing of storage work, from which the history learns which backups are still there? Absent until there was one.",
  RetentionApplied: "Did the newest removal of old backups work? Absent until there was one.",
  CleanedUp: "Is the stored data of a resource with deletionPolicy Delete gone? Only while it is being deleted."
} as const

export type ConditionType = keyof typeof types

const all = {
  BackupScheduled: { of: ["Ready"], meaning: "The schedule is valid and the newest run, if there was one, succeeded." },
  BackupCompleted: {
    of: ["Ready"],
    meaning: "The one backup of a resource without schedule is complete and verified."
  },
  AwaitingFirstBackup: {
    of: ["Ready"],
    meaning: "The one backup of a resource without schedule has not ended yet.",
    todo: "Wait; `Progressing` says what it is doing."
  },
  Suspended: {
    of: ["Ready"],
    meaning: "`spec.suspend` is true and the newest run did not fail. No backup starts but by trigger.",
    todo: "Set `spec.suspend` to false when backups are wanted again."
  },
  BackupFailed: {
    of: ["Ready"],
    meaning: "The newest run failed. Earlier backups are untouched.",
    todo: "Do what the message says. A schedule tries again by itself; otherwise set the trigger annotation to a new value."
  },
  BackupInterrupted: {
    of: ["Ready"],
    meaning: "The newest run was stopped before its end: its Job was deleted or its node went away.",
    todo: "Nothing with a schedule; otherwise set the trigger annotation to a new value. What was stored is used again."
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
    meaning: "The schedule or its time zone cannot be used, or has no slot any more.",
    todo: "Correct `spec.schedule` or `spec.timeZone` as the message says."
  },
  ClockBehind: {
    of: ["Ready"],
    meaning: "A slot that lies in the future was run already: the clock of the operator's node jumped.",
    todo: "Correct the clock. Should it be right now, edit the schedule: that ends the wait."
  },
  JobRefused: {
    of: ["Ready"],
    meaning:
      "A run is due and the API server does not take its Job: quota, admission policy, missing rights. Its words are in the message.",
    todo: "Remove what forbids the Job. It is tried again by itself."
  },
  PodTrouble: {
    of: ["Ready", "Progressing"],
    meaning:
      "A run is active but its pod cannot start or keeps failing: image, node, volume, Secret or memory. The message says which.",
    todo: "Remove the cause; the Job goes on by itself within its limits."
  },
  Deleting: { of: ["Ready"], meaning: "The resource is being deleted. No run starts any more." },

  BackupRunning: { of: ["Progressing"], meaning: "A run is active. How far it is: `.status.progress`." },
  Queued: {
    of: ["Progressing"],
    meaning: "A run is due and waits until the operator runs fewer backups at the same time.",
    todo: "Wait, or raise the operator's limit of parallel runs."
  },
  NoRunActive: { of: ["Progressing"], meaning: "No run is active or waiting." },

  ScheduleValid: { of: ["ScheduleValid"], meaning: "The schedule has slots." },
  NoSchedule: { of: ["ScheduleValid"], meaning: "There is no schedule: one backup is made." },

  Reached: { of: ["KafkaReachable", "StorageReachable"], meaning: "The newest run that got so far reached it." },
  NotYetTried: {
    of: ["KafkaReachable", "StorageReachable", "Verified"],
    meaning: "No run has come so far yet."
  },
  BrokerUnreachable: {
    of: ["KafkaReachable"],
    meaning: "No broker answered as a Kafka broker would.",
    todo: "Check `bootstrapServers`, `securityProtocol`, DNS and network policies."
  },
  KafkaAuthenticationFailed: {
    of: ["KafkaReachable"],
    meaning: "SASL or TLS authentication failed, on our side or the broker's.",
    todo: "Check the Secrets of `saslSecret` and `tlsSecret`."
  },
  KafkaAuthorizationFailed: {
    of: ["KafkaReachable"],
    meaning: "The cluster knows the principal, but an ACL is missing.",
    todo: "Grant what the message names."
  },
  TopicAccessDenied: {
    of: ["KafkaReachable"],
    meaning: "Topics may not be described or read by the principal.",
    todo: "Grant Read and Describe on them, or exclude them with `excludeTopics`."
  },
  ProtocolFailure: {
    of: ["KafkaReachable"],
    meaning: "A broker answered what cannot be understood.",
    todo: "Check the broker's version and log; Kafka 2.1 to 4.x are supported."
  },
  Stalled: {
    of: ["KafkaReachable"],
    meaning: "A partition did not advance within the time allowed.",
    todo: "Check the partition's leader and quotas. The next attempt resumes there."
  },
  StoreUnavailable: {
    of: ["StorageReachable"],
    meaning: "The storage does not answer, or asks to come later.",
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
    meaning: "Bucket, container, volume or sub-path does not exist.",
    todo: "Create it or correct its name."
  },
  Misconfigured: {
    of: ["StorageReachable"],
    meaning: "The storage cannot work as configured: region, endpoint, certificate.",
    todo: "Correct the field that the message names."
  },
  OutOfSpace: {
    of: ["StorageReachable"],
    meaning: "There is no room left.",
    todo: "Free space, enlarge the volume, or lower `retention.backups`."
  },

  BackupVerified: {
    of: ["Verified"],
    meaning: "Everything that the newest backup names was read back or checked as stored."
  },
  NotProven: {
    of: ["Verified"],
    meaning: "What was stored is not what is there. The set was not declared complete; earlier backups are untouched.",
    todo: "Check the store, then let the run be tried again."
  },
  SegmentDamaged: {
    of: ["Verified"],
    meaning: "A stored segment is damaged.",
    todo: "Check the store, run `kafka-backup verify`, and let a new backup be made."
  },
  VerificationFailed: {
    of: ["Verified"],
    meaning: "A set does not hold what it says.",
    todo: "Check the store, run `kafka-backup verify`, and let a new backup be made."
  },
  ContentMismatch: {
    of: ["Verified"],
    meaning: "Bytes were altered on the way or at rest.",
    todo: "Check the store and what stands between it and the backup."
  },

  NoWarnings: { of: ["Warnings"], meaning: "Nothing is worth a warning." },
  TriggerRefused: {
    of: ["Warnings"],
    meaning: "The value of the trigger annotation cannot be used. No backup was started for it.",
    todo: "Set another value, for example `$(date +%s)`."
  },
  BackupNotes: {
    of: ["Warnings"],
    meaning:
      "The newest backup is complete, but there is something to know: open transactions, lost offsets, topics that are no longer visible, patterns that match nothing.",
    todo: "Read the message; whether to act depends on it."
  },
  StorageBlockIgnored: {
    of: ["Warnings"],
    meaning: "The manifest has blocks below `spec.storage` that `storageType` does not name. They are ignored.",
    todo: "Remove them, or correct `storageType`."
  },

  Listed: { of: ["StorageListed"], meaning: "Storage was listed; the message says how many backups it holds." },
  ListingFailed: {
    of: ["StorageListed"],
    meaning: "Storage could not be listed, so the history may name backups that are gone. No backup was harmed.",
    todo: "Do what the message says. Every run lists storage again."
  },

  RetentionApplied: { of: ["RetentionApplied"], meaning: "Old backups were removed as `retention.backups` says." },
  PruneFailed: {
    of: ["RetentionApplied"],
    meaning: "Old backups could not be removed. None was damaged; more than wanted are kept.",
    todo: "Do what the message says. It is tried again after the next backup."
  },

  RemovingBackups: { of: ["CleanedUp"], meaning: "The clean-up Job is removing this resource's backups." },
  EndingRuns: { of: ["CleanedUp"], meaning: "The clean-up waits for the resource's own Jobs to stop." },
  CleanupTrouble: {
    of: ["CleanedUp"],
    meaning: "The clean-up Job does not get on.",
    todo: "Do what the message says, within the hour after which the clean-up is given up."
  },
  CleanupGivenUp: {
    of: ["CleanedUp"],
    meaning:
      "The clean-up failed or took too long and was given up, so that the deletion can end: the data stays in storage.",
    todo: "Remove it by hand, if it is to go; the message says how."
  },
  Retained: { of: ["CleanedUp"], meaning: "`deletionPolicy` is Retain: the backups stay in storage." },
  CleanedUp: { of: ["CleanedUp"], meaning: "This resource's backups are gone." }
} as const satisfies Readonly<Record<string, Reason>>

export type ReasonName = keyof typeof all

/** Every reason of a condition. */
export const reasons: Readonly<Record<ReasonName, Reason>> = all

export const isKnown = (name: string): name is ReasonName => Object.hasOwn(all, name)

/** True when a condition of this type may carry the reason. */
export const isOf = (name: string, type: ConditionType): name is ReasonName =>
  isKnown(name) && reasons[name].of.includes(type)
