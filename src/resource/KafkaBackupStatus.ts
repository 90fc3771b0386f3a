import { DrillStatus } from "./DrillStatus.ts"
import * as Field from "./Field.ts"
import { PreflightStatus } from "./PreflightStatus.ts"
import { Timestamp } from "./Timestamp.ts"

/*
 * What the operator reports. Nothing here is the only copy: a status that is lost is computed again from Jobs, pods and
 * storage. Bounds are wide and there are no rules, so that an older or newer operator's status never blocks an update.
 */

const name = (description: string) => Field.text({ description, maxLength: 512 })
const prose = (description: string) => Field.text({ description, maxLength: 32_768 })
const count = (description: string) => Field.integer({ description, minimum: 0 })

/** Why a run exists: a slot, a new trigger value, or a first backup at once. */
export const RunCause = Field.choice(["schedule", "trigger", "once"], {
  description:
    "Why the run exists: a slot of the schedule, a new value of the trigger annotation, or (once) a resource without schedule or with spec.immediate."
})

export const Phase = Field.choice(["Pending", "Running", "Completed", "Failed"], {
  description: "Summary: Running while a run is active, else the last outcome, else Pending. Conditions say more."
})
export type Phase = typeof Phase.Type

export const Outcome = Field.choice(["success", "failed", "interrupted", "skipped"], {
  description:
    "success: complete and verified. failed, interrupted: there is no backup to restore from. skipped: slots that got no run of their own."
})
export type Outcome = typeof Outcome.Type

export const HistoryEntry = Field.object(
  {
    backupId: Field.optional(
      name("Id of the backup: resource name, date and time of its slot in UTC. Absent for skipped slots.")
    ),
    startTime: Timestamp("When the run started; for skipped slots, the first of them."),
    completionTime: Field.optional(Timestamp("When the run ended; for skipped slots, the last of them.")),
    outcome: Outcome,
    cause: Field.optional(RunCause),
    jobName: Field.optional(name("Job that ran it. Absent for a backup that was found in storage.")),
    slots: Field.optional(count("How many slots were skipped.")),
    size: Field.optional(count("Stored bytes of all objects that the backup names.")),
    records: Field.optional(count("Records in the backup.")),
    topics: Field.optional(count("Topics in the backup. Of the newest success alone.")),
    partitions: Field.optional(count("Partitions in the backup. Of the newest success alone.")),
    addedBytes: Field.optional(count("Stored bytes that this run added itself.")),
    addedRecords: Field.optional(count("Records that this run added itself.")),
    reason: Field.optional(name("Why it failed, was interrupted or skipped, in one word.")),
    message: Field.optional(prose("What happened, and what to do about it. For the newest success: its notes."))
  },
  { description: "One run and how it ended, or a gap of skipped slots." }
)
export type HistoryEntry = typeof HistoryEntry.Type

export const Condition = Field.object(
  {
    type: name("Which question this answers, for example Ready."),
    status: Field.choice(["True", "False", "Unknown"], { description: "The answer." }),
    reason: name("The answer's reason, in one word."),
    message: prose("The answer in a sentence, and what to do about it."),
    lastTransitionTime: Timestamp("When the status last changed."),
    observedGeneration: Field.optional(count("Generation of the resource that the answer is about."))
  },
  { description: "One aspect of the resource's state." }
)
export type Condition = typeof Condition.Type

export const Outage = Field.object(
  {
    target: name("The store or broker."),
    sinceTime: Timestamp("When it first failed to answer."),
    cause: prose("The last failure.")
  },
  { description: "A store or broker that does not answer; the run waits for it. Absent when there is none." }
)

