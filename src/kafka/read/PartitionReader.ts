import { Clock, Effect } from "effect"
import { isCompactedTail } from "./CompactedTail.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { failed, type FetchOutcome, moved, outcomeOf } from "./FetchOutcome.ts"
import { type KafkaError, LogTruncated } from "../KafkaError.ts"
import type { FetchedBatches, ReadRequest } from "../KafkaSource.ts"
import type { KafkaWire, WireFetch } from "../KafkaWire.ts"
import { makeFetchSize } from "./FetchSize.ts"
import { makePartitionLeader, type Leader } from "./PartitionLeader.ts"
import { makeReadPatience } from "./ReadPatience.ts"
import * as Backoff from "./Backoff.ts"
import type { SourceOptions } from "./SourceOptions.ts"
import type { TopicMetadata } from "./TopicMetadata.ts"

/** Reads one partition forward, one element at a time. Only one `advance` may run at a time. */
export interface PartitionReader {
  /** Fetches until there is a next element, and keeps it for `take`. */
  readonly advance: Effect.Effect<void, KafkaError>
  /** The element that `advance` kept; only the first call returns it. */
  readonly take: () => FetchedBatches | undefined
  /** True once the position has reached the end: no further `advance`. */
  readonly ended: () => boolean
}

/** The outcome of an attempt without an answer. */
const disconnected = (error: KafkaError): FetchOutcome => ({ _tag: error.isRetryable ? "Moved" : "Failed", error })

export const makePartitionReader = (
  wire: KafkaWire,
  topics: TopicMetadata,
  options: SourceOptions,
  request: ReadRequest
): PartitionReader => {
  const { topic, partition, until } = request
  const partitions = [{ topic, partition }]
  const leader = makePartitionLeader(topics, request)
  const size = makeFetchSize(request.fetchBytes ?? options.fetchBytes, request.mostFetchBytes)
  let position = request.from
  let replica: number | undefined
  let quietMillis = 0
  let ready: FetchedBatches | undefined
  let asked: WireFetch | undefined

  const keep = (element: FetchedBatches) => {
    position = element.position
    ready = element
  }

  /** Kafka has deleted all offsets below `end`: reported as an element without batches. */
  const keepGap = (end: number): FetchOutcome => {
    const gap = { from: position, until: end }
    const element = { topic, partition, batches: [], position: end, fetchedBytes: 0, gap, release: () => {} }
    keep(element)
    return { _tag: "Progress", element }
  }

  const fetch = (node: number, { topicId }: Leader, maxBytes: number): Effect.Effect<FetchOutcome, KafkaError> => {
    const { maxWaitMillis } = options
    asked = { topic, partition, topicId, leader: node, offset: position, maxBytes, maxWaitMillis }
    const sent = asked
    // An answer is classified and kept as soon as it arrives, so that an interruption cannot lose its buffers.
    return Effect.uninterruptibleMask((restore) =>
      restore(wire.fetch(sent)).pipe(
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

  /** The leader reports the position as out of range: finds out which end of the log it is beyond. */
  const outOfRange = Effect.gen(function* () {
    leader.invalidate()
    const found = yield* leader.find
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
    const found = yield* leader.find
    if (found._tag !== "Leader") return found
    const outcome = yield* fetch(replica ?? found.leader, found, maxBytes)
    if (outcome._tag !== "OutOfRange") return outcome
    // Another replica may lag behind or hold less, so the leader is asked for its offsets.
    return yield* outOfRange
  })

  /** Adjusts the node to fetch from after an attempt without progress; returns the limit of the next fetch in bytes. */
  const adjust = (outcome: FetchOutcome, maxBytes: number): number => {
    // A failing replica does not make the metadata of the leader stale.
    if (outcome._tag === "Missing" || (outcome._tag === "Moved" && replica === undefined)) leader.invalidate()
    if (outcome._tag === "Redirected") replica = outcome.node
    else if (outcome._tag !== "Throttled" && outcome._tag !== "CutShort") replica = undefined
    return outcome._tag === "CutShort"
      ? Math.min(options.maxFetchBytes, Math.max(maxBytes * 2, outcome.neededBytes))
      : maxBytes
  }

  /** True if compaction has left no record up to the end; a lost connection proves nothing. */
  const isTailCompacted = Effect.suspend(() => isCompactedTail(wire, asked!, until)).pipe(
    Effect.catchIf(
      ({ isRetryable }) => isRetryable,
      () => Effect.succeed(false)
    )
  )

  const advance = Effect.gen(function* () {
    if (quietMillis > 0) yield* Effect.sleep(quietMillis)
    quietMillis = 0
    let startedMillis = yield* Clock.currentTimeMillis
    const patience = makeReadPatience(options, request, startedMillis)
    let maxBytes = size.next()
    let checkTailAfterMillis = options.compactedTailMillis
    for (;;) {
      const outcome = yield* Effect.catch(attempt(maxBytes), (error) => Effect.succeed(disconnected(error)))
      const nowMillis = yield* Clock.currentTimeMillis
      if (outcome._tag === "Progress") {
        size.fetched(maxBytes, outcome.element.fetchedBytes, nowMillis - startedMillis)
        return
      }
      const next = patience.next(outcome, { nowMillis, position, maxBytes, isNamed: leader.isNamed() })
      if (next._tag === "Never") return yield* next.error
      if (outcome._tag === "Empty" && outcome.lastStableOffset >= until && replica === undefined) {
        const emptyMillis = patience.emptyMillis(nowMillis)
        if (emptyMillis !== undefined && emptyMillis >= checkTailAfterMillis) {
          checkTailAfterMillis = emptyMillis + options.compactedTailMillis
          if (yield* isTailCompacted) {
            keepGap(until)
            return
          }
        }
      }
      maxBytes = adjust(outcome, maxBytes)
      if (next._tag === "After") yield* Effect.sleep(next.millis)
      if (next._tag === "BackedOff") yield* Backoff.wait(next.failures)
      startedMillis = yield* Clock.currentTimeMillis
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
