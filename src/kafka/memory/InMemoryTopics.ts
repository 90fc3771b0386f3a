import { randomUUID } from "node:crypto"
import type { WireTopic } from "../KafkaWire.ts"
import { type InMemoryLog, makeInMemoryLog } from "./InMemoryLog.ts"

/** One partition of an in-memory cluster. */
export interface InMemoryPartition {
  readonly log: InMemoryLog
  readonly replicas: ReadonlyArray<number>
  leader: number
  leaderEpoch: number
  /** Followers that the leader has sent readers to (KIP-392). */
  readonly readReplicas: Set<number>
}

export interface InMemoryTopic {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
  configs: Readonly<Record<string, string>>
  readonly replicationFactor: number
  readonly partitions: Array<InMemoryPartition>
}

export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number
  /** Default: one on each node. */
  readonly replicationFactor?: number
  /** Flagged as internal. Default: if the name begins with two underscores. */
  readonly internal?: boolean
  /** Non-default configuration. What produced batches are checked by has an effect; to compact, call `compact`. */
  readonly configs?: Readonly<Record<string, string>>
}

/** Kafka's rule for topic names. Source: org.apache.kafka.common.internals.Topic. */
export const isTopicName = (name: string) => /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== "." && name !== ".."

const makePartition = (
  partition: number,
  nodes: ReadonlyArray<number>,
  replicationFactor: number
): InMemoryPartition => {
  const replicas = nodes.map((_, i) => nodes[(partition + i) % nodes.length]!).slice(0, replicationFactor)
  const made: InMemoryPartition = {
    log: makeInMemoryLog(() => made.leaderEpoch),
    replicas,
    leader: replicas[0]!,
    leaderEpoch: 0,
    readReplicas: new Set()
  }
  return made
}

export const makeTopic = (name: string, nodes: ReadonlyArray<number>, options: TopicOptions): InMemoryTopic => {
  const { configs = {}, internal = name.startsWith("__"), partitions = 1, replicationFactor = nodes.length } = options
  return {
    name,
    topicId: randomUUID(),
    isInternal: internal,
    configs,
    replicationFactor,
    partitions: Array.from({ length: partitions }, (_, i) => makePartition(i, nodes, replicationFactor))
  }
}

export const addPartitions = (topic: InMemoryTopic, total: number, nodes: ReadonlyArray<number>) => {
  for (let i = topic.partitions.length; i < total; i++) {
    topic.partitions.push(makePartition(i, nodes, topic.replicationFactor))
  }
}

/** The topic in a Metadata answer. */
export const wireTopic = (topic: InMemoryTopic): WireTopic => ({
  errorCode: 0,
  name: topic.name,
  topicId: topic.topicId,
  isInternal: topic.isInternal,
  partitions: topic.partitions.map(({ leader, leaderEpoch, replicas }, partition) => ({
    partition,
    errorCode: leader < 0 ? 5 : 0,
    leader,
    leaderEpoch,
    replicas
  }))
})
