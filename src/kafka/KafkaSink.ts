import { Context, type Effect, type Scope } from "effect"
import type { AccessChanging } from "./AccessRules.ts"
import type { ProducerPosition } from "./batch/SealedBatch.ts"
import type { BrokerGuards } from "./BrokerGuards.ts"
import type { KafkaError, KafkaReason } from "./KafkaError.ts"
import type { GroupType, OffsetKind, PartitionOffset, TopicLookup, TopicPartition } from "./KafkaSource.ts"
import type { KafkaTarget } from "./KafkaTarget.ts"

/** A permission that a request needs. */
export interface Right {
  /** `topic orders`, `cluster`, `group g1`. */
  readonly resource: string
  /** The Kafka ACL operation. */
  readonly operation: string
}

/** Who writes: a producer id and its epoch (KIP-98). Sequences count the records of one producer in one partition. */
export type Producer = Pick<ProducerPosition, "producerId" | "producerEpoch">

/** One sealed batch for one partition. */
export interface Append extends TopicPartition {
  /**
   * The topic that is meant: one that was created again under the name is never written to, where the broker has ids.
   */
  readonly topicId?: string | undefined
  /** Pieces of one sealed batch, in order. They must not change before the answer. */
  readonly batch: ReadonlyArray<Buffer>
}

/** The answer to one append. */
export type Appended =
  /** In the log of every in-sync replica, with this offset for the first record. */
  | { readonly _tag: "Appended"; readonly baseOffset: number }
  /**
   * Perhaps in the log, perhaps later: the connection was lost, the time is over, the broker knows another sequence.
   * Only the log itself can answer.
   */
  | { readonly _tag: "Unclear"; readonly reason: KafkaReason }
  /** Not in the log, and another attempt may succeed: no leader, no connection, too few in-sync replicas. */
  | { readonly _tag: "NotYet"; readonly reason: KafkaReason }

/** A topic that is to be made. */
export interface NewTopic {
  readonly name: string
  readonly partitions: number
  /** -1: the broker's default. */
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string>>
}

/** A topic that is to be deleted: with `topicId` that very topic, otherwise whichever has the name. */
export interface DoomedTopic {
  readonly name: string
  readonly topicId?: string | undefined
}

/** What became of one topic of a request. */
export interface TopicOutcome {
  readonly name: string
  /** Kafka error code; 0 is success. Source: Kafka protocol guide, "Error Codes". */
  readonly errorCode: number
  /** The broker's explanation of the error. */
  readonly detail: string | undefined
  /** Of a topic that was created, where the broker has ids and reports them (Kafka 2.8 and later). */
  readonly topicId?: string
  /**
   * Replicas that a new topic has, or with `validateOnly` would have. Absent before Kafka 2.4, and without
   * DescribeConfigs on the topic.
   */
  readonly replicationFactor?: number
}

/** A group as the broker that coordinates it lists it. */
export interface ListedGroup {
  readonly groupId: string
  /** Absent: the broker does not report it (before Kafka 3.8). */
  readonly type?: GroupType
  /** `Empty`, `Stable`, … Absent: the broker does not report it (before Kafka 2.6). */
  readonly state?: string
}

/** Permissions that a restore is going to need. */
export interface AskedRights {
  /** Topics that may not exist yet, to be written, read and configured; `deletes`: records of them are deleted, too. */
  readonly topics: ReadonlyArray<{ readonly name: string; readonly deletes: boolean }>
  /** Whether control markers are written. */
  readonly markers: boolean
  /** Ids of transactions without records; absent: none are written. */
  readonly transactionalId?: string
  /** The group in which the restore remembers. */
  readonly groupId: string
}

/**
 * Takes the offsets of `[from, until)` at the end of the partition, each with the control marker of a transaction
 * without records. To be called when every append of the partition is answered. `Unclear` when only some may be there,
 * or when the log did not end at `from`; no marker follows later.
 */
export type EmptyTransactions = (
  partition: TopicPartition,
  from: number,
  until: number
) => Effect.Effect<Appended, KafkaError>

/**
 * The cluster that records are written to, opened for one run or command. Every batch is appended at the end of its
 * partition, acknowledged by all in-sync replicas, or not at all, and the answer says which.
 */
