import { Context, type Effect, type Scope, type Stream } from "effect"
import type { AccessReading } from "./AccessRules.ts"
import type { BrokerGuards } from "./BrokerGuards.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { KafkaTarget } from "./KafkaTarget.ts"
import type { TopicCleanup } from "./TopicCleanup.ts"
import type { RecordBatch } from "./batch/RecordBatch.ts"

export interface PartitionInfo {
  readonly partition: number
  /** Node id of the leader, -1 while there is none. */
  readonly leader: number
  readonly replicas: number
}

export interface TopicInfo {
  readonly name: string
  /** KIP-516 id as a UUID string; absent where the cluster has none (before Kafka 2.8). */
  readonly topicId?: string
  /** Flagged by the broker: `__consumer_offsets`, `__transaction_state`, … */
  readonly isInternal: boolean
  /** Ascending by partition. */
  readonly partitions: ReadonlyArray<PartitionInfo>
}

/** The answer for one topic that was requested by name. */
export type TopicLookup =
  | { readonly _tag: "Found"; readonly topic: TopicInfo }
  | { readonly _tag: "Missing"; readonly name: string }
  | { readonly _tag: "Denied"; readonly name: string }

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * `logStart`: first offset still in the log. `lastStable`: end for read_committed. `highWatermark`: end for
 * read_uncommitted. `logEnd`: end of the leader's log, with records that too few replicas have, and that nobody can
 * read yet; as `highWatermark` where a broker does not tell.
 */
export type OffsetKind = "logStart" | "lastStable" | "highWatermark" | "logEnd"

export interface PartitionOffset extends TopicPartition {
  readonly offset: number
}

/** A partition, and a leader epoch that its log is asked about. */
export interface EpochPlace extends TopicPartition {
  readonly leaderEpoch: number
}

/** Where the epoch of a leader ends in the log of a partition, as its present leader knows it. */
export interface EpochEnd extends TopicPartition {
  /**
   * The largest epoch in the log that is not above the one that was asked about: another than that one if the log does
   * not hold it. Absent where the leader knows none.
   */
  readonly leaderEpoch?: number
  /** First offset behind that epoch: for the present one, the end of the log. */
  readonly endOffset: number
}

/** Which protocol the members of a group use: classic, or those of KIP-848, KIP-932 and KIP-1071. */
export type GroupType = "classic" | "consumer" | "share" | "streams"

/** What a group has committed for one partition. */
export interface CommittedOffset extends PartitionOffset {
  /** Absent: none. */
  readonly metadata?: string
  /** Absent: the commit had none, or the broker does not report it (before Kafka 2.1). */
  readonly leaderEpoch?: number
}

export interface GroupOffsets {
  readonly groupId: string
  /** Absent: the brokers do not report it (before Kafka 3.8). */
  readonly type?: GroupType
  readonly offsets: ReadonlyArray<CommittedOffset>
}

/** Which records of one partition to read. Offsets are safe integers; larger ones are refused, never rounded. */
export interface ReadRequest extends TopicPartition {
  /** If given, a topic that was created again under the same name is an error (`TopicRecreated`). */
  readonly topicId?: string | undefined
  /** First offset to read. */
  readonly from: number
  /** First offset NOT to read; must not exceed the last stable offset. */
  readonly until: number
  /** Limit of one fetch in bytes; a larger first batch is still returned whole (KIP-74). Default 1 MiB. */
  readonly fetchBytes?: number
  /** Where fetches are slow, they may ask for as many bytes as this says at the time. Default: no more. */
  readonly mostFetchBytes?: () => number
}

/** Offsets that retention or DeleteRecords removed before they could be read. */
export interface OffsetGap {
  readonly from: number
  /** Exclusive. */
  readonly until: number
}

