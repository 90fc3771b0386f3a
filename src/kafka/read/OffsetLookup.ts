import { Clock, Effect, Result } from "effect"
import { classOf, reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaError, type KafkaReason, TopicVanished } from "../KafkaError.ts"
import type { PartitionOffset, TopicPartition } from "../KafkaSource.ts"
import type { KafkaWire, OffsetSpec, WireMetadata } from "../KafkaWire.ts"
import * as Backoff from "./Backoff.ts"
import type { SourceOptions } from "./SourceOptions.ts"

/** Partitions in one ListOffsets request: an answer takes about 30 bytes per partition, so frames stay small. */
const partitionsPerRequest = 1000
/** Brokers asked at the same time. */
const brokersAtOnce = 8

interface Open extends TopicPartition {
  readonly index: number
}

/** Why partitions were left unanswered, if any were: the failure once the time limit ends. */
interface Round {
  readonly reason: KafkaReason | undefined
}

const offsetError = (reason: KafkaReason) => new KafkaError({ operation: "offsets", reason })

const openReason = (code: number, { topic, partition }: TopicPartition): KafkaReason =>
  classOf(code) === "missing"
    ? new TopicVanished({ topic })
    : reasonFor(code, topic, "Describe", `asking for offsets of ${topic}[${partition}]`)

/**
 * One offset per partition, in the order of `partitions`. Requests are grouped by leader. Partitions whose leader has
 * moved are requested again with fresh metadata, until all are answered or `controlMillis` pass without any answer.
 * Offset -1: no record has that time or a later one.
 */
export const askOffsets = Effect.fnUntraced(function* (
  wire: Pick<KafkaWire, "metadata" | "offsets">,
  options: Pick<SourceOptions, "vanishedMillis" | "controlMillis">,
  partitions: ReadonlyArray<TopicPartition>,
  kind: OffsetSpec
) {
  const answers: Array<PartitionOffset> = []
  let open: ReadonlyArray<Open> = partitions.map(({ topic, partition }, index) => ({ topic, partition, index }))
  let failures = 0
  let progressMillis = yield* Clock.currentTimeMillis
  while (open.length > 0) {
    const asked: ReadonlyArray<Open> = open
    const result = yield* Effect.result(askOnce(wire, asked, kind, answers))
    if (Result.isFailure(result) && !result.failure.isRetryable) return yield* result.failure
    open = asked.filter(({ index }) => answers[index] === undefined)
    if (open.length === 0) break
    const error = Result.isFailure(result) ? result.failure : offsetError(result.success.reason!)
    const nowMillis = yield* Clock.currentTimeMillis
    if (open.length < asked.length) {
      progressMillis = nowMillis
      failures = 0
    }
    const missing = error.reason._tag === "TopicVanished"
    const limitMillis = missing ? Math.min(options.vanishedMillis, options.controlMillis) : options.controlMillis
    if (nowMillis - progressMillis >= limitMillis) return yield* error
    yield* Backoff.wait(failures++)
  }
  return answers as ReadonlyArray<PartitionOffset>
})

const askOnce = Effect.fnUntraced(function* (
  wire: Pick<KafkaWire, "metadata" | "offsets">,
  asked: ReadonlyArray<Open>,
  kind: OffsetSpec,
  answers: Array<PartitionOffset>
) {
  const metadata = yield* wire.metadata([...new Set(asked.map(({ topic }) => topic))])
  const leaders = leadersOf(metadata)
  const byLeader = new Map<number, Array<Open>>()
  let reason: KafkaReason | undefined
  for (const wanted of asked) {
    const found = leaders(wanted)
    if (classOf(found.errorCode) === "refused") return yield* offsetError(openReason(found.errorCode, wanted))
    if (found.errorCode !== ErrorCode.none) {
      reason ??= openReason(found.errorCode, wanted)
      continue
    }
    const group = byLeader.get(found.leader)
    if (group === undefined) byLeader.set(found.leader, [wanted])
    else group.push(wanted)
  }
  const requests = [...byLeader].flatMap(([leader, group]) =>
    Array.from({ length: Math.ceil(group.length / partitionsPerRequest) }, (_, i) => ({
      leader,
      group: group.slice(i * partitionsPerRequest, (i + 1) * partitionsPerRequest)
    }))
  )
  const rounds = yield* Effect.forEach(
    requests,
    ({ leader, group }) =>
      wire.offsets(leader, group, kind).pipe(
        Effect.flatMap((codes) => keep(group, codes, answers, typeof kind === "object" ? -1 : 0)),
        // One unreachable broker must not discard the answers of the others.
        Effect.catchIf(
          (error) => error.isRetryable,
          (error): Effect.Effect<Round> => Effect.succeed({ reason: error.reason })
        )
      ),
    { concurrency: brokersAtOnce }
  )
  return { reason: reason ?? rounds.find((round) => round.reason !== undefined)?.reason } satisfies Round
})

const keep = (
  group: ReadonlyArray<Open>,
  codes: ReadonlyArray<{ readonly errorCode: number; readonly offset: number }>,
  answers: Array<PartitionOffset>,
  least: number
): Effect.Effect<Round, KafkaError> => {
  let reason: KafkaReason | undefined
  for (const [i, wanted] of group.entries()) {
    const { errorCode, offset } = codes[i] ?? { errorCode: ErrorCode.requestTimedOut, offset: -1 }
    const answered = errorCode === ErrorCode.none && Number.isSafeInteger(offset) && offset >= least
    if (answered) answers[wanted.index] = { topic: wanted.topic, partition: wanted.partition, offset }
    else if (classOf(errorCode) === "refused") return Effect.fail(offsetError(openReason(errorCode, wanted)))
    else reason ??= openReason(errorCode === ErrorCode.none ? ErrorCode.offsetNotAvailable : errorCode, wanted)
  }
  return Effect.succeed({ reason })
}

const leadersOf = (metadata: WireMetadata) => {
  const topics = new Map(
    metadata.topics.map((topic) => [
      topic.name,
      { errorCode: topic.errorCode, partitions: new Map(topic.partitions.map((each) => [each.partition, each.leader])) }
    ])
  )
  return ({ topic, partition }: TopicPartition): { readonly errorCode: number; readonly leader: number } => {
    const found = topics.get(topic)
    if (found === undefined) return { errorCode: ErrorCode.unknownTopicOrPartition, leader: -1 }
    if (found.errorCode !== ErrorCode.none) return { errorCode: found.errorCode, leader: -1 }
    const leader = found.partitions.get(partition)
    if (leader === undefined) return { errorCode: ErrorCode.unknownTopicOrPartition, leader: -1 }
    return { errorCode: leader < 0 ? ErrorCode.leaderNotAvailable : ErrorCode.none, leader }
  }
}
