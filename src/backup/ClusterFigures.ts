import { Effect, Result, Semaphore, Stream } from "effect"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import { type ContentSettings, formatOf, type PlannedTopic } from "../manifest/RunPlan.ts"
import * as RecordStreaming from "../segment/records/RecordStreaming.ts"

/** How large the records of a topic are and how fast they come: looked up, or taken from backups. */

/** Offsets of one partition: those in its log, and how many of them came since an earlier look. */
export interface Growth {
  readonly topic: string
  readonly partition: number
  readonly offsets: number
  readonly newOffsets: number
}

/** Bytes for one offset of a topic. Offsets without a record, as compaction leaves them, count as none. */
export interface OffsetSize {
  /** As brokers send it. */
  readonly sentBytes: number
  /** As a record stream: uncompressed. */
  readonly streamBytes: number
}

/**
 * Stored bytes for one byte of a record stream, by codec. Measured on the reference topic of docs/performance.md, of
 * 2,210 MB: 570 MB with zstd, 942 MB with lz4; gzip and snappy are taken for as much. For segments that are not there
 * yet, and for batches that cannot be inflated.
 */
export const storedPerByte = { none: 1, gzip: 0.26, snappy: 0.43, lz4: 0.43, zstd: 0.26 } as const
const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const

/** Above this part of their record stream batches are taken for uncompressed: they say less of each record. */
const plainAbove = 0.7

/** Bytes that are stored for one offset, where no backup tells: records anew, batches as they came if compressed. */
export const storedOf = (
  settings: Pick<ContentSettings, "compression" | "format">,
  { sentBytes, streamBytes }: OffsetSize
): number => {
  const compressed = storedPerByte[settings.compression]
  if (formatOf(settings) === "records") return streamBytes * compressed
  return sentBytes > plainAbove * streamBytes ? sentBytes * compressed : sentBytes
}

/** Partitions of a topic that are looked at, places in each, and bytes that are read at each place. */
const sampled = { partitions: 3, places: 4, bytes: 256 * 1024 } as const

/** One batch at a time: what it inflates to is bounded by nothing that a broker checks. */
const inflating = Semaphore.makeUnsafe(1)

/** Bytes of the record stream that these batches become: those that a producer compressed are inflated. */
const streamBytesOf = Effect.fnUntraced(function* (
  topic: string,
  partition: number,
  batches: ReadonlyArray<RecordBatch>
) {
  const streamer = RecordStreaming.make(topic, partition)
  let bytes = 0
  for (const batch of batches) {
    let inBatch = 0
    const read = streamer.forEachRun([batch], batch.baseOffset, batch.lastOffset + 1, (run) => (inBatch += run.length))
    const outcome = yield* Effect.result(inflating.withPermit(read))
    const sentBytes = batch.end - batch.start
    bytes += Result.isSuccess(outcome) ? inBatch : sentBytes / storedPerByte[codecs[batch.codec] ?? "none"]
  }
  return bytes
})

/** The size of records at one place of a partition; undefined where there is none. */
const sizeAt = Effect.fnUntraced(function* (
  kafka: KafkaSourceShape,
  { name, topicId }: PlannedTopic,
  { from, partition, until }: { readonly partition: number; readonly from: number; readonly until: number }
) {
  const found = yield* kafka.read({ topic: name, topicId, partition, from, until, fetchBytes: sampled.bytes }).pipe(
    Stream.take(1),
    Stream.mapEffect((fetched) => {
      // The first and the last batch may extend beyond the range, and come whole.
      const first = Math.min(from, fetched.batches[0]?.baseOffset ?? from)
      const end = Math.max(fetched.position, (fetched.batches.at(-1)?.lastOffset ?? -1) + 1)
      const sentBytes = fetched.batches.reduce((n, batch) => n + batch.end - batch.start, 0)
      return streamBytesOf(name, partition, fetched.batches).pipe(
        Effect.map((streamBytes) => ({
          sentBytes: sentBytes / (end - first),
          streamBytes: streamBytes / (end - first)
        })),
        Effect.ensuring(Effect.sync(fetched.release))
      )
    }),
    Stream.runHead
  )
  return found._tag === "Some" ? [found.value] : []
})

/**
 * The size of records at some places of the partitions that have the most. Undefined for a topic without records. Reads
 * up to 3 MiB of each topic.
 */
export const sizeOf = Effect.fn("ClusterFigures.sizeOf")(function* (kafka: KafkaSourceShape, topic: PlannedTopic) {
  const places = topic.partitions
    .filter(({ from, until }) => until > from)
    .toSorted((a, b) => b.until - b.from - (a.until - a.from))
    .slice(0, sampled.partitions)
    .flatMap(({ from, partition, until }) =>
      [
        ...new Set(
          Array.from(
            { length: sampled.places },
            (_, n) => from + Math.floor(((n + 0.5) / sampled.places) * (until - from))
          )
        )
      ].map((at) => ({ partition, from: at, until }))
    )
  const found = (yield* Effect.forEach(places, (place) => sizeAt(kafka, topic, place))).flat()
  if (found.length === 0) return undefined
  const mean = (pick: (one: OffsetSize) => number) => found.reduce((n, one) => n + pick(one), 0) / found.length
  return { sentBytes: mean((one) => one.sentBytes), streamBytes: mean((one) => one.streamBytes) } satisfies OffsetSize
})

/**
 * The record stream of each topic in a backup, for each of its offsets: what a sample can only guess. Nothing of one of
 * batches, whose records nobody has counted the bytes of.
 */
export const streamOf = ({ facts, manifest }: BackupSet): ReadonlyMap<string, number> =>
  new Map(
    (facts === undefined || formatOf(facts.settings) === "batches" ? [] : facts.topics).flatMap(
      ({ name, partitions }) => {
        const offsets = partitions.reduce((n, { from, until }) => n + (until - from), 0)
        const segments =
          manifest.topics.find((topic) => topic.name === name)?.partitions.flatMap((one) => one.segments) ?? []
        const bytes = segments.reduce((n, { uncompressed_size = 0 }) => n + uncompressed_size, 0)
        return offsets > 0 && bytes > 0 ? [[name, bytes / offsets] as const] : []
      }
    )
  )

/** Where the logs of a topic ended earlier, as a plan or the facts of a backup say it. */
interface EarlierTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitions: ReadonlyArray<{ readonly partition: number; readonly until: number }>
}

/** How many offsets of each partition are in its log, and how many came since. What was not there then is new. */
export const since = (
  topics: ReadonlyArray<PlannedTopic>,
  before: ReadonlyArray<EarlierTopic>
): ReadonlyArray<Growth> => {
  const known = new Map(before.map((topic) => [topic.name, topic]))
  return topics.flatMap(({ name, partitions, topicId }) => {
    const topic = known.get(name)
    const isSame = topic?.topicId === undefined || topicId === undefined || topic.topicId === topicId
    return partitions.map(({ from, partition, until }): Growth => {
      const start = isSame ? topic?.partitions.find((one) => one.partition === partition)?.until : undefined
      // Offsets that Kafka deleted since count as new: they were written, and no log holds them.
      return { topic: name, partition, offsets: until - from, newOffsets: Math.max(0, until - (start ?? from)) }
    })
  })
}