/** The result of one fetch of one partition. */
export interface FetchedBatches extends TopicPartition {
  /** In offset order. Each holds an offset of the requested range; first and last batch may extend beyond it. */
  readonly batches: ReadonlyArray<RecordBatch>
  /** Everything below this offset was delivered, or is known not to exist (compaction, aborted, control, `gap`). */
  readonly position: number
  /** Bytes of record sets received from the broker for this element. */
  readonly fetchedBytes: number
  /** Limit of the fetch in bytes: `fetchedBytes` is above it where a batch is larger. Absent for a gap. */
  readonly askedBytes?: number
  readonly gap?: OffsetGap
  /** The epoch of the leader that wrote the last batch below `position`, delivered or not. Absent where unknown. */
  readonly leaderEpoch?: number
  /** Returns the buffers; call once, after the bytes of the batches were copied. */
  readonly release: () => void
}

/** The source of records: one cluster, opened for one run or command. No method needs a consumer group. */
export interface KafkaSourceShape {
  /** For people: the bootstrap servers. */
  readonly location: string
  /** Cluster id and every visible topic. The broker hides topics that the principal may not Describe. */
  readonly cluster: Effect.Effect<
    { readonly clusterId: string | undefined; readonly topics: ReadonlyArray<TopicInfo> },
    KafkaError
  >
  /**
   * The named topics in the order of the names, a missing topic distinct from one without Describe. Creates nothing.
   */
  readonly lookup: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TopicLookup>, KafkaError>
  /** One offset for each given partition, in the same order. */
  readonly offsets: (
    partitions: ReadonlyArray<TopicPartition>,
    kind: OffsetKind
  ) => Effect.Effect<ReadonlyArray<PartitionOffset>, KafkaError>
  /**
   * Those of these partitions whose topics the principal may not Read, in the same order. Costs least where nothing is
   * behind the offsets.
   */
  readonly unreadable: (
    places: ReadonlyArray<PartitionOffset>
  ) => Effect.Effect<ReadonlyArray<PartitionOffset>, KafkaError>
  /**
   * For each given partition and epoch, in the same order, where that epoch ends. Needs Describe on the topics. Fails
   * where a broker does not know the request (before Kafka 2.1).
   */
  readonly lineage: (places: ReadonlyArray<EpochPlace>) => Effect.Effect<ReadonlyArray<EpochEnd>, KafkaError>
  /** How old records go, by topic name, of the topics on which the principal has DescribeConfigs. */
  readonly cleanup: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, TopicCleanup>, KafkaError>
  /** Non-default topic configuration by topic name. Fails with `KafkaAuthorizationFailed` without DescribeConfigs. */
  readonly topicConfigs: (
    names: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, Readonly<Record<string, string>>>, KafkaError>
  /** Who may do what: ACLs, names of users, quotas. */
  readonly access: AccessReading
  /** Committed offsets (>= 0) on the given topics, of all groups that the principal may describe. */
  readonly groupOffsets: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<GroupOffsets>, KafkaError>
  /**
   * These reads will come, in about this order, before the scope closes: where their partitions hold little, one
   * request brings the records of many. Changes nothing of what a read delivers.
   */
  readonly announce: (requests: ReadonlyArray<ReadRequest>) => Effect.Effect<void, never, Scope.Scope>
  /**
   * The committed records of `[from, until)` in offset order; every hole is reported. Ends when, and only when,
   * `position` has reached `until`. Retries throttled and empty answers, leader changes and lost connections for a
   * limited time. Fails with `Stalled` if data arrives without progress.
   */
  readonly read: (request: ReadRequest) => Stream.Stream<FetchedBatches, KafkaError>
}

/** The cluster of one run. */
export class KafkaSource extends Context.Service<KafkaSource, KafkaSourceShape>()("kafka-backup/kafka/KafkaSource") {}

/** Opens the cluster of a resource; `guards` hold back calls to brokers that do not answer. */
export class KafkaSources extends Context.Service<
  KafkaSources,
  {
    readonly open: (
      target: KafkaTarget,
      guards?: BrokerGuards
    ) => Effect.Effect<KafkaSourceShape, KafkaError, Scope.Scope>
  }
>()("kafka-backup/kafka/KafkaSources") {}
