import { Clock, Effect } from "effect"
import { isCompactedTail } from "./CompactedTail.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { failed, type FetchOutcome, moved, outcomeOf } from "./FetchOutcome.ts"
import { type KafkaError, LogTruncated } from "../KafkaError.ts"
import type { FetchedBatches, ReadRequest } from "../KafkaSource.ts"
import type { KafkaWire, WireFetch } from "../KafkaWire.ts"
import { makePartitionPlace, type LeaderPlace } from "./PartitionPlace.ts"
import { makeReadPatience } from "./ReadPatience.ts"
import { backoff, type SourceOptions } from "./SourceOptions.ts"
import type { TopicMetadata } from "./TopicMetadata.ts"

/** Reads one partition forward, one element at a time; not to be advanced twice at once. */
export interface PartitionReader {
  /** Tries until there is a next element, and keeps it for `take`. */
  readonly advance: Effect.Effect<void, KafkaError>
  /** The element that `advance` found, once. */
  readonly take: () => FetchedBatches | undefined
  /** True when the position has reached the end: no further `advance`. */
  readonly ended: () => boolean
}

/** What an attempt comes to when there was no answer at all. */
const disconnected = (error: KafkaError): FetchOutcome => ({ _tag: error.isRetryable ? "Moved" : "Failed", error })

export const makePartitionReader = (
  wire: KafkaWire,
  topics: TopicMetadata,
  options: SourceOptions,
  request: ReadRequest
): PartitionReader => {
  const { topic, partition, until } = request
  const partitions = [{ topic, partition }]
  const place = makePartitionPlace(topics, request)
  let position = request.from
  let replica: number | undefined
  let quietMillis = 0
  let ready: FetchedBatches | undefined
  let asked: WireFetch | undefined

  const keep = (element: FetchedBatches) => {
    position = element.position
    ready = element
  }

  /** Nothing is left below `end`: said with an element of its own. */
  const keepGap = (end: number): FetchOutcome => {
    const gap = { from: position, until: end }
    const element = { topic, partition, batches: [], position: end, fetchedBytes: 0, gap, release: () => {} }
    keep(element)
    return { _tag: "Progress", element }
  }

  const fetch = (node: number, { topicId }: LeaderPlace, maxBytes: number): Effect.Effect<FetchOutcome, KafkaError> => {
    const { maxWaitMillis } = options
    asked = { topic, partition, topicId, leader: node, offset: position, maxBytes, maxWaitMillis }
    const question = asked
    // An answer is judged and kept in the same breath as it arrives, so that interruption cannot lose its buffers.
    return Effect.uninterruptibleMask((restore) =>
      restore(wire.fetch(question)).pipe(
        Effect.map((answer) => {
          const outcome = outcomeOf({ request, position, node, maxBytes }, answer)
          if (outcome._tag === "Progress") {
            quietMillis = answer.throttleMillis
            keep(outcome.element)
          }
          return outcome
        })
      )
    )
  }

  /** The leader says that the position is not in its log: which end was passed? */
  const outOfRange = Effect.gen(function* () {
    place.doubt()
    const found = yield* place.find
    if (found._tag !== "Leader") return found
    const [start] = yield* wire.offsets(found.leader, partitions, "logStart")
    const [end] = yield* wire.offsets(found.leader, partitions, "highWatermark")
    if (start?.errorCode !== 0 || end?.errorCode !== 0) return moved(ErrorCode.offsetOutOfRange, request)
    if (position < start.offset) {
      return keepGap(Math.min(start.offset, until))
    }
    if (position > end.offset) return failed(new LogTruncated({ topic, partition, position, logEnd: end.offset }))
    return moved(ErrorCode.offsetOutOfRange, request)
  })

  const attempt = Effect.fnUntraced(function* (maxBytes: number) {
    const found = yield* place.find
    if (found._tag !== "Leader") return found
    const outcome = yield* fetch(replica ?? found.leader, found, maxBytes)
    if (outcome._tag !== "OutOfRange") return outcome
    // Another replica may lag behind or keep less, so it is the leader who is asked for its offsets.
    return yield* outOfRange
  })

  /** What an attempt without progress teaches about where and how much to ask next. */
  const learn = (outcome: FetchOutcome, maxBytes: number): number => {
    // A replica that fails is no reason to doubt who the leader is.
    if (outcome._tag === "Missing" || (outcome._tag === "Moved" && replica === undefined)) place.doubt()
    if (outcome._tag === "Redirected") replica = outcome.node
    else if (outcome._tag !== "Throttled" && outcome._tag !== "CutShort") replica = undefined
    return outcome._tag === "CutShort"
      ? Math.min(options.maxFetchBytes, Math.max(maxBytes * 2, outcome.neededBytes))
      : maxBytes
  }

  /** True when compaction has left nothing up to the end; a lost connection proves nothing. */
  const isHollow = Effect.suspend(() => isCompactedTail(wire, asked!, until)).pipe(
    Effect.catchIf(
      ({ isRetryable }) => isRetryable,
      () => Effect.succeed(false)
    )
  )

  const advance = Effect.gen(function* () {
    if (quietMillis > 0) yield* Effect.sleep(quietMillis)
    quietMillis = 0
    const patience = makeReadPatience(options, request, yield* Clock.currentTimeMillis)
    let maxBytes = request.fetchBytes ?? options.fetchBytes
    let lookAfterMillis = options.compactedTailMillis
    for (;;) {
      const outcome = yield* Effect.catch(attempt(maxBytes), (error) => Effect.succeed(disconnected(error)))
      if (outcome._tag === "Progress") return
      const nowMillis = yield* Clock.currentTimeMillis
      const next = patience.next(outcome, { nowMillis, position, maxBytes, isNamed: place.isNamed() })
      if (next._tag === "Never") return yield* next.error
      if (outcome._tag === "Empty" && outcome.lastStableOffset >= until && replica === undefined) {
        const emptyMillis = patience.emptyMillis(nowMillis)
        if (emptyMillis !== undefined && emptyMillis >= lookAfterMillis) {
          lookAfterMillis = emptyMillis + options.compactedTailMillis
          if (yield* isHollow) {
            keepGap(until)
            return
          }
        }
      }
      maxBytes = learn(outcome, maxBytes)
      if (next._tag === "After") yield* Effect.sleep(next.millis)
      if (next._tag === "BackedOff") yield* backoff(next.failures)
    }
  })

  return {
    advance,
    take: () => {
      const element = ready
      ready = undefined
      return element
    },
    ended: () => position >= until
  }
}
