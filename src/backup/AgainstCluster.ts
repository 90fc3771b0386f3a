import { Effect, Pull, Stream } from "effect"
import type { EpochEnd, KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { TopicCleanup } from "../kafka/TopicCleanup.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import * as Formats from "../segment/Formats.ts"
import { countOf } from "../segment/records/recordFields.ts"
import { RecordEditor } from "../segment/records/RecordEditor.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as ComparedPlaces from "./ComparedPlaces.ts"
import * as PacedReads from "./PacedReads.ts"
import { type Difference, LogMatch } from "./LogMatch.ts"

/*
 * Compares a backup with the topics that it was made of, record by record, where Kafka still has the offsets. Both are
 * read once, and only the records at hand are held.
 */

/** What was compared of one partition, and what was found. */
export interface ComparedPartition {
  readonly topic: string
  readonly partition: number
  /** The offsets that were compared; `until` is exclusive, and equals `from` where none were. */
  readonly from: number
  readonly until: number
  /** Records that both have. */
  readonly equal: number
  /** Records of the backup that Kafka does not have any more, also those of offsets that were not compared. */
  readonly removed: number
  /** Records of the backup of which nobody knows: they could not be compared. */
  readonly unknown: number
  /** Differences that nothing explains: how many, and the first ones. */
  readonly differing: number
  readonly differences: ReadonlyArray<Difference>
  /** What could not be compared, and why. */
  readonly notes: ReadonlyArray<string>
}

type Compaction = "compacted" | "not compacted" | "unknown"

/** Whether records may be missing between others: the topic is, or was, compacted. */
const compactionOf = Effect.fnUntraced(function* (kafka: KafkaSourceShape, { manifest }: BackupSet) {
  const live = yield* kafka.cleanup(manifest.topics.map(({ name }) => name)).pipe(
    // Brokers answer for each topic; where they refuse the question, nobody knows.
    Effect.catchIf(
      ({ isRetryable }) => !isRetryable,
      () => Effect.succeed<ReadonlyMap<string, TopicCleanup>>(new Map())
    )
  )
  return (topic: string): Compaction => {
    const was = manifest.topics.find(({ name }) => name === topic)?.configurations?.["cleanup.policy"]
    const now = live.get(topic)
    if (was?.includes("compact") === true || now?.isCompacted === true) return "compacted"
    return now === undefined ? "unknown" : "not compacted"
  }
})

/** Where the epochs of the last batches end now, by place; empty where the brokers do not say it. */
const epochs = Effect.fnUntraced(function* (kafka: KafkaSourceShape, places: ReadonlyArray<ComparedPlaces.Place>) {
  const asked = places.flatMap(({ leaderEpoch, partition, topic }) =>
    leaderEpoch === undefined ? [] : [{ topic, partition, leaderEpoch }]
  )
  const found = yield* kafka.lineage(asked).pipe(
    Effect.catchIf(
      ({ isRetryable }) => !isRetryable,
      () => Effect.succeed<ReadonlyArray<EpochEnd>>([])
    )
  )
  return (place: ComparedPlaces.Place) =>
    found.find(({ partition, topic }) => topic === place.topic && partition === place.partition)
})

const storedRuns = (
  store: ObjectStoreShape,
  { stored }: ComparedPlaces.Place,
  from: number,
  until: number,
  addedHeaders: ReadonlyArray<string>
) => {
  const editor = new RecordEditor({ from, until, addedHeaders })
  const needed = (stored?.segments ?? []).filter(
    ({ end_offset, start_offset }) => end_offset >= from && start_offset < until
  )
  return Stream.fromIterable(needed).pipe(
    Stream.flatMap((segment) => Formats.reader.runs(segment, store.read(ObjectKey.make(segment.key)))),
    Stream.map((run) => Buffer.from(editor.push(run))),
    Stream.filter((run) => run.length > 0)
  )
}

/** Records of the backup at these offsets. Segments that are not all in it are read. */
const storedRecords = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  place: ComparedPlaces.Place,
  { from, until }: Pick<ComparedPlaces.Left, "from" | "until">
) {
  if (from >= until) return 0
  const segments = place.stored?.segments ?? []
  const isIn = ({ end_offset, start_offset }: ManifestSegment) => start_offset >= from && end_offset < until
  const cut = { ...place, stored: { partition_id: place.partition, segments: segments.filter((one) => !isIn(one)) } }
  const ofParts = yield* storedRuns(store, cut, from, until, []).pipe(
    Stream.runFold(
      () => 0,
      (records, run) => records + countOf(run)
    )
  )
  return segments.filter(isIn).reduce((sum, { record_count }) => sum + record_count, ofParts)
})

