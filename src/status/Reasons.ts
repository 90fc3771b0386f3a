import { maintenanceReasons } from "./MaintenanceReasons.ts"
import { preflightReasons } from "./preflight/PreflightReasons.ts"
import { restorableReasons } from "./RestorableReasons.ts"
import { storedDataReasons } from "./StoredDataReasons.ts"

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
    "Are backups made as wanted, and will the next run work, as far as a check or a run has shown? Unknown until that is known of this spec. The one to alert on: its message says what is wrong, what to do, and when the last backup succeeded.",
  Progressing: "Is a run active?",
  ScheduleValid: "Can the schedule and its time zone be used?",
  KafkaReachable:
    "Does the active run reach the Kafka cluster, or else did the newest run or check that tried, and were its credentials accepted? `.status.preflight.kafka` has the time of the newest check.",
  StorageReachable:
    "Does the active run reach the storage, or else did the newest run or check that tried, and were its credentials accepted? `.status.preflight.storage` has the time of the newest check.",
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
  BackupScheduled: {
    of: ["Ready"],
    meaning:
      "The schedule is valid, the newest run, if there was one, succeeded, and a check or a run has found everything that the next one needs."
  },
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
    meaning:
      "`spec.suspend` is true, the newest run did not fail, and a check or a run has found everything that a run needs. Only a trigger starts a backup.",
    todo: "Set `spec.suspend` to false when backups are wanted again."
  },
  BackupFailed: {
    of: ["Ready"],
    meaning: "The newest run failed. Earlier backups are untouched.",
    todo: "Do what the message says. With a schedule the next slot tries again; otherwise set the trigger annotation to a new value. Annotation `kafka.oso.sh/check` with a new value asks for a check: see `CheckPassed`."
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
  StrimziUnresolved: {
    of: ["Ready", "Restorable"],
    meaning: "`strimziRef` stands for no cluster now, so no Job can be made. The message says what is missing.",
    todo: "Do what the message says. Strimzi's resources are looked up again every minute."
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

  ...preflightReasons,

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
    meaning: "The run that is active, or else the newest run or check that tried, reached it."
  },
  NotYetTried: {
    of: ["KafkaReachable", "StorageReachable", "Verified", "SetsIntact", "DataVerified"],
    meaning: "Not checked yet: no run and no check has got that far."
  },
  SecretUnusable: {
    of: ["KafkaReachable", "StorageReachable"],
    meaning: "A check did not try it: a Secret with its credentials, or a key in that, is missing or unusable.",
    todo: "Create or correct the Secret that the message names."
  },
  BrokerUnreachable: {
    of: ["KafkaReachable"],
    meaning: "No broker gave a valid Kafka response.",
    todo: "Check `bootstrapServers`, `securityProtocol`, DNS and network policies."
  },
  TokenUnavailable: {
    of: ["KafkaReachable"],
    meaning: "No token for the brokers could be had: the server that issues it does not answer, or does not give one.",
    todo: "Check `sasl` in `kafkaCluster`, the server that the message names, and network policies."
  },
  KafkaAuthenticationFailed: {
    of: ["KafkaReachable"],
    meaning: "SASL or TLS authentication failed, at the client, at the broker, or at the server that issues tokens.",
    todo: "Check `sasl` and the Secrets of `saslSecret`, `sasl` and `tlsSecret`."
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

  ...storedDataReasons,

  ...restorableReasons,

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

  ...maintenanceReasons
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