export const Progress = Field.object(
  {
    partitionsTotal: count("Partitions that the run reads."),
    partitionsDone: count("Partitions read to their end."),
    recordsTotal: Field.optional(
      count("Offsets between start and end of all partitions: an upper bound on the records to read.")
    ),
    records: count("Records stored so far."),
    bytes: count("Bytes stored so far."),
    offsetsDone: Field.optional(count("Of recordsTotal, those offsets that are done.")),
    recordsPerSecond: Field.optional(count("Records per second since progress was read before.")),
    bytesPerSecond: Field.optional(count("Stored bytes per second since progress was read before.")),
    eta: Field.optional(
      Timestamp("When all offsets will be done, at the pace since progress was read before. Verification comes after.")
    ),
    percent: Field.optional(
      Field.integer({ description: "Share of the offsets that is done, in percent.", minimum: 0, maximum: 100 })
    ),
    message: Field.optional(prose("The step that the run is at, or what it is waiting for.")),
    outage: Field.optional(Outage),
    updatedTime: Timestamp("When this was read from the pod.")
  },
  { description: "How far the active run is. Absent when none is active." }
)
export type Progress = typeof Progress.Type

export const ActiveRun = Field.object(
  {
    backupId: name("Id of the backup that the run makes."),
    cause: RunCause,
    startTime: Timestamp("When the run started."),
    jobName: Field.optional(name("Job that runs it.")),
    replacing: Field.optional(
      Field.flag({
        description:
          "True while the Job is made again with a new pod, because the spec or the operator's configuration changed before a container of the run had started."
      })
    )
  },
  { description: "The run that is active. Absent when none is." }
)
export type ActiveRun = typeof ActiveRun.Type

export const PendingTrigger = Field.object(
  {
    token: name("Value of the trigger annotation."),
    firstSeenTime: Timestamp("When it was first seen; its backup is named for this time.")
  },
  { description: "A trigger that waits for the active run to end. Absent when none does." }
)

export const Damage = Field.object(
  {
    backups: count("Backups of this resource that are known to be damaged; 0 where none is."),
    message: Field.optional(prose("The first of them, what is damaged in it, and how many more there are.")),
    newestBackupId: Field.optional(name("The newest backup that is known to be damaged.")),
    newestWholeBackupId: Field.optional(
      name("The newest backup that is not known to be damaged: the one to restore from. Absent where there is none.")
    ),
    reportedTime: Timestamp("When the run, prune or listing ended that reported this.")
  },
  {
    description:
      "What is known of damage in stored backups. Absent until a run, a prune or a listing has reported it. A run that fails reports nothing, so this stays as it is."
  }
)
export type Damage = typeof Damage.Type

export const DataVerification = Field.object(
  {
    percentPerRun: Field.integer({
      description: "spec.verification.percentPerRun of the run that reported this.",
      minimum: 0,
      maximum: 100
    }),
    sinceTime: Timestamp(
      "Since when runs have read at least this share, and recorded what they read: what they promise counts from then."
    ),
    objects: count("Objects that the run read again."),
    bytes: count("Stored bytes that the run read again."),
    storedBytes: count("Stored bytes of all backups of this resource, each object counted once."),
    oldestTime: Field.optional(
      Timestamp("When the stored byte that was not read for longest was last read, or written. Absent without any.")
    ),
    remainingRuns: Field.optional(
      count("Runs until all that is stored now has been read again. Absent while the runs do not know all backups yet.")
    ),
    cutShort: Field.optional(
      Field.flag({ description: "True if the run read less than its share: it was stopped, or the storage failed." })
    ),
    reportedTime: Timestamp("When that run ended.")
  },
  {
    description:
      "What the newest successful run read again of stored backups. Absent until a run has reported it, and kept by runs that fail."
  }
)
export type DataVerification = typeof DataVerification.Type

const Locked = Field.object(
  {
    backups: count("Backups that no rule of spec.retention keeps and that the store locks."),
    firstTime: Field.optional(Timestamp("When the first of their locks ends. Absent where only holds keep them.")),
    lastTime: Field.optional(Timestamp("When the last of them ends.")),
    held: Field.optional(count("How many of them are held, so that nobody knows their end. Absent for none."))
  },
  {
    description:
      "Backups that are past retention and stay, because a retention or a hold of the store protects their objects. The first retention after a lock has ended removes them. Absent where there is none."
  }
)

