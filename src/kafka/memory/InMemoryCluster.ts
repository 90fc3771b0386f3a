import { Clock, Effect } from "effect"
import { type AccessControls, accessControls } from "./InMemoryAccess.ts"
import { type Fault, type FaultPlan, makeFaults } from "./InMemoryFaults.ts"
import type { CompactOptions, LoggedRecord } from "./InMemoryLog.ts"
import {
  addPartitions,
  type InMemoryPartition,
  type InMemoryTopic,
  makeTopic,
  type TopicOptions
} from "./InMemoryTopics.ts"
import { type ClusterState, unreachable } from "./ClusterState.ts"
import { makeConnections } from "./Connections.ts"
import { makeInMemoryWire } from "./InMemoryWire.ts"
import { makeInMemoryWriteWire } from "./InMemoryWriteWire.ts"
import type { CommittedOffset, GroupType } from "../KafkaSource.ts"
import type { KafkaWire } from "../KafkaWire.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import type { NewRecord, ProducerCodec } from "../batch/RecordBatchEncoding.ts"

/** A record to produce. Text is UTF-8; an absent key or value is null, an absent timestamp is now. */
export interface RecordToProduce {
  readonly key?: string | Buffer | null
  readonly value?: string | Buffer | null
  readonly headers?: ReadonlyArray<readonly [key: string | Buffer, value: string | Buffer | null]>
  /** Milliseconds since 1970. */
  readonly timestamp?: number
}

/** The offsets of a written batch; `lastOffset` is inclusive. */
export interface Produced {
  readonly baseOffset: number
  readonly lastOffset: number
}

/** One transaction of one producer over any number of partitions. It stays open until it ends. */
export interface InMemoryTransaction {
  readonly producerId: number
  readonly produce: InMemoryCluster["produce"]
  readonly commit: Effect.Effect<void>
  readonly abort: Effect.Effect<void>
}

/**
 * A Kafka cluster without a network. These methods change it, and die if a topic or partition does not exist; it is
 * read through `wire` like any other cluster.
 */
export interface InMemoryCluster extends AccessControls {
  readonly wire: KafkaWire
  /** Writes to it like any other client. */
  readonly writeWire: KafkaWriteWire
  /** Replaces a topic of this name by an empty one with a new id. Returns the id. */
  readonly createTopic: (name: string, options?: TopicOptions) => Effect.Effect<string>
  readonly deleteTopic: (name: string) => Effect.Effect<void>
  readonly addPartitions: (name: string, total: number) => Effect.Effect<void>
  /** Appends the records as one batch. */
  readonly produce: (
    topic: string,
    partition: number,
    records: ReadonlyArray<RecordToProduce>,
    options?: { readonly codec?: ProducerCodec }
  ) => Effect.Effect<Produced>
  /** A transaction of a new producer, or of the producer `producerId`, which must have none open. */
  readonly beginTransaction: (producerId?: number) => Effect.Effect<InMemoryTransaction>
  readonly compact: (topic: string, partition: number, options?: CompactOptions) => Effect.Effect<void>
  /** The log begins at `offset` from now on (DeleteRecords, retention). */
  readonly deleteRecordsBefore: (topic: string, partition: number, offset: number) => Effect.Effect<void>
  /** An unclean election: records from `offset` on are lost, and those that follow are of another epoch. */
  readonly truncate: (topic: string, partition: number, offset: number) => Effect.Effect<void>
  /** Default: the next live replica. */
  readonly moveLeader: (topic: string, partition: number, node?: number) => Effect.Effect<void>
  /** Connections to the node fail; leadership moves to live replicas, or to none. */
  readonly stopBroker: (node: number) => Effect.Effect<void>
  /** The node answers again, and leads partitions without a leader. */
  readonly startBroker: (node: number) => Effect.Effect<void>
  readonly commitGroupOffsets: (groupId: string, offsets: ReadonlyArray<CommittedOffset>) => Effect.Effect<void>
  /** The group has members, which alone may commit, or has none. */
  readonly setGroupActive: (groupId: string, isActive: boolean) => Effect.Effect<void>
  /** Default of a group: classic. */
  readonly setGroupType: (groupId: string, type: GroupType) => Effect.Effect<void>
  /** Every partition forgets its idempotent producers, as a restart of the brokers does to producers of old records. */
  readonly forgetProducers: Effect.Effect<void>
  /** The coordinators forget all transactional ids, as after `transactional.id.expiration.ms` (7 days) without use. */
  readonly expireTransactionalIds: Effect.Effect<void>
  /** Refuses the operation on the topic, group or transactional id; without a name, on the cluster. */
  readonly deny: (operation: DeniedOperation, name?: string) => Effect.Effect<void>
  readonly allow: (operation: DeniedOperation, name?: string) => Effect.Effect<void>
  readonly inject: (fault: Fault, plan?: FaultPlan) => Effect.Effect<void>
  readonly clearFaults: Effect.Effect<void>
  /** The records of the partition that a read_committed consumer sees now, from the log's start. */
  readonly committed: (topic: string, partition: number) => Effect.Effect<ReadonlyArray<LoggedRecord>>
  readonly counters: Effect.Effect<InMemoryCounters>
}