const liveRuns = (kafka: KafkaSourceShape, place: ComparedPlaces.Place, from: number, until: number) => {
  const { partition, topic, topicId } = place
  const streamer = RecordStreaming.make(topic, partition)
  return kafka.read({ topic, topicId, partition, from, until }).pipe(
    Stream.mapEffect((fetched) => {
      const runs: Array<Buffer> = []
      return streamer
        .forEachRun(fetched.batches, from, until, (run) => runs.push(Buffer.from(run)))
        .pipe(Effect.ensuring(Effect.sync(fetched.release)), Effect.as(runs))
    }),
    Stream.flatMap((runs) => Stream.fromIterable(runs))
  )
}

/** Gives the runs of a stream one by one; undefined at its end. */
const oneByOne = Effect.fnUntraced(function* <E>(stream: Stream.Stream<Buffer, E>) {
  const pull = yield* Stream.toPull(stream)
  const waiting: Array<Buffer> = []
  return Effect.gen(function* () {
    if (waiting.length === 0) waiting.push(...(yield* Pull.catchDone(pull, () => Effect.succeed([]))))
    return waiting.shift()
  })
})

const compareRange = Effect.fnUntraced(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  place: ComparedPlaces.Place,
  { from, until }: ComparedPlaces.Comparable,
  addedHeaders: ReadonlyArray<string>,
  onRecords: (records: number) => void
) {
  const gaps = place.stored?.gaps ?? []
  const match = new LogMatch((offset) => gaps.some((gap) => gap.start_offset <= offset && offset < gap.end_offset))
  if (from >= until) return match
  const runs = {
    stored: yield* oneByOne(storedRuns(store, place, from, until, addedHeaders)),
    live: yield* oneByOne(liveRuns(kafka, place, from, until))
  }
  let told = 0
  for (let wanted = match.wants; wanted !== undefined; wanted = match.wants) {
    match.give(wanted, yield* wanted === "stored" ? runs.stored : runs.live)
    onRecords(match.equal - told)
    told = match.equal
  }
  onRecords(match.equal - told)
  return match
}, Effect.scoped)

/** Records of the backup at the offsets that are not compared: those that are gone, and the others. */
const leftRecords = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  place: ComparedPlaces.Place,
  left: ReadonlyArray<ComparedPlaces.Left>
) {
  let [removed, unknown] = [0, 0]
  for (const range of left) {
    const records = yield* storedRecords(store, place, range)
    if (range.isGone) removed += records
    else unknown += records
  }
  return { removed, unknown }
})

/** What of the records that Kafka lacks nothing explains. `logStart` is asked for after the reading. Pure. */
const unexplained = (match: LogMatch, logStart: number, compaction: Compaction): ReadonlyArray<Difference> =>
  compaction !== "not compacted"
    ? []
    : match.missingLive
        .filter(({ last }) => last >= logStart)
        .map(({ first, last }) => ({
          offset: Math.max(first, logStart),
          detail: `the backup has records at offsets ${Math.max(first, logStart)}-${last}, and Kafka has none there`
        }))

