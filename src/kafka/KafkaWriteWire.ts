import type { Effect } from "effect"
import type { AccessChanging } from "./AccessRules.ts"
import type { KafkaError } from "./KafkaError.ts"
import type { DoomedTopic, ListedGroup, NewTopic, Producer, TopicOutcome } from "./KafkaSink.ts"
import type { PartitionOffset, TopicPartition } from "./KafkaSource.ts"
import type { KafkaWire } from "./KafkaWire.ts"

/**
 * A partition that no topic has. Brokers check permissions before they look for the partition, so that a request for it
 * changes nothing, and its answer says whether the principal may.
 */
export const noPartition = 0x7fff_ffff

/** One sealed batch for one partition, to be acknowledged by all in-sync replicas. */
export interface WireProduce extends TopicPartition {
  /** Sent by id if the broker supports it (Produce 13, KIP-516): a re-created topic then answers UNKNOWN_TOPIC_ID. */
  readonly topicId?: string | undefined
  readonly leader: number
  readonly batch: ReadonlyArray<Buffer>
}

export interface WireProduced {
  /** 0 is success. Source: Kafka protocol guide, "Error Codes". */
  readonly errorCode: number
  /** The broker's explanation of the error. */
  readonly detail: string | undefined
  /** Offset of the first record; -1 with an error. */
  readonly baseOffset: number
  /** How long the broker asks the client to send nothing (quota, KIP-219). The batch was handled nevertheless. */
  readonly throttleMillis: number
}

/** A batch that is on its way. */
export interface Sent {
  /** The connection that carries the batch; compared by identity. */
  readonly connection: object
  /** Fails if the connection breaks before the answer. The batch may then be in the log. */
  readonly answer: Effect.Effect<WireProduced, KafkaError>
}

export interface WireProducer extends Producer {
  readonly errorCode: number
}

export interface WireCommitted extends PartitionOffset {
  /** -1 without a committed offset. */
  readonly offset: number
  /** -1 without an epoch. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly errorCode: number
}

/** What a coordinator coordinates. */
export type CoordinatorKind = "group" | "transaction"

/**
 * Requests that change one cluster, and their answers. As with `KafkaWire`, error codes are returned as data, and
 * failures are failures of the connection or of authentication. Requests to an unknown broker answer
 * LEADER_NOT_AVAILABLE or COORDINATOR_NOT_AVAILABLE.
 */
export interface KafkaWriteWire extends Pick<KafkaWire, "location" | "metadata" | "offsets"> {
  /**
   * Ends when the batch was written to the connection to the leader; fails if it was not. Batches are sent over one
   * connection in the order in which these effects end. With `over`, fails unless that connection is still open.
   */
  readonly produce: (request: WireProduce, over?: object) => Effect.Effect<Sent, KafkaError>
  /** `transactionalId` needs its coordinator; without one, any broker serves. */
  readonly initProducer: (
    node: number | "any",
    transactionalId: string | undefined
  ) => Effect.Effect<WireProducer, KafkaError>
  readonly describeTransaction: (
    coordinator: number,
    transactionalId: string
  ) => Effect.Effect<WireProducer, KafkaError>
  /** `count` commit markers in one request; the error code of the first that was refused, or 0. */
  readonly writeMarkers: (
    leader: number,
    partition: TopicPartition,
    producer: Producer,
    count: number
  ) => Effect.Effect<number, KafkaError>
  /** Adds the partition to the open transaction of the id, or opens one. */
  readonly addToTransaction: (
    coordinator: number,
    transactionalId: string,
    producer: Producer,
    partition: TopicPartition
  ) => Effect.Effect<number, KafkaError>
  /** Ends the open transaction: a marker is written to each of its partitions, perhaps after the answer. */
  readonly commitTransaction: (
    coordinator: number,
    transactionalId: string,
    producer: Producer
  ) => Effect.Effect<number, KafkaError>
  readonly coordinator: (
    kind: CoordinatorKind,
    key: string
  ) => Effect.Effect<{ readonly errorCode: number; readonly node: number }, KafkaError>
  readonly createTopics: (
    topics: ReadonlyArray<NewTopic>,
    validateOnly: boolean
  ) => Effect.Effect<ReadonlyArray<TopicOutcome>, KafkaError>
  /** UNSUPPORTED_VERSION, and nothing is asked, for a topic with an id where the broker deletes by name alone. */
  readonly deleteTopics: (topics: ReadonlyArray<DoomedTopic>) => Effect.Effect<ReadonlyArray<TopicOutcome>, KafkaError>
  readonly alterConfigs: (
    topic: string,
    configs: Readonly<Record<string, string | null>>,
    validateOnly?: boolean
  ) => Effect.Effect<{ readonly errorCode: number; readonly detail: string | undefined }, KafkaError>
  readonly deleteRecords: (
    leader: number,
    partition: TopicPartition,
    offset: number
  ) => Effect.Effect<number, KafkaError>
  readonly access: AccessChanging
  /** As `KafkaSink.groups`. */
  readonly groups: Effect.Effect<ReadonlyArray<ListedGroup>, KafkaError>
  /** One error code per offset, in the same order. */
  readonly commitOffsets: (
    coordinator: number,
    groupId: string,
    offsets: ReadonlyArray<PartitionOffset & { readonly metadata?: string }>,
    keptMillis?: number
  ) => Effect.Effect<ReadonlyArray<number>, KafkaError>
  readonly deleteOffsets: (
    coordinator: number,
    groupId: string,
    partitions: ReadonlyArray<TopicPartition>
  ) => Effect.Effect<{ readonly errorCode: number; readonly partitionCodes: ReadonlyArray<number> }, KafkaError>
  readonly committedOffsets: (
    coordinator: number,
    groupId: string
  ) => Effect.Effect<{ readonly errorCode: number; readonly offsets: ReadonlyArray<WireCommitted> }, KafkaError>
}