/**
 * ACL operations; of groups and transactional ids where the name says so. `Alter` is that on the cluster, and so are
 * `DescribeCluster`, `DescribeClusterConfigs` and `AlterClusterConfigs`. `ReadGroup` denies Describe on the group, too,
 * and `CommitGroup` Read alone.
 */
export type DeniedOperation =
  | "Read"
  | "Describe"
  | "DescribeConfigs"
  | "DescribeGroups"
  | "Write"
  | "Create"
  | "Delete"
  | "Alter"
  | "DescribeCluster"
  | "DescribeClusterConfigs"
  | "AlterClusterConfigs"
  | "AlterConfigs"
  | "ReadGroup"
  | "CommitGroup"
  | "WriteTransactionalId"

export interface InMemoryCounters {
  readonly fetches: number
  readonly metadataRequests: number
  readonly offsetRequests: number
  readonly produceRequests: number
  /** Answers whose buffers are not released yet. Released buffers are overwritten, so that late readers are noticed. */
  readonly unreleased: number
  /** Releases beyond the first of an answer; always a defect of the reader. */
  readonly releasedTwice: number
}

export interface ClusterOptions {
  /** `KafkaSource.location`, for people. */
  readonly location: string
  /** Default `in-memory`. */
  readonly clusterId?: string
  /** Default 3 brokers, 1 to 3. */
  readonly brokers?: number
}

const toBytes = (value: string | Buffer | null | undefined): Buffer | null =>
  value === undefined || value === null ? null : typeof value === "string" ? Buffer.from(value) : value

