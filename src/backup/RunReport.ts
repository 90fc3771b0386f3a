import { Schema } from "effect"
import { BackupId } from "../identity/BackupId.ts"
import { RunIdentity } from "../identity/RunIdentity.ts"
import { MetadataFacts } from "../manifest/ClusterMetadata.ts"
import { runSteps } from "../worker/RunProgress.ts"
import { DamageSummary, VerificationSummary } from "../outcome/VerificationSummary.ts"

/** How far a run came; of a process with a shard, that shard alone. Without a plan there is nothing but the step. */
export const Reached = Schema.Struct({
  /** What the run was at when it ended. */
  step: Schema.Literals(runSteps),
  partitions: Schema.Int,
  partitionsDone: Schema.Int,
  /** Offsets to read from Kafka, and how many of them are durable: an upper bound of the records. */
  offsets: Schema.Int,
  offsetsDone: Schema.Int,
  /** Those that are not done come first; at most 100. */
  topics: Schema.Array(
    Schema.Struct({
      topic: Schema.String,
      partitions: Schema.Int,
      partitionsDone: Schema.Int,
      offsets: Schema.Int,
      offsetsDone: Schema.Int
    })
  ),
  /** How many topics there are beside these; absent for none. */
  moreTopics: Schema.optionalKey(Schema.Int),
  /** Partitions that are not at their ends, at most 100: everything below `next` is durable, `until` is exclusive. */
  open: Schema.Array(
    Schema.Struct({ topic: Schema.String, partition: Schema.Int, next: Schema.Int, until: Schema.Int })
  )
})
export type Reached = typeof Reached.Type