export const KafkaBackupStatus = Field.object(
  {
    phase: Field.optional(Phase),
    observedGeneration: Field.optional(count("Generation of the resource that this status is about.")),
    lastBackupId: Field.optional(name("Id of the last successful backup.")),
    lastBackupTime: Field.optional(
      Timestamp("When the run of the last successful backup started: the time that its data reaches up to.")
    ),
    lastBackupCompletionTime: Field.optional(Timestamp("When the last successful backup was complete and verified.")),
    lastBackupSize: Field.optional(count("Stored bytes of the last successful backup.")),
    lastBackupSizeText: Field.optional(name("The same size for people, for example 1.07 GB.")),
    lastBackupRecords: Field.optional(count("Records in the last successful backup.")),
    lastBackupTopics: Field.optional(
      count("Topics in the last successful backup. Absent where its run did not report them.")
    ),
    lastBackupPartitions: Field.optional(
      count("Partitions in the last successful backup. Absent where its run did not report them.")
    ),
    lastBackupDuration: Field.optional(name("How long the last successful backup took, for example 5m12s.")),
    location: Field.optional(
      Field.text({
        description: "Where the backups lie, for example s3://bucket/prefix; an endpoint of the spec is not repeated.",
        maxLength: 1024
      })
    ),
    storedSize: Field.optional(
      count(
        "Stored bytes of all backups of this resource, each object counted once, as the last run that reads stored data again counted them. Absent while spec.verification.percentPerRun is 0."
      )
    ),
    storedSizeText: Field.optional(name("The same size for people.")),
    logs: Field.optional(
      name(
        "Command that shows the log of the active run, or else of the newest one. It works as long as the Job is there."
      )
    ),
    adoptedBackups: Field.optional(
      count(
        "Backups in storage that an earlier resource of this namespace, name and sourceClusterId made, and that count as this one's. Absent until there was one."
      )
    ),
    pinnedBackups: Field.optional(
      count(
        "Backups in storage that are pinned: they stay, and do not count towards retention. Absent where there is none."
      )
    ),
    locked: Field.optional(Locked),
    appliedRetention: Field.optional(
      name(
        "The rules of spec.retention that were applied last, by a run or a prune. Absent where it has no maxAge and no keep."
      )
    ),
    nextScheduledTime: Field.optional(Timestamp("The next slot. Absent without schedule and while suspended.")),
    nextText: Field.optional(
      name("The same time for people, or the word suspended while spec.suspend keeps the schedule from starting runs.")
    ),
    lastScheduledTime: Field.optional(
      Timestamp(
        "The latest slot that was run, skipped or given up; without schedule, the time from which the one-time run counts as requested."
      )
    ),
    skippedSlots: Field.optional(count("Slots that did not get a run of their own since the resource was created.")),
    observedSchedule: Field.optional(name("Schedule and time zone that the times above belong to.")),
    scheduledSince: Field.optional(
      Timestamp("Slots before this do not count: when the schedule was last changed or resumed.")
    ),
    handledTrigger: Field.optional(name("Value of the trigger annotation that was handled last.")),
    pendingTrigger: Field.optional(PendingTrigger),
    activeRun: Field.optional(ActiveRun),
    progress: Field.optional(Progress),
    backupHistory: Field.optional(
      Field.list(HistoryEntry, {
        description:
          "The newest 10 runs and gaps of skipped slots, newest first; the last success is always among them. kafka-backup list shows every backup.",
        maxItems: 200
      })
    ),
    historyTruncated: Field.optional(
      count(
        "How many backups storage holds beside those in backupHistory, as last listed. Absent when backupHistory has all."
      )
    ),
    damage: Field.optional(Damage),
    verification: Field.optional(DataVerification),
    drill: Field.optional(DrillStatus),
    preflight: Field.optional(PreflightStatus),
    conditions: Field.optional(
      Field.list(Condition, {
        description: "Answers to questions about the resource; Ready comes first.",
        maxItems: 32,
        kubernetes: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }
      })
    )
  },
  { description: "What the operator last observed. Written by the operator only." }
)
export type KafkaBackupStatus = typeof KafkaBackupStatus.Type