export const makeInMemoryCluster = (options: ClusterOptions): InMemoryCluster => {
  const nodes = Array.from({ length: options.brokers ?? 3 }, (_, i) => i + 1)
  const state: ClusterState = {
    location: options.location,
    clusterId: options.clusterId ?? "in-memory",
    nodes,
    topics: new Map<string, InMemoryTopic>(),
    groups: new Map(),
    activeGroups: new Set(),
    groupTypes: new Map(),
    transactionalIds: new Map(),
    openTransactions: new Map(),
    nextProducerId: 1000,
    access: { hasAuthorizer: true, acls: new Map(), users: new Map(), quotas: new Map() },
    denied: new Set(),
    live: new Set(nodes),
    connections: makeConnections(),
    faults: makeFaults(),
    counters: {
      fetches: 0,
      metadataRequests: 0,
      offsetRequests: 0,
      produceRequests: 0,
      unreleased: 0,
      releasedTwice: 0
    }
  }

  const topicOf = (name: string): InMemoryTopic => {
    const topic = state.topics.get(name)
    if (topic === undefined) throw new Error(`no topic ${name} in ${options.location}`)
    return topic
  }
  const partitionOf = (name: string, partition: number): InMemoryPartition => {
    const found = topicOf(name).partitions[partition]
    if (found === undefined) throw new Error(`no partition ${partition} of ${name}`)
    return found
  }
  const everyPartition = () => [...state.topics.values()].flatMap(({ partitions }) => partitions)
  const lead = (partition: InMemoryPartition, node: number) => {
    partition.leader = node
    partition.leaderEpoch++
  }
  const nextReplica = ({ replicas, leader }: InMemoryPartition) => {
    const start = replicas.indexOf(leader) + 1
    const inTurn = replicas.map((_, i) => replicas[(start + i) % replicas.length]!)
    return inTurn.find((node) => state.live.has(node)) ?? -1
  }

  const append = (
    topic: string,
    partition: number,
    records: ReadonlyArray<RecordToProduce>,
    codec: ProducerCodec | undefined,
    producerId?: number
  ) =>
    Effect.map(Clock.currentTimeMillis, (nowMillis): Produced => {
      const isStamped = topicOf(topic).configs["message.timestamp.type"] === "LogAppendTime"
      const batch = records.map((record): NewRecord => ({
        key: toBytes(record.key),
        value: toBytes(record.value),
        headers: (record.headers ?? []).map(([key, value]) => [toBytes(key)!, toBytes(value)] as const),
        timestamp: record.timestamp ?? nowMillis
      }))
      const baseOffset = partitionOf(topic, partition).log.append(batch, {
        codec,
        producerId,
        transactional: producerId !== undefined,
        logAppendTime: isStamped ? nowMillis : undefined
      })
      return { baseOffset, lastOffset: baseOffset + batch.length - 1 }
    })

  const aclKey = (operation: DeniedOperation, name: string | undefined) =>
    name === undefined ? operation : `${operation} ${name}`

  return {
    wire: makeInMemoryWire(state),
    writeWire: makeInMemoryWriteWire(state),
    createTopic: (name, topicOptions = {}) =>
      Effect.sync(() => {
        const topic = makeTopic(name, nodes, topicOptions)
        state.topics.set(name, topic)
        return topic.topicId
      }),
    deleteTopic: (name) => Effect.sync(() => void state.topics.delete(topicOf(name).name)),
    addPartitions: (name, total) => Effect.sync(() => addPartitions(topicOf(name), total, nodes)),
    produce: (topic, partition, records, produceOptions) => append(topic, partition, records, produceOptions?.codec),
    beginTransaction: (existing) =>
      Effect.sync(() => {
        const producerId = existing ?? state.nextProducerId++
        const touched = new Set<InMemoryPartition>()
        const end = (type: "abort" | "commit") =>
          Effect.map(Clock.currentTimeMillis, (nowMillis) => {
            for (const { log } of touched) log.endTransaction(producerId, type, nowMillis)
            touched.clear()
          })
        const produce: InMemoryCluster["produce"] = (topic, partition, records, produceOptions) =>
          Effect.tap(append(topic, partition, records, produceOptions?.codec, producerId), () =>
            Effect.sync(() => touched.add(partitionOf(topic, partition)))
          )
        return { producerId, produce, commit: end("commit"), abort: end("abort") }
      }),
    compact: (topic, partition, compactOptions = {}) =>
      Effect.sync(() => partitionOf(topic, partition).log.compact(compactOptions)),
    deleteRecordsBefore: (topic, partition, offset) =>
      Effect.sync(() => partitionOf(topic, partition).log.deleteBefore(offset)),
    truncate: (topic, partition, offset) =>
      Effect.sync(() => {
        const elected = partitionOf(topic, partition)
        elected.log.truncate(offset)
        elected.leaderEpoch++
      }),
    moveLeader: (topic, partition, node) =>
      Effect.sync(() => {
        const moved = partitionOf(topic, partition)
        lead(moved, node ?? nextReplica(moved))
      }),
    stopBroker: (node) =>
      Effect.sync(() => {
        state.live.delete(node)
        state.connections.break(node, unreachable("produce", `broker ${node} does not answer`))
        for (const partition of everyPartition()) if (partition.leader === node) lead(partition, nextReplica(partition))
      }),
    startBroker: (node) =>
      Effect.sync(() => {
        state.live.add(node)
        for (const partition of everyPartition()) {
          if (partition.leader < 0 && partition.replicas.includes(node)) lead(partition, node)
        }
      }),
    commitGroupOffsets: (groupId, offsets) =>
      Effect.sync(() => {
        const group = state.groups.get(groupId) ?? new Map<string, CommittedOffset>()
        for (const each of offsets) group.set(`${each.topic} ${each.partition}`, each)
        state.groups.set(groupId, group)
      }),
    setGroupActive: (groupId, isActive) =>
      Effect.sync(() => {
        if (isActive) state.activeGroups.add(groupId)
        else state.activeGroups.delete(groupId)
      }),
    setGroupType: (groupId, type) => Effect.sync(() => void state.groupTypes.set(groupId, type)),
    forgetProducers: Effect.sync(() => {
      for (const { log } of everyPartition()) log.producers.forget()
    }),
    expireTransactionalIds: Effect.sync(() => {
      for (const id of state.transactionalIds.keys()) {
        if (!state.openTransactions.has(id)) state.transactionalIds.delete(id)
      }
    }),
    ...accessControls(state),
    deny: (operation, name) => Effect.sync(() => void state.denied.add(aclKey(operation, name))),
    allow: (operation, name) => Effect.sync(() => void state.denied.delete(aclKey(operation, name))),
    inject: (fault, plan = {}) => Effect.sync(() => state.faults.inject(fault, plan)),
    clearFaults: Effect.sync(() => state.faults.clear()),
    committed: (topic, partition) => Effect.sync(() => partitionOf(topic, partition).log.committed()),
    counters: Effect.sync(() => ({ ...state.counters }))
  }
}
