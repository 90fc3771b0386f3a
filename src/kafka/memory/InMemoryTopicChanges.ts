import { ErrorCode } from "../ErrorCode.ts"
import type { DoomedTopic, NewTopic, TopicOutcome } from "../KafkaSink.ts"
import { type ClusterState, isDenied } from "./ClusterState.ts"
import { isTopicName, makeTopic } from "./InMemoryTopics.ts"

/** Most partitions of one CreateTopics request. Source: Kafka 4.3.1, `ReplicationControlManager`. */
const mostPartitions = 10_000

/** Configurations of topics. Source: Kafka 4.3, "Topic Configs"; those of tiered storage and brokers left out. */
const known = new Set([
  "cleanup.policy",
  "compression.gzip.level",
  "compression.lz4.level",
  "compression.type",
  "compression.zstd.level",
  "delete.retention.ms",
  "file.delete.delay.ms",
  "flush.messages",
  "flush.ms",
  "follower.replication.throttled.replicas",
  "index.interval.bytes",
  "leader.replication.throttled.replicas",
  "max.compaction.lag.ms",
  "max.message.bytes",
  "message.timestamp.after.max.ms",
  "message.timestamp.before.max.ms",
  "message.timestamp.type",
  "min.cleanable.dirty.ratio",
  "min.compaction.lag.ms",
  "min.insync.replicas",
  "preallocate",
  "retention.bytes",
  "retention.ms",
  "segment.bytes",
  "segment.index.bytes",
  "segment.jitter.ms",
  "segment.ms",
  "unclean.leader.election.enable"
])

interface Refusal {
  readonly errorCode: number
  readonly detail: string
}

const unknownConfig = (configs: Readonly<Record<string, unknown>>): Refusal | undefined => {
  const name = Object.keys(configs).find((each) => !known.has(each))
  return name === undefined
    ? undefined
    : { errorCode: ErrorCode.invalidConfig, detail: `Unknown topic config name: ${name}` }
}

const refusalOf = (state: ClusterState, topic: NewTopic): Refusal | undefined => {
  const { name, partitions, replicationFactor } = topic
  if (isDenied(state, "Create", name) || state.denied.has("Create")) {
    return { errorCode: ErrorCode.topicAuthorizationFailed, detail: "Authorization failed" }
  }
  if (!isTopicName(name)) return { errorCode: ErrorCode.invalidTopic, detail: `Topic name is invalid: ${name}` }
  if (state.topics.has(name)) {
    return { errorCode: ErrorCode.topicAlreadyExists, detail: `Topic '${name}' already exists` }
  }
  if (partitions !== -1 && partitions < 1) {
    return { errorCode: ErrorCode.invalidPartitions, detail: "Number of partitions was set to an invalid value" }
  }
  if (replicationFactor !== -1 && (replicationFactor < 1 || replicationFactor > state.live.size)) {
    const detail = `Unable to replicate the partition ${replicationFactor} time(s)`
    return { errorCode: ErrorCode.invalidReplicationFactor, detail }
  }
  return unknownConfig(topic.configs)
}

/** CreateTopics with the rules and error codes of Kafka 4.3.1. By default: one partition, a replica on each node. */
export const createTopics = (
  state: ClusterState,
  topics: ReadonlyArray<NewTopic>,
  validateOnly: boolean
): ReadonlyArray<TopicOutcome> => {
  const total = topics.reduce((sum, { partitions }) => sum + Math.max(1, partitions), 0)
  if (total > mostPartitions) {
    const detail = "Excessively large number of partitions per request"
    return topics.map(({ name }) => ({ name, errorCode: ErrorCode.policyViolation, detail }))
  }
  return topics.map((topic) => {
    const refusal = refusalOf(state, topic)
    if (refusal !== undefined) return { name: topic.name, ...refusal }
    const replicationFactor = topic.replicationFactor < 0 ? state.nodes.length : topic.replicationFactor
    const outcome = { name: topic.name, errorCode: ErrorCode.none, detail: undefined, replicationFactor }
    if (validateOnly) return outcome
    const made = makeTopic(topic.name, state.nodes, {
      partitions: Math.max(1, topic.partitions),
      replicationFactor,
      configs: topic.configs
    })
    state.topics.set(topic.name, made)
    return { ...outcome, topicId: made.topicId }
  })
}

/** DeleteTopics 6 with the rules of Kafka 4.3.1: an id that nobody has comes before permissions, as there. */
export const deleteTopics = (state: ClusterState, topics: ReadonlyArray<DoomedTopic>): ReadonlyArray<TopicOutcome> =>
  topics.map(({ name, topicId }) => {
    const outcome = (errorCode: number, detail?: string) => ({ name, errorCode, detail })
    const found =
      topicId === undefined
        ? state.topics.get(name)
        : [...state.topics.values()].find((topic) => topic.topicId === topicId)
    if (topicId !== undefined && found === undefined) {
      return outcome(ErrorCode.unknownTopicId, "This server does not host this topic ID.")
    }
    if (isDenied(state, "Delete", found?.name ?? name)) {
      return outcome(ErrorCode.topicAuthorizationFailed, "Authorization failed")
    }
    return found !== undefined && state.topics.delete(found.name)
      ? outcome(ErrorCode.none)
      : outcome(ErrorCode.unknownTopicOrPartition, "This server does not host this topic-partition")
  })

export const alterConfigs = (
  state: ClusterState,
  name: string,
  configs: Readonly<Record<string, string | null>>,
  validateOnly = false
): { readonly errorCode: number; readonly detail: string | undefined } => {
  const topic = state.topics.get(name)
  if (isDenied(state, "AlterConfigs", name)) {
    return { errorCode: ErrorCode.topicAuthorizationFailed, detail: "Authorization failed" }
  }
  if (topic === undefined) return { errorCode: ErrorCode.unknownTopicOrPartition, detail: undefined }
  const refusal = unknownConfig(configs)
  if (refusal !== undefined) return refusal
  if (validateOnly) return { errorCode: ErrorCode.none, detail: undefined }
  const set = Object.entries({ ...topic.configs, ...configs }).filter(
    (entry): entry is [string, string] => entry[1] !== null
  )
  topic.configs = Object.fromEntries(set)
  return { errorCode: ErrorCode.none, detail: undefined }
}
