import { Schema } from "effect"
import { BackupId } from "../identity/BackupId.ts"
import { RunIdentity } from "../identity/RunIdentity.ts"
import { offsetHeaderKeys } from "../segment/Segment.ts"
import { MetadataFacts } from "./ClusterMetadata.ts"
import { BaseSet, ContentSettings, segmentSettings, TopicSelectors } from "./RunPlan.ts"

/**
 * `kb-meta.json`: facts of a set that the open manifest format does not provide for; other tools may drop unknown
 * fields of a manifest. Written before the manifest. A set without it was made by another tool.
 */
export const SetFacts = Schema.Struct({
  version: Schema.Literal(1),
  backupId: BackupId,
  /** The attempt that wrote them. Absent in backups of version 0.1, like the next. */
  attempt: Schema.optionalKey(Schema.Int),
  /** Fingerprint of the manifest that these facts belong to: see Seal.ts. */
  manifestSha256: Schema.optionalKey(Schema.String),
  /** The run that made the set. Retention removes sets of its own resource only. */
  identity: RunIdentity,
  settings: ContentSettings,
  /** The backup that this one was built on; absent where everything was read. */
  base: Schema.optionalKey(BaseSet),
  /** With a base: how many backups lie behind the last one that was read in full. */
  sinceFull: Schema.optionalKey(Schema.Int),
  /** Why there is no base; absent, too, where backups are not to build on earlier ones. */
  full: Schema.optionalKey(Schema.String),
  /**
   * The folders of other backups in which the manifest names objects, ascending, with how many and their stored bytes.
   * Absent in backups that may name some without saying so here: their manifest tells.
   */
  references: Schema.optionalKey(
    Schema.Array(Schema.Struct({ folder: Schema.String, objects: Schema.Int, bytes: Schema.Int }))
  ),
  /** Header keys that the run appended to every record, in order; `export` leaves them out. */
  addedHeaders: Schema.Array(Schema.String),
  clusterId: Schema.optionalKey(Schema.String),
  selection: Schema.optionalKey(TopicSelectors),
  startedMillis: Schema.Int,
  completedMillis: Schema.Int,
  totals: Schema.Struct({
    topics: Schema.Int,
    partitions: Schema.Int,
    segments: Schema.Int,
    records: Schema.Int,
    /** Keys and values alone. */
    payloadBytes: Schema.Int,
    /** Stored bytes of all objects that the manifest names. */
    storedBytes: Schema.Int,
    /** Records that the run has read from Kafka, and their stored bytes; absent in backups of earlier versions. */
    newRecords: Schema.optionalKey(Schema.Int),
    newStoredBytes: Schema.optionalKey(Schema.Int),
    /** Stored bytes of the segments that the run has made of others; absent without any. */
    joinedStoredBytes: Schema.optionalKey(Schema.Int)
  }),
  topics: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      topicId: Schema.optionalKey(Schema.String),
      /** All partitions, also empty ones. The set holds exactly the committed records in [from, until). */
      partitions: Schema.Array(
        Schema.Struct({
          partition: Schema.Int,
          from: Schema.Int,
          until: Schema.Int,
          /**
           * Where the log began when the backup was made; absent where that is `from`. A segment of an earlier backup
           * that reaches below it is named whole; its records below are left out by a restore.
           */
          logStart: Schema.optionalKey(Schema.Int),
          /** Present if an open transaction held back the end, and the next one as in `RunPlan.PlannedPartition`. */
          highWatermark: Schema.optionalKey(Schema.Int),
          lackingSinceMillis: Schema.optionalKey(Schema.Int),
          records: Schema.Int,
          /** See LargestRecord.ts. */
          largestRecordBytes: Schema.optionalKey(Schema.Int),
          /**
           * Epoch of the leader that wrote the last batch below `until`: proves later that the log is still this one.
           */
          leaderEpoch: Schema.optionalKey(Schema.Int),
          /**
           * What the objects of earlier backups hold of `[from, until)`: all records but those that were read again.
           */
          reused: Schema.optionalKey(
            Schema.Struct({
              from: Schema.Int,
              until: Schema.Int,
              segments: Schema.Int,
              records: Schema.Int,
              storedBytes: Schema.Int
            })
          ),
          /** Why it was read in full, although the backup has a base: a name of FullReason.ts. */
          full: Schema.optionalKey(Schema.String)
        })
      )
    })
  ),
  /** What was captured of the cluster beside records; absent where nothing of the kind was asked for. */
  clusterMetadata: Schema.optionalKey(MetadataFacts),
  gaps: Schema.Array(
    Schema.Struct({
      topic: Schema.String,
      partition: Schema.Int,
      from: Schema.Int,
      until: Schema.Int,
      reason: Schema.Literals(["offset_out_of_range"])
    })
  ),
  notes: Schema.Array(Schema.String)
})
export type SetFacts = typeof SetFacts.Type

/** The part of the facts that says whose a set is and how much it holds: small, whatever the number of partitions. */
export const SetDigest = Schema.Struct({
  identity: RunIdentity,
  settings: Schema.Struct({
    sourceClusterId: Schema.optionalKey(Schema.String),
    /** Absent: records, or an earlier version wrote the digest. */
    format: Schema.optionalKey(Schema.String)
  }),
  clusterId: Schema.optionalKey(Schema.String),
  startedMillis: Schema.Int,
  completedMillis: Schema.Int,
  totals: Schema.Struct({
    records: Schema.Int,
    storedBytes: Schema.Int,
    newRecords: Schema.optionalKey(Schema.Int),
    newStoredBytes: Schema.optionalKey(Schema.Int)
  })
})
export type SetDigest = typeof SetDigest.Type

export const digest = ({
  clusterId,
  completedMillis,
  identity,
  settings: { format, sourceClusterId },
  startedMillis,
  totals: { newRecords, newStoredBytes, records, storedBytes }
}: SetFacts): SetDigest => ({
  identity,
  settings: {
    ...(sourceClusterId === undefined ? {} : { sourceClusterId }),
    ...(format === undefined ? {} : { format })
  },
  ...(clusterId === undefined ? {} : { clusterId }),
  startedMillis,
  completedMillis,
  totals: {
    records,
    storedBytes,
    ...(newRecords === undefined ? {} : { newRecords }),
    ...(newStoredBytes === undefined ? {} : { newStoredBytes })
  }
})

/** The headers that `includeOffsetHeaders` appends, in order. */
export const addedHeaders = (settings: ContentSettings): ReadonlyArray<string> =>
  offsetHeaderKeys(segmentSettings(settings).offsetHeaders)

/**
 * Why partitions were read in full although backups may build on earlier ones, and how many: for all, or for some.
 * Partitions without a record are not counted.
 */
export const fullReads = ({
  full,
  topics
}: SetFacts): ReadonlyArray<{ readonly reason: string; readonly partitions: number }> => {
  const counts = new Map<string, number>()
  for (const { partitions } of topics) {
    for (const partition of partitions) {
      const reason = partition.full ?? full
      if (reason === undefined || partition.from >= partition.until) continue
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
  }
  return [...counts].map(([reason, partitions]) => ({ reason, partitions }))
}
