import { Effect } from "effect"
import { classOf, reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { failed, type FetchOutcome, moved } from "./FetchOutcome.ts"
import { type KafkaError, TopicRecreated } from "../KafkaError.ts"
import type { ReadRequest } from "../KafkaSource.ts"
import type { WireTopic } from "../KafkaWire.ts"
import type { KnownTopic, TopicMetadata } from "./TopicMetadata.ts"

/** The leader to fetch a partition from. */
export interface Leader {
  readonly _tag: "Leader"
  readonly leader: number
  readonly topicId: string | undefined
}

/**
 * Finds the leader of one partition in metadata; keeps the first topic id that it finds, unless the request has one.
 */
export interface PartitionLeader {
  readonly find: Effect.Effect<Leader | FetchOutcome, KafkaError>
  /** The present metadata is wrong: the next `find` requests newer metadata. */
  readonly invalidate: () => void
  /** True if the newest metadata still names the topic, so that only the leader reports it as missing. */
  readonly isNamed: () => boolean
}

export const makePartitionLeader = (topics: TopicMetadata, request: ReadRequest): PartitionLeader => {
  let newest: KnownTopic | undefined
  let isStale = false
  let topicId = request.topicId

  const leaderIn = (topic: WireTopic): Leader | FetchOutcome => {
    switch (classOf(topic.errorCode)) {
      case "none":
        break
      case "missing":
        return { _tag: "Missing" }
      case "moved":
        return moved(topic.errorCode, request)
      default:
        return failed(reasonFor(topic.errorCode, request.topic, "Describe", `asking for topic ${request.topic}`))
    }
    topicId ??= topic.topicId
    if (topic.topicId !== undefined && topic.topicId !== topicId)
      return failed(new TopicRecreated({ topic: topic.name }))
    const { partition: wanted } = request
    const partition = topic.partitions.find((candidate) => candidate.partition === wanted)
    if (partition === undefined) return { _tag: "Missing" }
    if (partition.leader < 0) return moved(ErrorCode.leaderNotAvailable, request)
    return { _tag: "Leader", leader: partition.leader, topicId }
  }

  return {
    find: Effect.suspend(() => {
      if (isStale) return topics.newer(request.topic, newest)
      return Effect.flatMap(topics.get(request.topic), (known) =>
        // Metadata from before the topic was made anew does not show that it was.
        topicId !== undefined && known.topic.topicId !== undefined && known.topic.topicId !== topicId
          ? topics.newer(request.topic, known)
          : Effect.succeed(known)
      )
    }).pipe(
      Effect.map((entry) => {
        newest = entry
        isStale = false
        return leaderIn(entry.topic)
      })
    ),
    invalidate: () => {
      isStale = true
    },
    isNamed: () => newest !== undefined && classOf(newest.topic.errorCode) === "none"
  }
}