export interface KafkaSinkShape {
  /** For people: the bootstrap servers. */
  readonly location: string
  readonly clusterId: Effect.Effect<string | undefined, KafkaError>
  /** How many brokers are alive. */
  readonly brokerCount: Effect.Effect<number, KafkaError>
  /** Those of the permissions that are missing. Changes nothing. Read is only known with Read on the group. */
  readonly missingRights: (asked: AskedRights) => Effect.Effect<ReadonlyArray<Right>, KafkaError>
  /** The named topics in the order of the names. Creates nothing. */
  readonly lookup: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<TopicLookup>, KafkaError>
  readonly offsets: (
    partitions: ReadonlyArray<TopicPartition>,
    kind: OffsetKind
  ) => Effect.Effect<ReadonlyArray<PartitionOffset>, KafkaError>
  /**
   * A producer. With `transactionalId`, an earlier producer of that id is fenced in a partition as soon as the new one
   * has written there (its epoch is higher). Without: one that no other shares.
   */
  readonly producer: (transactionalId?: string) => Effect.Effect<Producer, KafkaError>
  /** The newest epoch of a transactional id (DescribeTransactions, KIP-664). */
  readonly newestEpoch: (transactionalId: string) => Effect.Effect<Producer, KafkaError>
  /**
   * Appends one batch. Appends of one partition are sent in the order of the calls, each as soon as the one before it
   * was sent, over one connection to the leader; while one of them is not appended, those behind it that were not sent
   * answer `NotYet`. Then await the answers of all appends of the partition before the next call, which begins anew.
   * Compare every base offset with the expected one: a batch may have been refused between two others.
   * One attempt is made. Fails only when no other can succeed: the topic is gone or another one, an ACL is missing, a
   * newer producer has taken over (`ProducerFenced`), the broker refuses the batch itself (`BatchRefused`).
   */
  readonly append: (append: Append) => Effect.Effect<Appended, KafkaError>
  /**
   * Writes `count` control markers at the end of the partition, which no consumer receives (WriteTxnMarkers): each
   * takes one offset. To be called when every append of the partition is answered. The base offset is the end of the
   * log minus `count`, since the broker names none. `Unclear` when only some may be there. Needs Alter on the cluster.
   */
  readonly markers: (
    partition: TopicPartition,
    producer: Producer,
    count: number
  ) => Effect.Effect<Appended, KafkaError>
  /**
   * The other way to write markers, for a principal without Alter on the cluster: needs Write on the transactional ids
   * and on the topic. As many transactions are open at the same time as there are ids. When the effect ends, whatever
   * was begun with these ids before is over, its markers included, and whoever used them is fenced.
   */
  readonly emptyTransactions: (transactionalIds: ReadonlyArray<string>) => Effect.Effect<EmptyTransactions, KafkaError>
  /**
   * Creates topics, or with `validateOnly` says what would become of each. Waits for no leader. Not repeated when the
   * answer is lost: a topic that exists then (error code 36) may be the caller's own.
   */
  readonly createTopics: (
    topics: ReadonlyArray<NewTopic>,
    options?: { readonly validateOnly?: boolean }
  ) => Effect.Effect<ReadonlyArray<TopicOutcome>, KafkaError>
  /**
   * One outcome for each topic, in their order. A topic that was created again under the name is never deleted for
   * another id: the code is UNKNOWN_TOPIC_ID (100). It also comes where the answer to the deletion was lost. A broker
   * that deletes by name alone (before Kafka 2.8) is asked for the id just before.
   */
  readonly deleteTopics: (topics: ReadonlyArray<DoomedTopic>) => Effect.Effect<ReadonlyArray<TopicOutcome>, KafkaError>
  /** Sets (a text) or resets to the default (null) configurations of one topic; others stay (KIP-339). */
  readonly alterConfigs: (
    topic: string,
    configs: Readonly<Record<string, string | null>>
  ) => Effect.Effect<void, KafkaError>
  /** What would become of such a change; nothing is changed. */
  readonly validateConfigs: (
    topic: string,
    configs: Readonly<Record<string, string | null>>
  ) => Effect.Effect<Pick<TopicOutcome, "errorCode" | "detail">, KafkaError>
  /** The log begins at `offset` from now on. Needs Delete on the topic. */
  readonly deleteRecordsBefore: (partition: TopicPartition, offset: number) => Effect.Effect<void, KafkaError>
  /**
   * For each partition, in the same order: the offset of the first record with this timestamp (milliseconds since 1970)
   * or a later one, or the end of the log if there is none.
   */
  readonly offsetsAtTime: (
    partitions: ReadonlyArray<TopicPartition>,
    timestampMillis: number
  ) => Effect.Effect<ReadonlyArray<PartitionOffset>, KafkaError>
  /** Who may do what: ACLs, names of users, quotas. */
  readonly access: AccessChanging
  /** The groups that exist and that the principal may describe. */
  readonly groups: Effect.Effect<ReadonlyArray<ListedGroup>, KafkaError>
  /**
   * Commits offsets of a group, without leader epochs. The metadata text is kept beside each. Fails with `GroupActive`
   * for a group that has members. With `keptMillis` the broker keeps them for that time; otherwise it forgets those of
   * a group without members after `offsets.retention.minutes`, by default a week.
   */
  readonly commitOffsets: (
    groupId: string,
    offsets: ReadonlyArray<PartitionOffset & { readonly metadata?: string }>,
    options?: { readonly keptMillis?: number }
  ) => Effect.Effect<void, KafkaError>
  /**
   * Forgets what a group has committed for these partitions. A group or a partition that does not exist has nothing.
   * Fails with `GroupActive` for a group whose members read one of the topics. Needs Delete on the group.
   */
  readonly deleteOffsets: (
    groupId: string,
    partitions: ReadonlyArray<TopicPartition>
  ) => Effect.Effect<void, KafkaError>
  /**
   * The committed offsets of one group, with their metadata, after the open transactions that change them have ended.
   * The broker leaves out topics that the principal may not describe.
   */
  readonly committedOffsets: (
    groupId: string
  ) => Effect.Effect<ReadonlyArray<PartitionOffset & { readonly metadata: string }>, KafkaError>
}

/** Opens the cluster that is restored to. */
export class KafkaSinks extends Context.Service<
  KafkaSinks,
  {
    readonly open: (
      target: KafkaTarget,
      guards?: BrokerGuards
    ) => Effect.Effect<KafkaSinkShape, KafkaError, Scope.Scope>
  }
>()("kafka-backup/kafka/KafkaSinks") {}
