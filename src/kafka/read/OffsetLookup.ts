import { Clock, Effect, Result } from "effect"
import { classOf, reasonFor } from "./ErrorCodeClass.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaError, type KafkaReason, TopicVanished } from "../KafkaError.ts"
import type { EpochEnd, EpochPlace, PartitionOffset, TopicPartition } from "../KafkaSource.ts"
import type { KafkaWire, OffsetSpec, WireTopic } from "../KafkaWire.ts"
import * as Backoff from "./Backoff.ts"
import type { SourceOptions } from "./SourceOptions.ts"
import type { TopicMetadata } from "./TopicMetadata.ts"

/** Partitions in one ListOffsets request: an answer takes about 30 bytes per partition, so frames stay small. */
const partitionsPerRequest = 1000
/** Brokers asked at the same time. */
const brokersAtOnce = 8
/**
 * Leaders that were named this shortly before are asked without new metadata: a plan asks for several kinds of offsets
 * in a row. A broker that leads no longer says so.
 */
const leadersMillis = 5_000

interface Open<P> {
  readonly place: P
  readonly index: number
}

/** Why partitions were left unanswered, if any were: the failure once the time limit ends. */
interface Round {
  readonly reason: KafkaReason | undefined
}

/** An answer for one partition; without `found` it is an error. */
interface Answered<A> {
  readonly errorCode: number
  readonly found: A | undefined
}

/** Asks one leader about some partitions: an answer for each, in their order. */
type Ask<P, A> = (leader: number, places: ReadonlyArray<P>) => Effect.Effect<ReadonlyArray<Answered<A>>, KafkaError>

const offsetError = (reason: KafkaReason) => new KafkaError({ operation: "offsets", reason })

const openReason = (code: number, { topic, partition }: TopicPartition): KafkaReason =>
  classOf(code) === "missing"
    ? new TopicVanished({ topic })
    : reasonFor(code, topic, "Describe", `asking for offsets of ${topic}[${partition}]`)

/** Who knows the leaders. */
export type Leaders = Pick<TopicMetadata, "known" | "request">

/**
 * One answer per partition, in the order of `places`. Requests are grouped by leader. Partitions whose leader has moved
 * are requested again with fresh metadata, until all are answered or `controlMillis` pass without any answer.
 */
