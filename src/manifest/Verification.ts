import { Effect, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as Formats from "../segment/Formats.ts"
import { SegmentDamaged, SegmentError } from "../segment/SegmentError.ts"
import type { SegmentContent } from "../segment/SegmentReader.ts"
import * as KeyRules from "../storage/KeyRules.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { BackupSet } from "./Catalogue.ts"
import type { ManifestSegment } from "./Manifest.ts"
import * as Seal from "./Seal.ts"

/** One defect of a set and its range of offsets: a restore of that range would fail or differ. */
export interface Problem {
  readonly topic: string
  readonly partition: number
  /** Both inclusive. */
  readonly firstOffset: number
  readonly lastOffset: number
  readonly key: string
  readonly detail: string
}

/** What is read of a backup: no object, every one, or those with these keys. The others are only looked for. */
export type Reading = "objects" | "records" | ReadonlySet<string>

export interface Verification {
  readonly backupId: BackupId
  readonly depth: "objects" | "records" | "sample"
  /** What was read, where that is a part of the backup. */
  readonly sample?: { readonly segments: number; readonly storedBytes: number }
  readonly segments: number
  readonly records: number
  readonly storedBytes: number
  readonly problems: ReadonlyArray<Problem>
  /**
   * Those of the problems that are of an object, not of the manifest that names it: none where the manifest is not the
   * one that was committed, because by that one nobody knows what the objects must be.
   */
  readonly damagedObjects: ReadonlyArray<Problem>
  /** The manifest is the one that was committed. */
  readonly isManifestSound: boolean
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

/** A segment of a manifest, with its topic and partition. */
export interface LocatedSegment {
  readonly topic: string
  readonly partition: number
  readonly segment: ManifestSegment
  /** A run of this program made the backup: other tools may mean something else by the bounds of timestamps. */
  readonly isOwn: boolean
}

/** Every segment that the manifest names, in its order. */
export const locatedSegments = (set: BackupSet): ReadonlyArray<LocatedSegment> =>
  set.manifest.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) =>
      partition.segments.map((segment) => ({
        topic: topic.name,
        partition: partition.partition_id,
        segment,
        isOwn: set.facts !== undefined
      }))
    )
  )

const problem = ({ partition, segment, topic }: Omit<LocatedSegment, "isOwn">, detail: string): Problem => ({
  topic,
  partition,
  firstOffset: segment.start_offset,
  lastOffset: segment.end_offset,
  key: segment.key,
  detail
})

/** Segments of a partition that overlap or are out of order: their records would be restored twice or out of order. */
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

/** Partitions where the manifest names other record counts than the facts of the set: the manifest was edited. */
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
              detail: `the manifest names ${records} records, but the run stored ${promised.records}`
            }
          ]
    })
  )

const checkObject = (store: ObjectStoreShape, located: LocatedSegment) =>
  store.head(ObjectKey.make(located.segment.key)).pipe(
    Effect.map((info) => {
      const expected = located.segment.compressed_size
      return expected === undefined || expected === info.size
        ? []
        : [problem(located, `has ${info.size} bytes instead of ${expected}`)]
    }),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed([problem(located, "is missing")]))
  )

/** Differences between a segment and its entry in the manifest. */
const contradictions = (found: SegmentContent, segment: ManifestSegment): ReadonlyArray<string> =>
  [
    ["record count", found.recordCount, segment.record_count],
    ["first offset", found.firstOffset, segment.start_offset],
    ["last offset", found.lastOffset, segment.end_offset],
    ["size", found.storedBytes, segment.compressed_size ?? found.storedBytes],
    ["SHA-256", found.sha256, segment.sha256 ?? found.sha256]
  ].flatMap(([what, is, should]) => (is === should ? [] : [`${what} is ${is}, but the manifest says ${should}`]))

/**
 * Bounds of timestamps that are not those of the records: a restore until a point in time would leave out a segment
 * that has records of before.
 */
const outOfBounds = (found: SegmentContent, segment: ManifestSegment): ReadonlyArray<string> =>
  [
    ["smallest timestamp", found.minTimestamp, segment.start_timestamp],
    ["largest timestamp", found.maxTimestamp, segment.end_timestamp]
  ].flatMap(([what, is, should]) => (is === should ? [] : [`${what} is ${is}, but the manifest says ${should}`]))

