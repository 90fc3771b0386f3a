import { Effect, Stream } from "effect"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import * as Formats from "../segment/Formats.ts"
import { lengthOf, offsetOf } from "../segment/records/recordFields.ts"
import { between, type RecordFilter } from "../segment/records/RecordFilter.ts"
import { RecordTally, type Tally } from "../segment/records/RecordTally.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as LogStart from "./LogStart.ts"
import type { PlannedSegment } from "./PlannedPartition.ts"

/** Point-in-time restore: which records are restored, by their timestamps. Both ends are inside. */
export interface Cut {
  /** Milliseconds since 1970; absent: whatever is earlier than `last`. */
  readonly first?: number
  readonly last: number
}

/** What a cut keeps of the segments that had to be read for it, by key. */
export type Counted = ReadonlyMap<string, Tally>

export const nothingCounted: Counted = new Map()

/** Segments that are counted at the same time: each holds one inflating window. */
const counting = 4

export const filter = ({ first = -Infinity, last }: Cut): RecordFilter => between(first, last)

/**
 * Whether the manifest names the smallest and largest timestamp of every segment. Other tools write those of the first
 * and the last record there, which say nothing of the records between them.
 */
export const hasTimeRanges = (set: BackupSet): boolean => set.facts !== undefined

/** Which records are restored of a segment, or of several that follow one another. Undefined: all of them. */
export const inside = (cut: Cut | undefined, from: number | undefined): RecordFilter | undefined => {
  const inTime = cut === undefined ? undefined : filter(cut)
  if (from === undefined) return inTime
  return (run, at) => offsetOf(run, at) >= from && (inTime?.(run, at) ?? true)
}

/** Which records of a planned segment are restored. Undefined: all of them. */
export const ofSegment = (cut: Cut | undefined, { from, kept }: PlannedSegment): RecordFilter | undefined =>
  kept === undefined ? inside(undefined, from) : inside(cut, from)

const none: Tally = { records: 0, firstOffset: -1, lastOffset: -1, minTimestamp: 0, maxTimestamp: 0 }

/** Of a segment that counts from some offset on: at most. */
const all = ({ from = -Infinity, ...segment }: PlannedSegment): Tally => ({
  records: Math.min(segment.record_count, segment.end_offset - from + 1),
  firstOffset: Math.max(from, segment.start_offset),
  lastOffset: segment.end_offset,
  minTimestamp: segment.start_timestamp,
  maxTimestamp: segment.end_timestamp
})

/** What the manifest alone says; undefined where the segment must be read. */
const known = (set: BackupSet, segment: PlannedSegment, cut: Cut | undefined): Tally | undefined => {
  const whole = segment.from === undefined ? all(segment) : undefined
  if (cut === undefined) return whole
  if (!hasTimeRanges(set)) return undefined
  const { first = -Infinity, last } = cut
  const earliest = Formats.hasSmallestTimestamp(segment.key) ? segment.start_timestamp : -Infinity
  if (earliest > last || segment.end_timestamp < first) return none
  return earliest >= first && segment.end_timestamp <= last ? whole : undefined
}

/** What is kept of a segment. */
export const kept = (set: BackupSet, segment: PlannedSegment, cut: Cut | undefined, counted: Counted): Tally =>
  known(set, segment, cut) ?? counted.get(segment.key) ?? all(segment)

/** The time until which the backup has every record, milliseconds since 1970. */
export const coveredUntil = ({ facts, manifest }: BackupSet): number => {
  if (facts !== undefined) return facts.startedMillis
  let latest = manifest.created_at
  for (const { partitions } of manifest.topics) {
    for (const { segments } of partitions) {
      for (const { end_timestamp, uploaded_at } of segments) {
        latest = Math.max(latest, uploaded_at ?? 0, uploaded_at === undefined ? end_timestamp : 0)
      }
    }
  }
  return latest
}

const count = (store: ObjectStoreShape, segment: ManifestSegment, keeps: RecordFilter) =>
  Effect.suspend(() => {
    const tally = new RecordTally()
    return Formats.reader.runs(segment, store.read(ObjectKey.make(segment.key))).pipe(
      Stream.runForEach((run) =>
        Effect.sync(() => {
          for (let at = 0; at < run.length; at += lengthOf(run, at)) if (keeps(run, at)) tally.add(run, at)
        })
      ),
      Effect.map(() => tally.tally)
    )
  })

/**
 * Reads those segments of the topics, which `isSelected` names, that lie on both sides of the cut, or of the start of
 * their log, and counts what is kept of them.
 */
export const countAll = Effect.fn("Cut.countAll")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  cut: Cut | undefined,
  isSelected: (topic: string, partition: number) => boolean
) {
  const starts = LogStart.of(set)
  const segments = set.manifest.topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ partition_id }) => isSelected(name, partition_id))
      .flatMap((partition) =>
        LogStart.clipped(partition.segments, starts(name, partition.partition_id)).filter(
          (segment) => known(set, segment, cut) === undefined
        )
      )
  )
  const everything = () => true
  const counted = yield* Effect.forEach(
    segments,
    (segment) =>
      Effect.map(
        count(store, segment, inside(cut, segment.from) ?? everything),
        (tally) => [segment.key, tally] as const
      ),
    { concurrency: counting }
  )
  return new Map(counted) satisfies Counted
})

const lastMillis = Date.parse("9999-12-31T23:59:59.999Z")

/** `2026-03-01T01:15:00Z`, with the milliseconds where there are some. */
export const time = (millis: number): string =>
  new Date(Math.min(lastMillis, Math.max(0, millis))).toISOString().replace(".000Z", "Z")

/** For messages: `until …` or `from … until …`. */
export const described = ({ first, last }: Cut): string =>
  first === undefined ? `until ${time(last)}` : `from ${time(first)} until ${time(last)}`
