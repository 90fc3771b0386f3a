import { Effect } from "effect"
import { classOf, reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaError } from "../KafkaError.ts"
import type { TopicInfo, TopicLookup } from "../KafkaSource.ts"
import type { WireTopic } from "../KafkaWire.ts"
import type { TopicMetadata } from "./TopicMetadata.ts"

/** The error code for an invalid topic name. Source: Kafka protocol guide, "Error Codes". */
const invalidTopic = 17

const topicInfo = (topic: WireTopic): TopicInfo => ({
  name: topic.name,
  ...(topic.topicId === undefined ? {} : { topicId: topic.topicId }),
  isInternal: topic.isInternal,
  partitions: topic.partitions
    .map(({ partition, leader, replicas }) => ({ partition, leader, replicas: replicas.length }))
    .toSorted((a, b) => a.partition - b.partition)
})

const lookup = (name: string, topic: WireTopic | undefined): Effect.Effect<TopicLookup, KafkaError> => {
  if (topic === undefined || topic.errorCode === invalidTopic) return Effect.succeed({ _tag: "Missing", name })
  if (topic.errorCode === ErrorCode.topicAuthorizationFailed) return Effect.succeed({ _tag: "Denied", name })
  switch (classOf(topic.errorCode)) {
    case "none":
      return Effect.succeed({ _tag: "Found", topic: topicInfo(topic) })
    case "missing":
      return Effect.succeed({ _tag: "Missing", name })
    default: {
      const reason = reasonFor(topic.errorCode, name, "Describe", `asking for topic ${name}`)
      return Effect.fail(new KafkaError({ operation: "metadata", reason }))
    }
  }
}

/** Requests metadata once; a topic that is still being created fails retryably. */
export const lookupTopics = (metadata: Pick<TopicMetadata, "request">, names: ReadonlyArray<string>) =>
  Effect.flatMap(metadata.request(names), ({ topics }) => {
    const byName = new Map(topics.map((topic) => [topic.name, topic]))
    return Effect.forEach(names, (name) => lookup(name, byName.get(name)))
  })

/** Every topic that the broker shows to the principal, except topics that are being deleted. */
export const listTopics = (metadata: Pick<TopicMetadata, "request">) =>
  Effect.map(metadata.request("all"), ({ clusterId, topics }) => {
    const usable = topics.filter(({ errorCode }) => ["none", "moved"].includes(classOf(errorCode)))
    return { clusterId, topics: usable.map(topicInfo) }
  })
