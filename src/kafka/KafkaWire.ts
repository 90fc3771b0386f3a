import type { Effect } from "effect"
import type { AccessReading } from "./AccessRules.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { EpochPlace, GroupOffsets, OffsetKind, PartitionOffset, TopicPartition } from "./KafkaSource.ts"
import type { TopicCleanup } from "./TopicCleanup.ts"

/** One partition in a Metadata answer. */
export interface WirePartition {
  readonly partition: number
  readonly errorCode: number
  /** -1 while there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: ReadonlyArray<number>
}

export interface WireTopic {
  readonly errorCode: number
  readonly name: string
  readonly topicId?: string
  readonly isInternal: boolean
  readonly partitions: ReadonlyArray<WirePartition>
}

/** An end of the log, or the first record with a timestamp of at least so many milliseconds since 1970. */
export type OffsetSpec = OffsetKind | { readonly timestampMillis: number }

export interface WireMetadata {
  readonly clusterId: string | undefined
  /** Ids of the brokers that are alive. */
  readonly brokers: ReadonlyArray<number>
  readonly topics: ReadonlyArray<WireTopic>
}

export interface WireEpochEnd {
  readonly errorCode: number
  /** The largest epoch in the log that is not above the one that was asked about; -1: none is known. */
  readonly leaderEpoch: number
  /** First offset behind that epoch; -1: not known. */
  readonly endOffset: number
}

/** One partition of one sessionless, read_committed Fetch. */
export interface WireFetch extends TopicPartition {
  /**
   * Asked for by id if the broker supports it (Fetch 13, KIP-516): a re-created topic then answers UNKNOWN_TOPIC_ID.
   */
  readonly topicId?: string | undefined
  readonly leader: number
  readonly offset: number
  readonly maxBytes: number
  readonly maxWaitMillis: number
}

export interface WireFetched {
  /** Top-level or partition error code; 0 is success. Source: Kafka protocol guide, "Error Codes". */
  readonly errorCode: number
  /** How long the broker asks the client to send nothing (quota, KIP-219); the answer may then be empty. */
  readonly throttleMillis: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly aborted: ReadonlyArray<{ readonly producerId: number; readonly firstOffset: number }>
  /** Node to read from instead (KIP-392), -1 for none. */
  readonly preferredReadReplica: number
  /**
   * The record set: whole batches, perhaps a truncated last one. A view into a pooled buffer, valid until `release`.
   */
  readonly records: Buffer
  readonly release: () => void
}

/**
 * Requests to one cluster and their answers. Error codes are returned as data: the code that builds a `KafkaSource` on
 * top decides whether to retry, refresh, report a gap or fail. Failures are failures of the connection or of
 * authentication. Every effect may be interrupted.
 */
export interface KafkaWire {
  /** For people: the bootstrap servers. */
  readonly location: string
  /** Fresh metadata from any live broker, by which later `fetch` and `offsets` calls are routed. Creates no topic. */
  readonly metadata: (names: ReadonlyArray<string> | "all") => Effect.Effect<WireMetadata, KafkaError>
  /**
   * ListOffsets at the leader `leader`, one answer per partition in the same order. Offset -1 without an error: no
   * record has that time or a later one.
   */
  readonly offsets: (
    leader: number,
    partitions: ReadonlyArray<TopicPartition>,
    kind: OffsetSpec
  ) => Effect.Effect<ReadonlyArray<{ readonly errorCode: number; readonly offset: number }>, KafkaError>
  /** OffsetForLeaderEpoch at the leader `leader`, one answer per partition in the same order. */
  readonly epochEnds: (
    leader: number,
    places: ReadonlyArray<EpochPlace>
  ) => Effect.Effect<ReadonlyArray<WireEpochEnd>, KafkaError>
  /**
   * The error codes of a Fetch at the leader `leader` that asks for as good as no data, one per partition in the same
   * order. Where a quota lets the broker answer nothing, they are 0.
   */
  readonly readRights: (
    leader: number,
    places: ReadonlyArray<PartitionOffset>
  ) => Effect.Effect<ReadonlyArray<number>, KafkaError>
  readonly fetch: (request: WireFetch) => Effect.Effect<WireFetched, KafkaError>
  /**
   * One Fetch of several partitions of the leader `leader` for at most `maxBytes`, one answer per partition in the same
   * order. They fill it in this order; of those after the first that has data, what finds no room is empty. Each answer
   * is to be released.
   */
  readonly fetchTogether: (
    leader: number,
    requests: ReadonlyArray<WireFetch>,
    maxBytes: number
  ) => Effect.Effect<ReadonlyArray<WireFetched>, KafkaError>
  /** As `KafkaSource.topicConfigs`. */
  readonly topicConfigs: (
    names: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, Readonly<Record<string, string>>>, KafkaError>
  /** As `KafkaSource.cleanup`. */
  readonly cleanup: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, TopicCleanup>, KafkaError>
  readonly access: AccessReading
  /** As `KafkaSource.groupOffsets`. */
  readonly groupOffsets: (topics: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<GroupOffsets>, KafkaError>
}