const comparePartition = Effect.fnUntraced(function* (
  kafka: KafkaSourceShape,
  store: ObjectStoreShape,
  place: ComparedPlaces.Place,
  {
    addedHeaders,
    compaction,
    epoch,
    onRecords
  }: {
    readonly addedHeaders: ReadonlyArray<string>
    readonly compaction: Compaction
    readonly epoch: EpochEnd | undefined
    readonly onRecords: (records: number) => void
  }
) {
  const at = [{ topic: place.topic, partition: place.partition }]
  const logStart = Effect.map(kafka.offsets(at, "logStart"), ([found]) => found?.offset ?? 0)
  const end = (yield* kafka.offsets(at, "lastStable"))[0]?.offset ?? 0
  const range = ComparedPlaces.comparable(place, yield* logStart, end, epoch)
  const match = yield* compareRange(kafka, store, place, range, addedHeaders, onRecords)
  const missing = unexplained(match, match.onlyStored === 0 ? 0 : yield* logStart, compaction)
  const { differences, differing, equal, onlyStored } = match
  const left = yield* leftRecords(store, place, range.left)
  return {
    topic: place.topic,
    partition: place.partition,
    from: range.from,
    until: range.until,
    equal,
    removed: left.removed + onlyStored,
    unknown: left.unknown,
    differing: differing + missing.length,
    differences: [...differences, ...missing].toSorted((a, b) => a.offset - b.offset),
    notes: [
      ...range.notes,
      ...(onlyStored > 0 && compaction === "compacted"
        ? [`compaction has removed ${onlyStored} ${onlyStored === 1 ? "record" : "records"} of the compared offsets`]
        : []),
      ...(onlyStored > 0 && compaction === "unknown"
        ? ["whether the topic is compacted is not known (DescribeConfigs): records that Kafka lacks are no difference"]
        : [])
    ]
  } satisfies ComparedPartition as ComparedPartition
})

/** Partitions that are compared at the same time. */
const atOnce = 2

/** Most bytes of one fetch, as the source asks for by itself. */
const fetchBytes = 1024 * 1024

/**
 * Compares every partition of the backup with its live log, and reads that no faster than a run would. Fails as the
 * store and Kafka do, and where a segment is damaged. `onRecords` is told of records that are equal.
 */
export const compare = Effect.fn("AgainstCluster.compare")(function* (
  source: KafkaSourceShape,
  store: ObjectStoreShape,
  set: BackupSet,
  limits: PacedReads.Limits = {},
  onRecords: (records: number) => void = () => {}
) {
  const kafka: KafkaSourceShape = { ...source, read: PacedReads.of(source, limits, fetchBytes) }
  const places = ComparedPlaces.of(set)
  const names = [...new Set(places.map(({ topic }) => topic))]
  const idOf = (name: string) => places.find(({ topic }) => topic === name)?.topicId
  const found = yield* kafka.lookup(names)
  const obstacles = new Map(
    names.flatMap((name, n) => {
      const obstacle = ComparedPlaces.obstacle(found[n]!, idOf(name))
      return obstacle === undefined ? [] : [[name, obstacle] as const]
    })
  )
  const there = places.filter(({ topic }) => !obstacles.has(topic))
  const [compaction, epochOf] = [yield* compactionOf(kafka, set), yield* epochs(kafka, there)]
  const nothing = Effect.fnUntraced(function* (place: ComparedPlaces.Place, { isGone, why }: ComparedPlaces.Obstacle) {
    const { from, partition, topic, until } = place
    const left = yield* leftRecords(store, place, [{ from, until, isGone }])
    const none = { from, until: from, equal: 0, differing: 0, differences: [] }
    return { topic, partition, ...none, ...left, notes: [why] } satisfies ComparedPartition as ComparedPartition
  })
  return yield* Effect.forEach(
    places,
    (place) => {
      const obstacle = obstacles.get(place.topic)
      if (obstacle !== undefined) return nothing(place, obstacle)
      const gone = nothing(place, { why: `topic ${place.topic} was deleted while it was compared`, isGone: true })
      return comparePartition(kafka, store, place, {
        addedHeaders: set.facts?.addedHeaders ?? [],
        compaction: compaction(place.topic),
        epoch: epochOf(place),
        onRecords
      }).pipe(
        Effect.catchReason("KafkaError", "TopicVanished", () => gone),
        Effect.catchReason("KafkaError", "TopicRecreated", () => gone)
      )
    },
    { concurrency: atOnce }
  )
})
