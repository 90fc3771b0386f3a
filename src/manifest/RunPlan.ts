import { Schema } from "effect"
import { BackupId } from "../identity/BackupId.ts"
import { RunIdentity } from "../identity/RunIdentity.ts"
import { ClusterMetadata } from "./ClusterMetadata.ts"
import { FullReason } from "./FullReason.ts"
import type { SegmentSettings } from "../segment/Segment.ts"

/** The backup that a run builds on, and the fingerprint of its manifest: see Seal.ts. */
export const BaseSet = Schema.Struct({ backupId: BackupId, manifestSha256: Schema.optionalKey(Schema.String) })
export type BaseSet = typeof BaseSet.Type

/** The part of a plan for one partition. A plan is fixed before any data is read, and is the same for all attempts. */
export const PlannedPartition = Schema.Struct({
  partition: Schema.Int,
  /** First offset of the backup: the log's start, or that of the first object that is taken over, if that is lower. */
  from: Schema.Int,
  /** First offset NOT to read: the last stable offset when the run began. */
  until: Schema.Int,
  /** Present if an open transaction holds back the end: the high watermark at that time. */
  highWatermark: Schema.optionalKey(Schema.Int),
  /**
   * With it: every record behind `until` was written after this time, milliseconds since 1970. Absent: nobody knows.
   * See HeldBack.ts.
   */
  lackingSinceMillis: Schema.optionalKey(Schema.Int),
  /** Present: the base's objects stand for the offsets below. */
  reused: Schema.optionalKey(
    Schema.Struct({
      /** First offset to read. */
      until: Schema.Int,
      /** The log's start: where reading begins if the base is lost. */
      logStart: Schema.Int,
      /** Epoch of the leader that wrote the last batch below `until`. */
      leaderEpoch: Schema.optionalKey(Schema.Int),
      /** Of a compacted topic: until when reading must be over. See `Reuse.readByMillis`. */
      readByMillis: Schema.optionalKey(Schema.Int),
      /** Segments of the base that are missing or altered, by their first offsets: they are read again. */
      damaged: Schema.optionalKey(Schema.Array(Schema.Int))
    })
  ),
  /** Why everything is read, although there is a base. */
  full: Schema.optionalKey(FullReason)
})
export type PlannedPartition = typeof PlannedPartition.Type

export const PlannedTopic = Schema.Struct({
  name: Schema.String,
  topicId: Schema.optionalKey(Schema.String),
  replicationFactor: Schema.Int,
  /** Topic-level configuration; absent without permission to read it. */
  configs: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** All partitions, empty ones included, ascending. */
  partitions: Schema.Array(PlannedPartition)
})
export type PlannedTopic = typeof PlannedTopic.Type

export const PlannedGroup = Schema.Struct({
  groupId: Schema.String,
  /** Absent: the brokers do not report it, as before Kafka 3.8, or the plan is of version 0.1. */
  type: Schema.optionalKey(Schema.Literals(["classic", "consumer", "share", "streams"])),
  offsets: Schema.Array(
    Schema.Struct({
      topic: Schema.String,
      partition: Schema.Int,
      offset: Schema.Int,
      metadata: Schema.optionalKey(Schema.String),
      leaderEpoch: Schema.optionalKey(Schema.Int)
    })
  )
})
export type PlannedGroup = typeof PlannedGroup.Type

/** How segments are written; all attempts of a run use the settings of the first. */
export const ContentSettings = Schema.Struct({
  /** Absent: records, as in the plans and backups of versions that knew no other. */
  format: Schema.optionalKey(Schema.Literals(["records", "batches"])),
  compression: Schema.Literals(["zstd", "lz4", "none"]),
  compressionLevel: Schema.Int,
  includeOffsetHeaders: Schema.Boolean,
  sourceClusterId: Schema.optionalKey(Schema.String)
})
export type ContentSettings = typeof ContentSettings.Type

/** The format of the segments, by the name that users give it. */
export const formatOf = ({ format }: Pick<ContentSettings, "format">): "records" | "batches" => format ?? "records"

/** The same, as those who write segments take it. */
export const segmentSettings = (settings: ContentSettings): SegmentSettings => ({
  compression: settings.compression,
  level: settings.compressionLevel,
  ...(settings.includeOffsetHeaders
    ? { offsetHeaders: settings.sourceClusterId === undefined ? {} : { sourceClusterId: settings.sourceClusterId } }
    : {})
})

/** What the spec selected topics by: tells a topic that was lost from one that is no longer wanted. */
export const TopicSelectors = Schema.Struct({
  topics: Schema.Array(Schema.String),
  excludeTopics: Schema.Array(Schema.String)
})

export const RunPlan = Schema.Struct({
  /**
   * 2 with a base; 3 with batches, or with shards, base or not. Versions without incremental backups read 1 alone: they
   * would leave out what is taken over. Versions that know no batches and no shards read 1 and 2: they would go on with
   * records, or take one shard for everything that was stored.
   */
  version: Schema.Literals([1, 2, 3]),
  backupId: BackupId,
  identity: RunIdentity,
  createdMillis: Schema.Int,
  clusterId: Schema.optionalKey(Schema.String),
  bootstrapServers: Schema.Array(Schema.String),
  /** Absent: the run reads everything. */
  base: Schema.optionalKey(BaseSet),
  /** With a base: how many backups lie behind the last one that was read in full. */
  sinceFull: Schema.optionalKey(Schema.Int),
  /** Why there is no base, although backups may build on earlier ones. */
  full: Schema.optionalKey(FullReason),
  settings: ContentSettings,
  /** How many shards read it, 2 to 64, whatever the spec says later. Absent: one, which is the whole run. */
  shards: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 64 }))),
  selection: Schema.optionalKey(TopicSelectors),
  topics: Schema.Array(PlannedTopic),
  /** Absent without permission to list or describe groups. */
  groups: Schema.optionalKey(Schema.Array(PlannedGroup)),
  /** Absent: nothing of the kind was asked for, or an earlier version made the plan. */
  clusterMetadata: Schema.optionalKey(ClusterMetadata),
  /** Notes for the report: missing permissions, patterns without a match. */
  notes: Schema.Array(Schema.String)
})
export type RunPlan = typeof RunPlan.Type

/** First offset that a run reads of a partition, where it takes over what it planned to. */
export const readFrom = ({ from, reused }: PlannedPartition): number => reused?.until ?? from

/** Offsets to read: an upper bound of the records, since compaction and transactions leave holes. */
export const plannedOffsets = (plan: RunPlan): number =>
  plan.topics.reduce((sum, topic) => sum + topic.partitions.reduce((s, p) => s + (p.until - readFrom(p)), 0), 0)

/** Partitions whose end an open transaction holds back, of a plan or of the facts of a set. */
export const heldBack = (of: {
  readonly topics: ReadonlyArray<{
    readonly name: string
    readonly partitions: ReadonlyArray<Pick<PlannedPartition, "highWatermark" | "partition" | "until">>
  }>
}) =>
  of.topics.flatMap((topic) =>
    topic.partitions.flatMap((p) =>
      p.highWatermark === undefined
        ? []
        : [{ topic: topic.name, partition: p.partition, until: p.until, highWatermark: p.highWatermark }]
    )
  )
