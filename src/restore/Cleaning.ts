import { Clock, Effect, Stream } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import { KafkaError, Stalled, TopicRecreated } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape, Producer } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import * as Configuring from "./Configuring.ts"
import * as Fillers from "./Fillers.ts"
import type { Means } from "./HoleMeans.ts"
import * as Holes from "./Holes.ts"
import type { PlannedPartition, PlannedTopic } from "./RestorePlan.ts"

/*
 * Fillers in the holes of a compacted log are removed again by the brokers: they have no key. A broker compacts only
 * what lies before its newest segment, so markers at the end of the log begin another one.
 */

/** A log that ends later than in the backup, by the markers that were needed. */
export interface Cleaned {
  readonly topic: string
  readonly partition: number
  /** Offsets behind the planned end. */
  readonly more: number
}

/** While fillers are removed: segments end at once, and are compacted however little of them is to be gained. */
const whileCleaning = {
  "segment.ms": "1000",
  "min.cleanable.dirty.ratio": "0",
  "min.compaction.lag.ms": "0"
} as const

/** Resets what `whileCleaning` has set. */
export const undone: Readonly<Record<string, null>> = {
  "segment.ms": null,
  "min.cleanable.dirty.ratio": null,
  "min.compaction.lag.ms": null
}

/** Brokers look every 15 s for logs to be compacted (`log.cleaner.backoff.ms`). */
const lookMillis = 2000
/** Without progress for so long, another marker ends the newest segment once more. */
const anotherMarkerMillis = 20_000
const mostMarkers = 10
/** How long the brokers may make no progress. */
const patienceMillis = 600_000

/** Whether the holes of a partition were filled. */
export const isFilled = ({ partitions }: PlannedTopic): boolean => partitions.some(({ fillsHoles }) => fillsHoles)

interface Tools {
  readonly sink: KafkaSinkShape
  readonly source: KafkaSourceShape
  readonly holes: Holes.HoleWriter
  readonly producer: Producer
}

/** The first filler in `[from, until)`; undefined: there is none. */
const firstFiller = (
  source: KafkaSourceShape,
  place: { readonly topic: string; readonly partition: number },
  topicId: string | undefined,
  from: number,
  until: number
) => {
  const streamer = RecordStreaming.make(place.topic, place.partition)
  return source.read({ ...place, topicId, from, until }).pipe(
    Stream.mapEffect((fetched) =>
      Effect.gen(function* () {
        let first: number | undefined
        yield* streamer.forEachRun(fetched.batches, from, until, (run) => void (first ??= Fillers.firstIn(run)))
        return first
      }).pipe(Effect.ensuring(Effect.sync(fetched.release)))
    ),
    Stream.filter((offset) => offset !== undefined),
    Stream.take(1),
    Stream.runCollect,
    Effect.map(([offset]) => offset)
  )
}

const cleanPartition = Effect.fnUntraced(function* (
  { holes, producer, sink, source }: Tools,
  topic: string,
  topicId: string | undefined,
  { end, partition, start }: PlannedPartition
) {
  const place = { topic, partition }
  const logEnd = Effect.map(sink.offsets([place], "highWatermark"), ([found]) => found?.offset ?? end)
  const mark = Effect.gen(function* () {
    const [found] = yield* sink.lookup([topic])
    if (topicId !== undefined && found?._tag === "Found" && found.topic.topicId !== topicId) {
      return yield* new KafkaError({ operation: "produce", reason: new TopicRecreated({ topic }) })
    }
    const from = yield* logEnd
    // Whatever becomes of it: the next look counts, and another one follows if it is not there.
    yield* holes.take(place, producer, from, from + 1)
  })
  let position = start
  let markers = 0
  let movedMillis = yield* Clock.currentTimeMillis
  let markedMillis = 0
  for (;;) {
    const first = yield* firstFiller(source, place, topicId, position, end)
    const nowMillis = yield* Clock.currentTimeMillis
    if (first === undefined) return { topic, partition, more: (yield* logEnd) - end } satisfies Cleaned
    if (first > position) {
      position = first
      movedMillis = nowMillis
    }
    if (nowMillis - movedMillis > patienceMillis) {
      const detail = "the brokers do not compact the log: empty records that fill its holes are still there"
      const reason = new Stalled({ topic, partition, position, until: end, detail })
      return yield* new KafkaError({ operation: "records", reason })
    }
    const isDue = markers === 0 || nowMillis - Math.max(markedMillis, movedMillis) >= anotherMarkerMillis
    if (isDue && markers < mostMarkers) {
      yield* mark
      markers++
      markedMillis = nowMillis
    }
    yield* Effect.sleep(lookMillis)
  }
})

/**
 * Lets the brokers compact the partitions whose holes were filled, and waits until no filler is left. `given`: the
 * configuration that the topic gets in the end.
 */
const clean = Effect.fn("Cleaning.clean")(function* (
  tools: Tools,
  { partitions, target }: PlannedTopic,
  topicId: string | undefined,
  given: Readonly<Record<string, string | null>>
) {
  yield* Configuring.giveConfigs(tools.sink, target, { ...given, ...whileCleaning })
  return yield* Effect.forEach(
    partitions.filter(({ fillsHoles }) => fillsHoles),
    (partition) => cleanPartition(tools, target, topicId, partition),
    { concurrency: 4 }
  )
})

/** The same for several topics. `hasBegun`: as for `Holes.writer`. `memory` and `given`: by topic. */
export const cleanAll = Effect.fnUntraced(function* (
  {
    hasBegun,
    means,
    owner,
    sink,
    source
  }: Pick<Tools, "sink" | "source"> & { readonly owner: Owner; readonly means: Means; readonly hasBegun: boolean },
  topics: ReadonlyArray<PlannedTopic>,
  memory: ReadonlyMap<string, { readonly topicId?: string }>,
  given: ReadonlyMap<string, Readonly<Record<string, string | null>>>
) {
  if (topics.length === 0) return []
  const holes = yield* Holes.writer(sink, owner, means, topics, hasBegun)
  const tools = { sink, source, holes, producer: yield* sink.producer() }
  const cleaned = yield* Effect.forEach(
    topics,
    (topic) => clean(tools, topic, memory.get(topic.target)?.topicId, given.get(topic.target) ?? {}),
    { concurrency: 4 }
  )
  return cleaned.flat()
})
