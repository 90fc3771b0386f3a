import * as Field from "./Field.ts"
import { Condition, Outage } from "./KafkaBackupStatus.ts"
import { groupFields } from "./OffsetStatus.ts"
import { Timestamp } from "./Timestamp.ts"

/*
 * What the operator reports about a restore. Bounds are wide and there are no rules, so that an older or newer
 * operator's status never blocks an update.
 */

const name = (description: string) => Field.text({ description, maxLength: 512 })
const prose = (description: string) => Field.text({ description, maxLength: 32_768 })
const count = (description: string) => Field.integer({ description, minimum: 0 })

/** Most entries of `restoredTopics`: the contract of the API. */
export const maxRestoredTopics = 200

export const RestorePhase = Field.choice(["Pending", "Running", "Completed", "Failed"], {
  description:
    "Pending: no pod has started. Running: the restore is active. Completed: every record was read back and compared, or all checks of the dry run passed. Failed: conditions say why."
})
export type RestorePhase = typeof RestorePhase.Type

const RestoredTopic = Field.object(
  {
    name: name("Topic in the target cluster."),
    records: count("Records of the backup in this topic, read back and compared.")
  },
  { description: "One topic of the target cluster." }
)

export const OffsetResetStatus = Field.object(
  {
    phase: Field.choice(["Pending", "Running", "Completed", "Failed"], {
      description:
        "Pending: the records come first. Running: offsets are being set. Completed: the offsets of groupsReset were set and read back. Failed: conditions say why."
    }),
    ...groupFields,
    token: Field.optional(name("Value of the annotation kafka.oso.sh/reset-offsets that was handled last.")),
    message: Field.optional(prose("What happened to the groups, and what to do about it."))
  },
  { description: "What happened to the offsets of consumer groups. Absent when none were to be set." }
)
export type OffsetResetStatus = typeof OffsetResetStatus.Type

export const RestoreProgress = Field.object(
  {
    percent: Field.optional(
      Field.integer({
        description: "Share of the records that were written, in percent.",
        minimum: 0,
        maximum: 100
      })
    ),
    records: count("Records written so far."),
    bytes: Field.optional(count("Bytes written so far.")),
    partitionsDone: count("Partitions that were written, read back and compared."),
    partitionsTotal: count("Partitions that the restore writes."),
    message: Field.optional(prose("The step that the restore is at, or what it is waiting for.")),
    outage: Field.optional(Outage),
    eta: Field.optional(
      Timestamp("When all records will be written, if it goes on as it did so far. Reading back takes longer.")
    ),
    updatedTime: Timestamp("When this was read from the pod.")
  },
  { description: "How far the restore is." }
)
export type RestoreProgress = typeof RestoreProgress.Type

const RestoredOffsets = Field.object(
  {
    exact: count("Topics whose records have the offsets of the backup."),
    renumbered: count("Topics whose records have new offsets.")
  },
  { description: "How the records of the restored topics are numbered." }
)

const ResolvedBackup = Field.object(
  {
    backupId: name("Id of the backup."),
    capturedAt: Field.optional(Timestamp("When the run of the backup started.")),
    coversFrom: Field.optional(Timestamp("Smallest timestamp of the records in the backup.")),
    coversUntil: Field.optional(Timestamp("Latest point in time that can be restored from the backup.")),
    why: Field.optional(prose("Why it is this backup, where the spec names none."))
  },
  { description: "The backup that is restored. It stays the same once the restore has begun to write." }
)

export const KafkaRestoreStatus = Field.object(
  {
    phase: Field.optional(RestorePhase),
    observedGeneration: Field.optional(count("Generation of the resource that this status is about.")),
    startTime: Field.optional(Timestamp("When the restore started.")),
    startedWriting: Field.optional(
      Timestamp("When the restore began to write into the target cluster. The spec cannot be changed from then on.")
    ),
    completionTime: Field.optional(Timestamp("When the restore ended: completed or failed.")),
    resolved: Field.optional(ResolvedBackup),
    jobName: Field.optional(name("Job that runs the restore.")),
    progress: Field.optional(RestoreProgress),
    restoredRecords: Field.optional(count("Records that were written, read back and compared.")),
    restoredTopics: Field.optional(
      Field.list(RestoredTopic, {
        description: `The first ${maxRestoredTopics} topics of the target cluster that were restored, by name.`,
        maxItems: maxRestoredTopics
      })
    ),
    offsets: Field.optional(RestoredOffsets),
    offsetResetStatus: Field.optional(OffsetResetStatus),
    rollbackSnapshotId: Field.optional(
      name("Snapshot of the consumer groups' offsets in the target cluster, made before the first write.")
    ),
    deletedTopics: Field.optional(
      Field.list(name("Topic of the target cluster."), {
        description: `Topics that the restore had created and deleted again, because it failed with onFailure DeleteCreated; at most ${maxRestoredTopics}.`,
        maxItems: maxRestoredTopics
      })
    ),
    message: Field.optional(prose("How the restore ended, in a sentence.")),
    conditions: Field.optional(
      Field.list(Condition, {
        description: "Answers to questions about the restore; Ready comes first.",
        maxItems: 32,
        kubernetes: { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }
      })
    )
  },
  { description: "What the operator last observed. Written by the operator only." }
)
export type KafkaRestoreStatus = typeof KafkaRestoreStatus.Type