/** Reads a segment, and compares all of it with its entry in the manifest; at most one problem for each difference. */
export const checkRecords = (store: ObjectStoreShape, located: LocatedSegment) =>
  Formats.reader.inspect(located.segment, store.read(ObjectKey.make(located.segment.key))).pipe(
    Effect.map((found) => [
      ...contradictions(found, located.segment),
      ...(located.isOwn ? outOfBounds(found, located.segment) : [])
    ]),
    Effect.map((details) => details.map((detail) => problem(located, detail))),
    // A store with its own checksums notices first.
    Effect.catchReason("ObjectStoreError", "ContentMismatch", ({ detail }) =>
      Effect.succeed([problem(located, detail)])
    ),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed([problem(located, "is missing")])),
    Effect.catchReason("SegmentError", "SegmentDamaged", ({ detail }) => Effect.succeed([problem(located, detail)]))
  )

/**
 * The records of one segment, after a first pass over its bytes that proved them, and proved them to be those of its
 * entry in the manifest: a segment of another topic is as damaged as one with a wrong checksum. Fails with
 * `SegmentDamaged` before the first record.
 */
export const provenRecords = (store: ObjectStoreShape, segment: ManifestSegment) => {
  const file = store.read(ObjectKey.make(segment.key))
  return Stream.unwrap(
    Effect.flatMap(Formats.reader.inspect(segment, file), (found) => {
      const [first] = contradictions(found, segment)
      return first === undefined
        ? Effect.succeed(Formats.reader.records(segment, file))
        : Effect.fail(new SegmentError({ reason: new SegmentDamaged({ key: segment.key, detail: first }) }))
    })
  )
}

const isRead =
  (reading: Reading) =>
  ({ segment }: LocatedSegment): boolean =>
    typeof reading === "string" ? reading === "records" : reading.has(segment.key)

const checkAll = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  all: ReadonlyArray<LocatedSegment>,
  reading: Reading,
  onSegment: (storedBytes: number) => void
) {
  // No store takes every key that an altered manifest may name.
  const checked = (located: LocatedSegment, check: typeof checkRecords) => {
    const refused = KeyRules.refusal(located.segment.key)
    return refused === undefined
      ? check(store, located)
      : Effect.succeed([problem(located, `can be no object: ${refused}`)])
  }
  const each = (some: ReadonlyArray<LocatedSegment>, check: typeof checkRecords, concurrency: number) =>
    Stream.fromIterable(some).pipe(
      Stream.mapEffect(
        (located) =>
          Effect.tap(checked(located, check), () => Effect.sync(() => onSegment(located.segment.compressed_size ?? 0))),
        { concurrency }
      ),
      Stream.runCollect,
      Effect.map((found) => found.flat())
    )
  const { false: others = [], true: read = [] } = Object.groupBy(all, (one) => `${isRead(reading)(one)}`)
  return [...(yield* each(others, checkObject, 16)), ...(yield* each(read, checkRecords, 2))]
})

/** The keys of the objects of the set that are read. */
export const keysRead = (set: BackupSet, reading: Reading): ReadonlyArray<string> =>
  locatedSegments(set)
    .filter(isRead(reading))
    .map(({ segment }) => segment.key)

/** What is wrong now with those objects of the set that have these keys. */
export const recheck = Effect.fn("Verification.recheck")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  reading: Reading,
  keys: ReadonlySet<string>
) {
  const some = locatedSegments(set).filter(({ segment }) => keys.has(segment.key))
  return yield* checkAll(store, some, reading, () => {})
})

const sizeOf = (all: ReadonlyArray<LocatedSegment>) => ({
  segments: all.length,
  storedBytes: all.reduce((n, { segment }) => n + (segment.compressed_size ?? 0), 0)
})

/**
 * Checks every segment that the manifest names. `objects`: it exists with its size. `records`: every byte is read,
 * checksums and the framing and order of every record are checked, counts and offsets compared with the manifest. With
 * keys, the one for these objects and the other for the rest. Problems are returned; the effect fails only if the store
 * fails, or if the format of a segment is unknown. Calls `onSegment` with the stored bytes of each finished segment.
 */
export const verify = Effect.fn("Verification.verify")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  reading: Reading,
  onSegment: (storedBytes: number) => void = () => {}
) {
  const all = locatedSegments(set)
  const found = yield* checkAll(store, all, reading, onSegment)
  const { broken, isManifestSound, leftovers } = yield* Seal.inspect(store, set)
  return {
    backupId: set.backupId,
    depth: typeof reading === "string" ? reading : "sample",
    ...(typeof reading === "string" ? {} : { sample: sizeOf(all.filter(isRead(reading))) }),
    ...sizeOf(all),
    records: all.reduce((n, { segment }) => n + segment.record_count, 0),
    problems: [...disorder(set), ...shortfall(set), ...found],
    damagedObjects: isManifestSound ? found : [],
    isManifestSound,
    broken,
    leftovers,
    isForeign: set.facts === undefined && broken.length === 0
  } satisfies Verification
})
