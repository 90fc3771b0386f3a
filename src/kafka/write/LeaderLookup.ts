import { Clock, Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaError, type KafkaReason, TopicRecreated, TopicVanished } from "../KafkaError.ts"
import type { TopicPartition } from "../KafkaSource.ts"
import type { WireTopic } from "../KafkaWire.ts"
import { classOf } from "../read/ErrorCodeClass.ts"
import type { TopicMetadata } from "../read/TopicMetadata.ts"
import { reasonOf } from "./Refusal.ts"

/** The leader of a partition, or why nothing can be sent now. */
export type Found =
  | { readonly _tag: "Leader"; readonly leader: number }
  | { readonly _tag: "NoLeader"; readonly reason: KafkaReason }

export interface LeaderLookup {
  /**
   * Fails if the topic is gone or another one, or hidden because the principal lacks `right`, an ACL operation on it.
   */
  readonly find: (
    place: TopicPartition & { readonly topicId?: string | undefined },
    right?: "Write" | "Delete"
  ) => Effect.Effect<Found, KafkaError>
  /** The metadata of this topic has led nowhere: the next `find` requests newer metadata. */
  readonly invalidate: (topic: string) => void
}

/** Whether the topic of this name is not the one that is meant. */
const isAnother = ({ topicId }: { readonly topicId?: string | undefined }, topic: WireTopic): boolean =>
  topicId !== undefined && topic.topicId !== undefined && topic.topicId !== topicId

/** `vanishedMillis`: how long an unknown topic counts as stale metadata before it counts as deleted. */
export const makeLeaderLookup = (topics: TopicMetadata, vanishedMillis: number): LeaderLookup => {
  /** By topic: the generation of the metadata in use, and the newest one that has led nowhere. */
  const inUse = new Map<string, number>()
  const staleUpTo = new Map<string, number>()
  const missingSince = new Map<string, number>()
  const invalidate = (topic: string) => void staleUpTo.set(topic, inUse.get(topic) ?? 0)
  const failed = (reason: KafkaReason) => Effect.fail(new KafkaError({ operation: "produce", reason }))

  const leaderIn = (
    place: TopicPartition & { readonly topicId?: string | undefined },
    topic: WireTopic,
    nowMillis: number,
    right: "Write" | "Delete"
  ): Effect.Effect<Found, KafkaError> => {
    const asked = {
      doing: `finding the leader of ${place.topic}[${place.partition}]`,
      topic: { resource: `topic ${place.topic}`, operation: right }
    }
    const missing = (): Effect.Effect<Found, KafkaError> => {
      invalidate(place.topic)
      const since = missingSince.get(place.topic) ?? nowMillis
      missingSince.set(place.topic, since)
      return nowMillis - since >= vanishedMillis
        ? failed(new TopicVanished({ topic: place.topic }))
        : Effect.succeed({ _tag: "NoLeader", reason: reasonOf(ErrorCode.leaderNotAvailable, asked) })
    }
    const code = topic.errorCode
    if (classOf(code) === "missing") return missing()
    if (code !== ErrorCode.none && classOf(code) !== "moved") return failed(reasonOf(code, asked))
    if (isAnother(place, topic)) {
      return failed(new TopicRecreated({ topic: place.topic }))
    }
    const partition = topic.partitions.find((candidate) => candidate.partition === place.partition)
    if (code === ErrorCode.none && partition === undefined) return missing()
    missingSince.delete(place.topic)
    if (partition !== undefined && partition.leader >= 0) {
      return Effect.succeed({ _tag: "Leader", leader: partition.leader })
    }
    invalidate(place.topic)
    return Effect.succeed({ _tag: "NoLeader", reason: reasonOf(ErrorCode.leaderNotAvailable, asked) })
  }

  return {
    find: (place, right = "Write") =>
      Effect.gen(function* () {
        const known = yield* topics.get(place.topic)
        const isStale = known.generation <= (staleUpTo.get(place.topic) ?? 0)
        // Metadata from before the topic was made anew does not show that it was.
        const usable = isStale || isAnother(place, known.topic) ? yield* topics.newer(place.topic, known) : known
        inUse.set(place.topic, usable.generation)
        return yield* leaderIn(place, usable.topic, yield* Clock.currentTimeMillis, right)
      }),
    invalidate
  }
}