/** The report of one attempt of a run: stored beside the set, in the `--report` file, and shown on the terminal. */
export const RunReport = Schema.Struct({
  version: Schema.Literal(1),
  /** `shardEnded`: this process has read its shard of the backup; the last one to do so commits the backup. */
  outcome: Schema.Literals(["success", "shardEnded", "failed", "interrupted"]),
  backupId: Schema.optionalKey(BackupId),
  /** Absent if the manifest could not be read, since it says whose run this is. */
  identity: Schema.optionalKey(RunIdentity),
  attempt: Schema.optionalKey(Schema.Int),
  /** Of a run with several shards: which process this was, from 0, of how many. */
  shard: Schema.optionalKey(Schema.Struct({ index: Schema.Int, of: Schema.Int })),
  location: Schema.optionalKey(Schema.String),
  startedAt: Schema.String,
  completedAt: Schema.String,
  /** True if an earlier attempt had completed the set and this one found it proven. */
  alreadyComplete: Schema.optionalKey(Schema.Boolean),
  /** When that was: the times of the backup, not of this attempt. */
  made: Schema.optionalKey(Schema.Struct({ startedAt: Schema.String, completedAt: Schema.String })),
  /** What the segments are; absent where they are records. Of others `payloadBytes` is what Kafka has of them. */
  format: Schema.optionalKey(Schema.String),
  totals: Schema.optionalKey(
    Schema.Struct({
      topics: Schema.Int,
      partitions: Schema.Int,
      segments: Schema.Int,
      records: Schema.Int,
      payloadBytes: Schema.Int,
      storedBytes: Schema.Int,
      /** Of these, what the run itself has stored; absent for backups of earlier versions. */
      newRecords: Schema.optionalKey(Schema.Int),
      newStoredBytes: Schema.optionalKey(Schema.Int),
      /** Stored bytes of segments that were made of others; absent without any. */
      joinedStoredBytes: Schema.optionalKey(Schema.Int)
    })
  ),
  /** What was captured of the cluster beside records, and why some was not. */
  clusterMetadata: Schema.optionalKey(MetadataFacts),
  /** The earlier backup that this one builds on; absent where everything was read. */
  base: Schema.optionalKey(BackupId),
  /** What was read in full although backups may build on earlier ones: why, and how many partitions. */
  readInFull: Schema.optionalKey(
    Schema.Array(Schema.Struct({ reason: Schema.String, why: Schema.String, partitions: Schema.Int }))
  ),
  /**
   * Damaged objects of earlier backups whose offsets were read from Kafka again, at most 100 of them: `until` is
   * exclusive; `isPutBack` says that the object is right again, for all backups that name it; `lost` are the offsets
   * that Kafka had deleted, so that nobody could read them again.
   */
  healed: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        topic: Schema.String,
        partition: Schema.Int,
        from: Schema.Int,
        until: Schema.Int,
        key: Schema.String,
        isPutBack: Schema.Boolean,
        lost: Schema.optionalKey(Schema.Array(Schema.Struct({ from: Schema.Int, until: Schema.Int })))
      })
    )
  ),
  /** How many there were; absent for none. */
  healedObjects: Schema.optionalKey(Schema.Int),
  /**
   * What this attempt itself read from Kafka and stored, less than `totals` after a resume; of the process that commits
   * a backup of several shards, what all of them did.
   */
  added: Schema.optionalKey(
    Schema.Struct({ records: Schema.Int, fetchedBytes: Schema.Int, storedBytes: Schema.Int, segments: Schema.Int })
  ),
  /** How far a run without a set came: what of it is durable, and is not read again if the run is repeated. */
  reached: Schema.optionalKey(Reached),
  /** Partitions that end early because of an open transaction: records from `until` on are not in the set. */
  openTransactions: Schema.Array(
    Schema.Struct({ topic: Schema.String, partition: Schema.Int, until: Schema.Int, highWatermark: Schema.Int })
  ),
  /** Offsets that the cluster had deleted before they could be read. */
  gaps: Schema.Array(
    Schema.Struct({ topic: Schema.String, partition: Schema.Int, from: Schema.Int, until: Schema.Int })
  ),
  /** Stores and brokers that stopped answering: how often the run paused for each, and for how long in total. */
  interruptions: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        target: Schema.String,
        openings: Schema.Int,
        waitedMillis: Schema.Int,
        /** The failure that caused the last pause. */
        cause: Schema.String
      })
    )
  ),
  /** Of an interrupted run: the store, broker or Secret that it was waiting for. */
  waitedFor: Schema.optionalKey(Schema.String),
  retention: Schema.optionalKey(
    Schema.Struct({
      kept: Schema.Array(BackupId),
      removed: Schema.Array(BackupId),
      /** What became of the bytes of those that were removed, where the store does not free them. */
      afterlife: Schema.optionalKey(Schema.String),
      /** The rules that were applied, where there are others than a number of backups. */
      rules: Schema.optionalKey(Schema.String),
      /** Backups that no rule keeps and that stay, because newer ones lost what they hold. */
      heldBack: Schema.optionalKey(Schema.Array(Schema.Struct({ backupId: BackupId, why: Schema.String }))),
      /** Backups that no rule keeps and that the store protects from removal for now. */
      locked: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            backupId: BackupId,
            why: Schema.String,
            /** Where a lock of the store keeps it. */
            lock: Schema.optionalKey(
              Schema.Struct({
                untilMillis: Schema.optionalKey(Schema.Number),
                isHeld: Schema.optionalKey(Schema.Literal(true))
              })
            )
          })
        )
      )
    })
  ),
  /** What the run read again of stored backups; absent where it reads none. */
  verification: Schema.optionalKey(VerificationSummary),
  /** Backups of the resource that are known to be damaged; absent for none. */
  damaged: Schema.optionalKey(DamageSummary),
  error: Schema.optionalKey(
    Schema.Struct({ reason: Schema.String, message: Schema.String, advice: Schema.String, isRetryable: Schema.Boolean })
  ),
  exitCode: Schema.Int,
  notes: Schema.Array(Schema.String)
})
export type RunReport = typeof RunReport.Type
