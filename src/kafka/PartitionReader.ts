import { Clock, Effect, Result } from "effect"
import { ErrorCode } from "./ErrorCode.ts"
import { failed, type FetchOutcome, moved, outcomeOf } from "./FetchOutcome.ts"
import { KafkaError, LogTruncated, Stalled, TopicVanished } from "./KafkaError.ts"
import type { FetchedBatches, ReadRequest } from "./KafkaSource.ts"
import type { KafkaWire } from "./KafkaWire.ts"
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
/** Successive answers with bytes but no movement before the read fails. */
const stuckAnswers = 2

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

  const keep = (element: FetchedBatches) => {
    position = element.position
    ready = element
  }

  const fetch = (node: number, { topicId }: Place, maxBytes: number): Effect.Effect<FetchOutcome, KafkaError> => {
    const id = topicId === undefined ? {} : { topicId }
    const { maxWaitMillis } = options
    // An answer is judged and kept in the same breath as it arrives, so that interruption cannot lose its buffers.
    return Effect.uninterruptibleMask((restore) =>
      restore(wire.fetch({ topic, partition, ...id, leader: node, offset: position, maxBytes, maxWaitMillis })).pipe(
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
      const gap = { from: position, until: Math.min(start.offset, until) }
      const element = { topic, partition, batches: [], position: gap.until, fetchedBytes: 0, gap, release: () => {} }
      keep(element)
      return { _tag: "Progress", element } as const
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

  const advance = Effect.gen(function* () {
    if (quietMillis > 0) yield* Effect.sleep(quietMillis)
    quietMillis = 0
    const startedMillis = yield* Clock.currentTimeMillis
    let maxBytes = request.fetchBytes ?? options.fetchBytes
    let failures = 0
    let unsound = 0
    let stuck = 0
    let throttledMillis = 0
    let missingSince: number | undefined
    let emptySince: number | undefined
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
          if (failures === 0) break
          if (spent) return yield* stalled("brokers send us to a replica that does not answer")
          yield* backoff(failures)
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
          if (nowMillis - emptySince >= options.vanishedMillis && outcome.highWatermark >= 0 && outcome.highWatermark < until) {
            const reason = new LogTruncated({ topic, partition, position: until, logEnd: outcome.highWatermark })
            return yield* new KafkaError({ operation: "fetch", reason })
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
          const patience = place.stillNamed() ? options.noProgressMillis : options.vanishedMillis
          if (nowMillis - missingSince >= patience || spent) {
            return yield* new KafkaError({ operation: "fetch", reason: new TopicVanished({ topic }) })
          }
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
