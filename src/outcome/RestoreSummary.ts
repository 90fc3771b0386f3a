import { Schema } from "effect"

/** One topic of the target cluster. */
export const RestoredTopic = Schema.Struct({
  name: Schema.String,
  records: Schema.Int,
  /** Present: its records get new offsets, and why. */
  renumbered: Schema.optionalKey(Schema.String)
})
export type RestoredTopic = typeof RestoredTopic.Type

/** What became of consumer groups: all of them as numbers, and as many by name as a summary has room for. */
export const GroupsSummary = Schema.Struct({
  reset: Schema.Int,
  skipped: Schema.Int,
  groupsReset: Schema.Array(Schema.String),
  groupsSkipped: Schema.Array(Schema.Struct({ group: Schema.String, reason: Schema.String }))
})
export type GroupsSummary = typeof GroupsSummary.Type

/** Topics that a failed restore had created: all of them as numbers, and as many by name as there is room for. */
export const RemovedSummary = Schema.Struct({
  deleted: Schema.Int,
  kept: Schema.Int,
  deletedTopics: Schema.Array(Schema.String),
  keptTopics: Schema.Array(Schema.String)
})
export type RemovedSummary = typeof RemovedSummary.Type

/** The backup that a restore takes. Times are milliseconds since 1970. */
export const ResolvedBackup = Schema.Struct({
  backupId: Schema.String,
  /** When its run started, or, of another tool, its newest upload. */
  capturedMillis: Schema.Int,
  /** Smallest timestamp of its records; absent where the backup does not say, and where it has no records. */
  coversFromMillis: Schema.optionalKey(Schema.Int),
  /** A point in time up to here can be restored. */
  coversUntilMillis: Schema.Int,
  /** Why it is this one, where the restore chose it. */
  why: Schema.optionalKey(Schema.String)
})
export type ResolvedBackup = typeof ResolvedBackup.Type

/** What a summary says about a restore, beside what every command says. */
export const RestoreSummary = Schema.Struct({
  /** Nothing was written, as asked for. */
  dryRun: Schema.optionalKey(Schema.Boolean),
  /** The backup; absent where none was found. */
  resolved: Schema.optionalKey(ResolvedBackup),
  /** When this attempt began to write into the target cluster; RFC 3339, UTC. Absent: it has not. */
  startedWriting: Schema.optionalKey(Schema.String),
  /** Everything that stood against the restore, one word for each kind. */
  objections: Schema.optionalKey(Schema.Array(Schema.String)),
  /**
   * Brokers keep old records of the restored topics, until somebody ends the hold. Absent: the topics have the
   * retention of the backup, or the restore did not get that far.
   */
  held: Schema.optionalKey(Schema.Boolean),
  /** Nothing ends that hold but a person: the restore may not remember it. */
  holdWithoutEnd: Schema.optionalKey(Schema.Boolean),
  /** The snapshot with the former offsets of consumer groups, once it is stored. */
  rollbackSnapshotId: Schema.optionalKey(Schema.String),
  /** What became of the topics that it had created; absent unless it failed for good and was to delete them. */
  removed: Schema.optionalKey(RemovedSummary),
  /** Absent: no group was to be changed, or the restore failed before. */
  groups: Schema.optionalKey(GroupsSummary),
  /** The plan; absent where none was made. */
  plan: Schema.optionalKey(
    Schema.Struct({
      records: Schema.Int,
      partitions: Schema.Int,
      /** Topics with the offsets of the backup. */
      exact: Schema.Int,
      /** Topics with new offsets. */
      renumbered: Schema.Int,
      /** The first topics by name; those with new offsets come first. May be fewer than `exact` and `renumbered`. */
      topics: Schema.Array(RestoredTopic)
    })
  )
})
export type RestoreSummary = typeof RestoreSummary.Type