const askLeaders = Effect.fnUntraced(function* <P extends TopicPartition, A>(
  leaders: Leaders,
  options: Pick<SourceOptions, "vanishedMillis" | "controlMillis">,
  places: ReadonlyArray<P>,
  ask: Ask<P, A>
) {
  const answers: Array<A> = []
  let open: ReadonlyArray<Open<P>> = places.map((place, index) => ({ place, index }))
  let failures = 0
  let progressMillis = yield* Clock.currentTimeMillis
  let known = yield* leaders.known(topicsOf(open), leadersMillis)
  while (open.length > 0) {
    const asked: ReadonlyArray<Open<P>> = open
    const wasKnown = known !== undefined
    const topics = known === undefined ? leaders.request(topicsOf(open)) : Effect.succeed({ topics: known })
    known = undefined
    const result = yield* Effect.result(Effect.flatMap(topics, (found) => askOnce(found.topics, asked, ask, answers)))
    if (Result.isFailure(result) && !result.failure.isRetryable) return yield* result.failure
    open = asked.filter(({ index }) => answers[index] === undefined)
    if (open.length === 0) break
    // The leaders may have moved since: new metadata tells, and only then is there a reason to wait.
    if (wasKnown) continue
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
  return answers as ReadonlyArray<A>
})

/** One offset per partition, in the order of `partitions`. Offset -1: no record has that time or a later one. */
export const askOffsets = (
  wire: Pick<KafkaWire, "offsets">,
  leaders: Leaders,
  options: Pick<SourceOptions, "vanishedMillis" | "controlMillis">,
  partitions: ReadonlyArray<TopicPartition>,
  kind: OffsetSpec
): Effect.Effect<ReadonlyArray<PartitionOffset>, KafkaError> => {
  const least = typeof kind === "object" ? -1 : 0
  return askLeaders(leaders, options, partitions, (leader, places) =>
    Effect.map(wire.offsets(leader, places, kind), (codes) =>
      places.map(({ partition, topic }, i): Answered<PartitionOffset> => {
        const { errorCode, offset } = codes[i] ?? { errorCode: ErrorCode.requestTimedOut, offset: -1 }
        const isSound = Number.isSafeInteger(offset) && offset >= least
        return { errorCode, found: isSound ? { topic, partition, offset } : undefined }
      })
    )
  )
}

/** Where the epochs end, in the order of `places`. */
export const askEpochEnds = (
  wire: Pick<KafkaWire, "epochEnds">,
  leaders: Leaders,
  options: Pick<SourceOptions, "vanishedMillis" | "controlMillis">,
  places: ReadonlyArray<EpochPlace>
): Effect.Effect<ReadonlyArray<EpochEnd>, KafkaError> =>
  askLeaders(leaders, options, places, (leader, some) =>
    Effect.map(wire.epochEnds(leader, some), (ends) =>
      some.map(({ partition, topic }, i): Answered<EpochEnd> => {
        const { endOffset, errorCode, leaderEpoch } = ends[i] ?? {
          errorCode: ErrorCode.requestTimedOut,
          leaderEpoch: -1,
          endOffset: -1
        }
        return { errorCode, found: { topic, partition, endOffset, ...(leaderEpoch < 0 ? {} : { leaderEpoch }) } }
      })
    )
  )

/**
 * Those of these partitions whose topics the principal may not read, in their order. A Fetch behind the last offset
 * tells it: it brings no data, and the topics of one broker share it.
 */
export const askUnreadable = (
  wire: Pick<KafkaWire, "readRights">,
  leaders: Leaders,
  options: Pick<SourceOptions, "vanishedMillis" | "controlMillis">,
  places: ReadonlyArray<PartitionOffset>
): Effect.Effect<ReadonlyArray<PartitionOffset>, KafkaError> =>
  askLeaders(leaders, options, places, (leader, some) =>
    Effect.map(wire.readRights(leader, some), (codes) =>
      // What else is wrong with a partition, its reader finds out.
      codes.map((errorCode): Answered<boolean> =>
        classOf(errorCode) === "moved"
          ? { errorCode, found: undefined }
          : { errorCode: ErrorCode.none, found: errorCode !== ErrorCode.topicAuthorizationFailed }
      )
    )
  ).pipe(Effect.map((answers) => places.filter((_, i) => answers[i] === false)))

const topicsOf = (open: ReadonlyArray<Open<TopicPartition>>) => [...new Set(open.map(({ place }) => place.topic))]

const askOnce = Effect.fnUntraced(function* <P extends TopicPartition, A>(
  topics: ReadonlyArray<WireTopic>,
  asked: ReadonlyArray<Open<P>>,
  ask: Ask<P, A>,
  answers: Array<A>
) {
  const leaders = leadersOf(topics)
  const byLeader = new Map<number, Array<Open<P>>>()
  let reason: KafkaReason | undefined
  for (const wanted of asked) {
    const found = leaders(wanted.place)
    if (classOf(found.errorCode) === "refused") return yield* offsetError(openReason(found.errorCode, wanted.place))
    if (found.errorCode !== ErrorCode.none) {
      reason ??= openReason(found.errorCode, wanted.place)
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
      ask(
        leader,
        group.map(({ place }) => place)
      ).pipe(
        Effect.flatMap((answered) => keep(group, answered, answers)),
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

const keep = <P extends TopicPartition, A>(
  group: ReadonlyArray<Open<P>>,
  answered: ReadonlyArray<Answered<A>>,
  answers: Array<A>
): Effect.Effect<Round, KafkaError> => {
  let reason: KafkaReason | undefined
  for (const [i, wanted] of group.entries()) {
    const { errorCode, found } = answered[i]!
    if (errorCode === ErrorCode.none && found !== undefined) answers[wanted.index] = found
    else if (classOf(errorCode) === "refused") return Effect.fail(offsetError(openReason(errorCode, wanted.place)))
    else reason ??= openReason(errorCode === ErrorCode.none ? ErrorCode.offsetNotAvailable : errorCode, wanted.place)
  }
  return Effect.succeed({ reason })
}

const leadersOf = (answered: ReadonlyArray<WireTopic>) => {
  const topics = new Map(
    answered.map((topic) => [
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
