import { Effect } from "effect"
import { meaningOf, reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { failed, type FetchOutcome, moved } from "./FetchOutcome.ts"
import { type KafkaError, TopicRecreated } from "../KafkaError.ts"
import type { ReadRequest } from "../KafkaSource.ts"
import type { WireTopic } from "../KafkaWire.ts"
import type { KnownTopic, TopicMetadata } from "./TopicMetadata.ts"

/** Where to send a fetch. */
export interface LeaderPlace {
  readonly _tag: "Leader"
  readonly leader: number
  readonly topicId: string | undefined
}

/** Follows one partition through metadata; keeps the topic id that it saw first, unless the request names one. */
export interface PartitionPlace {
  readonly find: Effect.Effect<LeaderPlace | FetchOutcome, KafkaError>
  /** What is known is wrong: the next `find` asks for something newer. */
  readonly doubt: () => void
  /** True when the newest metadata still names the topic, so that "missing" is the broker's view alone. */
  readonly isNamed: () => boolean
}

export const makePartitionPlace = (topics: TopicMetadata, request: ReadRequest): PartitionPlace => {
  let known: KnownTopic | undefined
  let doubted = false
  let topicId = request.topicId

  const judge = (topic: WireTopic): LeaderPlace | FetchOutcome => {
    switch (meaningOf(topic.errorCode)) {
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
    find: Effect.suspend(() => (doubted ? topics.newer(request.topic, known) : topics.get(request.topic))).pipe(
      Effect.map((entry) => {
        known = entry
        doubted = false
        return judge(entry.topic)
      })
    ),
    doubt: () => {
      doubted = true
    },
    isNamed: () => known !== undefined && meaningOf(known.topic.errorCode) === "none"
  }
}
