import { Effect, Result } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import type { KafkaError } from "../KafkaError.ts"
import type { Appended, Producer } from "../KafkaSink.ts"
import type { TopicPartition } from "../KafkaSource.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import { outcomeOf } from "./AppendOutcome.ts"
import type { LeaderLookup } from "./LeaderLookup.ts"
import { reasonOf } from "./Refusal.ts"

/** Markers in one request: 45 ms and 30 KB with Kafka 4.3.1. */
const markersPerRequest = 1000

/** `KafkaSink.markers` on a wire. */
export const writeMarkers = Effect.fnUntraced(function* (
  wire: KafkaWriteWire,
  leaders: LeaderLookup,
  place: TopicPartition,
  producer: Producer,
  count: number
): Effect.fn.Return<Appended, KafkaError> {
  const asked = {
    doing: `writing markers to ${place.topic}[${place.partition}]`,
    topic: { resource: `topic ${place.topic}`, operation: "Write" },
    cluster: { resource: "cluster", operation: "Alter" }
  }
  const found = yield* leaders.find(place)
  if (found._tag === "NoLeader") return { _tag: "NotYet", reason: found.reason }
  const { leader } = found
  for (let written = 0; written < count; written += markersPerRequest) {
    const size = Math.min(markersPerRequest, count - written)
    const answer = yield* Effect.result(wire.writeMarkers(leader, place, producer, size))
    if (Result.isFailure(answer)) {
      leaders.invalidate(place.topic)
      if (!answer.failure.isRetryable) return yield* answer.failure
      return { _tag: "Unclear", reason: answer.failure.reason }
    }
    if (answer.success === ErrorCode.none) continue
    leaders.invalidate(place.topic)
    const refused = { errorCode: answer.success, baseOffset: -1, detail: undefined }
    const outcome = outcomeOf(refused, place, asked)
    if (outcome._tag === "KafkaError") return yield* outcome
    return outcome._tag === "NotYet" && written > 0 ? { _tag: "Unclear", reason: outcome.reason } : outcome
  }
  // The answer names no offset, but all replicas have the markers by now: they are the newest offsets.
  const ends = yield* Effect.result(wire.offsets(leader, [place], "highWatermark"))
  if (Result.isFailure(ends)) return { _tag: "Unclear", reason: ends.failure.reason }
  const [end] = ends.success
  if (end === undefined || end.errorCode !== ErrorCode.none) {
    return { _tag: "Unclear", reason: reasonOf(end?.errorCode ?? ErrorCode.requestTimedOut, asked) }
  }
  return { _tag: "Appended", baseOffset: end.offset - count }
})
