import { Clock, Effect, Result } from "effect"
import { reasonFor } from "./CodeMeaning.ts"
import { isCompactedTail } from "./CompactedTail.ts"
import { ErrorCode } from "./ErrorCode.ts"
import { failed, type FetchOutcome, moved, outcomeOf } from "./FetchOutcome.ts"
import { KafkaError, LogTruncated, Stalled, TopicVanished } from "./KafkaError.ts"
import type { FetchedBatches, ReadRequest } from "./KafkaSource.ts"
import type { KafkaWire, WireFetch } from "./KafkaWire.ts"
import { makePartitionPlace, type Place } from "./PartitionPlace.ts"
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

/** Refetches of an unsound answer before it is believed. */
const unsoundRefetches = 2
/** Redirections followed at once; what sends us around in circles is then followed slowly. */
const freeRedirects = 2
/** Answers with bytes but no movement before the read fails. */
const stuckAnswers = 2

/** An offset that a broker tells, -1 when it does not. */
const isBelow = (told: number, offset: number) => told >= 0 && told < offset

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

  const fetch = (node: number, { topicId }: Place, maxBytes: number): Effect.Effect<FetchOutcome, KafkaError> => {
    const id = topicId === undefined ? {} : { topicId }
    const { maxWaitMillis } = options
    asked = { topic, partition, ...id, leader: node, offset: position, maxBytes, maxWaitMillis }
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
    if (found._tag !== "Place") return found
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
    if (found._tag !== "Place") return found
    const node = replica ?? found.leader
    const outcome = yield* fetch(node, found, maxBytes)
    if (outcome._tag !== "OutOfRange") return outcome
    // Another replica may lag behind or keep less: only the leader's word counts.
    if (node !== found.leader) return moved(ErrorCode.offsetOutOfRange, request)
    return yield* outOfRange
  })

  const stalled = (detail: string) =>
    new KafkaError({ operation: "fetch", reason: new Stalled({ topic, partition, position, until, detail }) })

  /** Metadata names the topic and partition, yet whoever leads it does not know it. */
  const unserved = () =>
    new KafkaError({
      operation: "fetch",
      reason: reasonFor(ErrorCode.unknownTopicOrPartition, topic, "Read", `fetching ${topic}[${partition}]`)
    })

  const advance = Effect.gen(function* () {
    if (quietMillis > 0) yield* Effect.sleep(quietMillis)
    quietMillis = 0
    const startedMillis = yield* Clock.currentTimeMillis
    let maxBytes = request.fetchBytes ?? options.fetchBytes
    let failures = 0
    let unsound = 0
    let stuck = 0
    let redirects = 0
    let throttledMillis = 0
    let missingSince: number | undefined
    let emptySince: number | undefined
    let lookMillis = 0
    for (;;) {
      const attempted = yield* Effect.result(attempt(maxBytes))
      const outcome: FetchOutcome = Result.isSuccess(attempted)
        ? attempted.success
        : attempted.failure.isRetryable
          ? { _tag: "Moved", error: attempted.failure }
          : { _tag: "Failed", error: attempted.failure }
      const nowMillis = yield* Clock.currentTimeMillis
      const spent = nowMillis - startedMillis - throttledMillis >= options.noProgressMillis
      if (outcome._tag !== "Missing") missingSince = undefined
      if (outcome._tag !== "Empty") emptySince = undefined
      switch (outcome._tag) {
        case "Progress":
          return
        case "Failed":
          return yield* outcome.error
        case "Redirected":
          replica = outcome.node
          if (spent) return yield* stalled("brokers send us from one to another and none answers")
          if (failures > 0 || ++redirects > freeRedirects) yield* backoff(failures++)
          break
        case "CutShort": {
          if (outcome.neededBytes > options.maxFetchBytes || maxBytes >= options.maxFetchBytes) {
            const ceiling = `${options.maxFetchBytes} bytes, the most we fetch at once`
            return yield* stalled(`the next batch has ${outcome.neededBytes} bytes and arrives cut at ${ceiling}`)
          }
          maxBytes = Math.min(options.maxFetchBytes, Math.max(maxBytes * 2, outcome.neededBytes))
          break
        }
        case "Throttled":
          throttledMillis += outcome.millis
          if (throttledMillis >= options.throttledMillis || spent) {
            return yield* stalled(`the broker's quota held us back for ${throttledMillis} ms without a byte`)
          }
          yield* Effect.sleep(outcome.millis)
          break
        case "Empty":
          replica = undefined
          emptySince ??= nowMillis
          if (nowMillis - emptySince >= options.vanishedMillis && isBelow(outcome.highWatermark, until)) {
            const reason = new LogTruncated({ topic, partition, position: until, logEnd: outcome.highWatermark })
            return yield* new KafkaError({ operation: "fetch", reason })
          }
          if (
            nowMillis >= Math.max(lookMillis, emptySince + options.hollowMillis) &&
            outcome.lastStableOffset >= until
          ) {
            lookMillis = nowMillis + options.hollowMillis
            const look = Effect.catchIf(
              isCompactedTail(wire, asked!, until),
              ({ isRetryable }) => isRetryable,
              () => Effect.succeed(false)
            )
            if (yield* look) {
              keepGap(until)
              return
            }
          }
          if (spent) return yield* stalled("the leader answers without an error and without a byte")
          yield* backoff(failures++)
          break
        case "Stuck":
          if (++stuck >= stuckAnswers) {
            return yield* stalled(`answers of ${outcome.bytes} bytes hold nothing at or beyond the offset asked for`)
          }
          break
        case "Unsound":
          replica = undefined
          if (++unsound > unsoundRefetches) return yield* outcome.error
          yield* backoff(unsound)
          break
        case "Missing": {
          replica = undefined
          missingSince ??= nowMillis
          const isNamed = place.stillNamed()
          if (!isNamed && nowMillis - missingSince >= options.vanishedMillis) {
            return yield* new KafkaError({ operation: "fetch", reason: new TopicVanished({ topic }) })
          }
          if (spent) return yield* isNamed ? unserved() : stalled("its topic comes and goes")
          place.doubt()
          yield* backoff(failures++)
          break
        }
        case "Moved":
          if (spent) return yield* outcome.error
          // A replica that fails is no reason to doubt who the leader is.
          if (replica === undefined) place.doubt()
          replica = undefined
          yield* backoff(failures++)
          break
        case "OutOfRange":
          return yield* Effect.die(new Error("an unanswered OFFSET_OUT_OF_RANGE"))
      }
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
