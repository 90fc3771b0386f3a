import { Effect, Stream } from "effect"
import * as KbakReader from "../segment/kbak/KbakReader.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { BackupSet } from "./Catalogue.ts"
import * as Documents from "./Documents.ts"
import type { ManifestSegment } from "./Manifest.ts"
import * as Seal from "./Seal.ts"

/** One thing that is wrong with a set, and where: a restore of that range would fail or differ. */
export interface Problem {
  readonly topic: string
  readonly partition: number
  /** Both inclusive. */
  readonly firstOffset: number
  readonly lastOffset: number
  readonly key: string
  readonly detail: string
}

export interface Verification {
  readonly backupId: string
  readonly depth: "objects" | "records"
  readonly segments: number
  readonly records: number
  readonly storedBytes: number
  readonly problems: ReadonlyArray<Problem>
  /** Documents of the backup that are not as they were committed, and objects that do not belong to it. */
  readonly broken: ReadonlyArray<Seal.Broken>
  /** Objects of killed attempts in the backup's folder: harmless. */
  readonly leftovers: ReadonlyArray<string>
  /** Another tool made it: only what its manifest says could be checked. */
  readonly isForeign: boolean
}

/** True when nothing is wrong with the backup. */
export const isWhole = ({ broken, problems }: Pick<Verification, "broken" | "problems">): boolean =>
  broken.length === 0 && problems.length === 0

interface Place {
  readonly topic: string
  readonly partition: number
  readonly segment: ManifestSegment
}

const places = (set: BackupSet): ReadonlyArray<Place> =>
  set.manifest.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) =>
      partition.segments.map((segment) => ({ topic: topic.name, partition: partition.partition_id, segment }))
    )
  )

const problem = ({ partition, segment, topic }: Place, detail: string): Problem => ({
  topic,
  partition,
  firstOffset: segment.start_offset,
  lastOffset: segment.end_offset,
  key: segment.key,
  detail
})

/** Segments of a partition that overlap or run backwards: every one of them would be restored twice or out of order. */
const disorder = (set: BackupSet): ReadonlyArray<Problem> =>
  set.manifest.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) =>
      partition.segments.flatMap((segment, i) => {
        const before = partition.segments[i - 1]
        return before !== undefined && segment.start_offset <= before.end_offset
          ? [problem({ topic: topic.name, partition: partition.partition_id, segment }, `overlaps ${before.key}`)]
          : []
      })
    )
  )

/** The records that our own facts promise against those that the manifest names: an edited manifest is noticed. */
const shortfall = (set: BackupSet): ReadonlyArray<Problem> =>
  (set.facts?.topics ?? []).flatMap((topic) =>
    topic.partitions.flatMap((promised) => {
      const named = set.manifest.topics
        .find((candidate) => candidate.name === topic.name)
        ?.partitions.find((candidate) => candidate.partition_id === promised.partition)
      const records = named?.segments.reduce((n, segment) => n + segment.record_count, 0) ?? 0
      return records === promised.records
        ? []
        : [
            {
              topic: topic.name,
              partition: promised.partition,
              firstOffset: promised.from,
              lastOffset: Math.max(promised.from, promised.until - 1),
              key: `${set.backupId}/manifest.json`,
              detail: `the manifest names ${records} records, the run stored ${promised.records}`
            }
          ]
    })
  )

const checkObject = (store: ObjectStoreShape, place: Place) =>
  store.head(ObjectKey.make(place.segment.key)).pipe(
    Effect.map((info) => {
      const expected = place.segment.compressed_size
      return expected === undefined || expected === info.size
        ? []
        : [problem(place, `has ${info.size} bytes instead of ${expected}`)]
    }),
    Effect.catchIf(Documents.isNotFound, () => Effect.succeed([problem(place, "is not there")]))
  )

/** Differences between what a segment holds and what the manifest says of it. */
const contradictions = (found: KbakReader.SegmentContent, segment: ManifestSegment): ReadonlyArray<string> =>
  [
    ["record count", found.recordCount, segment.record_count],
    ["first offset", found.firstOffset, segment.start_offset],
    ["last offset", found.lastOffset, segment.end_offset],
    ["size", found.storedBytes, segment.compressed_size ?? found.storedBytes],
    ["SHA-256", found.sha256, segment.sha256 ?? found.sha256]
  ].flatMap(([what, is, should]) => (is === should ? [] : [`${what} is ${is}, the manifest says ${should}`]))

const checkRecords = (store: ObjectStoreShape, place: Place) =>
  KbakReader.inspect(place.segment.key, store.read(ObjectKey.make(place.segment.key))).pipe(
    Effect.map((found) => contradictions(found, place.segment).map((detail) => problem(place, detail))),
    // Where the store itself has a checksum, it is the first to notice.
    Effect.catchReason("ObjectStoreError", "ContentMismatch", ({ detail }) => Effect.succeed([problem(place, detail)])),
    Effect.catchIf(Documents.isNotFound, () => Effect.succeed([problem(place, "is not there")])),
    Effect.catchTag("SegmentError", (error) =>
      Effect.succeed([
        problem(place, error.reason._tag === "SegmentDamaged" ? error.reason.detail : error.reason.message)
      ])
    )
  )

/**
 * Checks every segment that the manifest names. `objects`: there, with its size. `records`: every byte read, checksums
 * and every record's framing and order checked, counts and offsets compared with the manifest. Problems are found, not
 * thrown: the effect fails only when the store cannot be asked. `onSegment` is told the stored bytes of each as it is done.
 */
export const verify = Effect.fn("Verification.verify")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  depth: Verification["depth"],
  onSegment: (storedBytes: number) => void = () => {}
) {
  const all = places(set)
  const check = depth === "objects" ? checkObject : checkRecords
  const found = yield* Stream.fromIterable(all).pipe(
    Stream.mapEffect(
      (place) =>
        Effect.tap(check(store, place), () => Effect.sync(() => onSegment(place.segment.compressed_size ?? 0))),
      { concurrency: depth === "objects" ? 16 : 2 }
    ),
    Stream.runCollect
  )
  const { broken, leftovers } = yield* Seal.inspect(store, set)
  return {
    backupId: set.backupId,
    depth,
    segments: all.length,
    records: all.reduce((n, { segment }) => n + segment.record_count, 0),
    storedBytes: all.reduce((n, { segment }) => n + (segment.compressed_size ?? 0), 0),
    problems: [...disorder(set), ...shortfall(set), ...found.flat()],
    broken,
    leftovers,
    isForeign: set.facts === undefined && broken.length === 0
  } satisfies Verification
})
