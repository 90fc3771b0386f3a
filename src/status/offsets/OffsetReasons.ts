/** One reason of condition Ready: part of the API, so that alerts and scripts may rely on it. */
export interface OffsetReason {
  readonly of: ReadonlyArray<"Ready">
  readonly meaning: string
  /** What to do; absent when nothing is to be done. */
  readonly todo?: string
}

/** The types of conditions, and the question that each answers. */
export const offsetTypes = {
  Ready:
    "Is everything done? The one to wait for: until then its message says what is happening, or what is wrong and what to do."
} as const

const of = ["Ready"] as const

const all = {
  OffsetsPending: { of, meaning: "The work has not started yet: its pod is being made." },
  OffsetsRunning: { of, meaning: "The Job is at work." },
  ResetCompleted: { of, meaning: "The offsets of all groups were set and read back." },
  DryRunPassed: {
    of,
    meaning:
      "The checks of the dry run passed. Nothing was changed. The message names groups that would be left as they are.",
    todo: "Set `spec.dryRun` to `false` to start it."
  },
  SnapshotStored: { of, meaning: "The present offsets are stored." },
  RollbackCompleted: { of, meaning: "The groups have the offsets of the snapshot again: each was read back." },
  OffsetsCompared: {
    of,
    meaning:
      "The offsets were compared with those of the snapshot. With `verify.strict: false` the message names differences."
  },
  SnapshotDeleted: { of, meaning: "The snapshot is removed from storage." },
  GroupsSkipped: {
    of,
    meaning:
      "Some groups were left as they are, most often because they have members. The message names them, and says why.",
    todo: "Stop the consumers of these groups. Set the annotation `kafka.oso.sh/retry` to a new value. Groups that were set are left as they are. Groups that the status does not name have to be named in another resource: the message says so then."
  },
  OffsetsDiffer: {
    of,
    meaning: "The groups have other offsets than the snapshot. The message names some.",
    todo: "To set those of the snapshot, create a KafkaOffsetRollback with `operation: rollback`."
  },
  SnapshotUnknown: {
    of,
    meaning:
      "`spec.storage` is absent, and no KafkaRestore or KafkaOffsetReset of the namespace names the snapshot in its status, or the KafkaBackup is gone that a restore has its storage from.",
    todo: "Correct `spec.snapshotId`, or add `spec.storage`. The operator looks again every minute."
  },
  SnapshotAmbiguous: {
    of,
    meaning: "`spec.storage` is absent, and resources of the namespace name the snapshot in several storages.",
    todo: "Add `spec.storage`."
  },
  OffsetsFailed: {
    of,
    meaning: "The work failed. The message begins with the reason, and says what to do.",
    todo: "Do what the message says. Set the annotation `kafka.oso.sh/retry` to a new value. Groups that were set are left as they are."
  },
  EditTooLate: {
    of,
    meaning:
      "The spec was edited after its Job had begun. That Job did what the spec before the edit says. Nothing more is started.",
    todo: "Create another resource with the spec that you want."
  },
  InvalidSpec: {
    of,
    meaning: "The spec cannot be used. The message names every mistake.",
    todo: "Correct the spec."
  },
  JobRefused: {
    of,
    meaning: "The API server rejects the Job. The message says why. The operator tries again every minute.",
    todo: "Do what the message says."
  },
  StrimziUnresolved: {
    of,
    meaning: "`strimziRef` stands for no cluster now, so no Job can be made. The message says what is missing.",
    todo: "Do what the message says. Strimzi's resources are looked up again every minute."
  },
  PodTrouble: {
    of,
    meaning: "The pod cannot start, waits for a Secret, or keeps failing. The message says why.",
    todo: "Do what the message says."
  }
} as const satisfies Readonly<Record<string, OffsetReason>>

export type OffsetReasonName = keyof typeof all

/** Every reason of condition Ready. */
export const offsetReasons: Readonly<Record<OffsetReasonName, OffsetReason>> = all
