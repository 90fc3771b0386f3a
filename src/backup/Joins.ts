import { Clock, Deferred, Effect } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { DurableSegment } from "../manifest/Checkpoint.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import type { PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as Formats from "../segment/Formats.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Consolidation from "./Consolidation.ts"
import type * as Healing from "./Healing.ts"
import type { WrittenDigests } from "./WrittenDigests.ts"

/** How many bytes a run may join for each byte that is new. */
const perNewByte = 2

export interface Limits {
  /** Most bytes of record stream in a segment. */
  readonly segmentBytes: number
  /** Completed when the run should stop: no further segments are joined. */
  readonly stop: Deferred.Deferred<void>
}

type Segment = DurableSegment | ManifestSegment

interface Placed {
  readonly topic: string
  readonly partition: PlannedPartition
  readonly held: RunState.PartitionState
}

const joinable = ({ held, partition, topic }: Placed): Consolidation.Partition<Segment> => ({
  topic,
  partition: partition.partition,
  segments: RunState.named(held),
  gaps: [
    ...held.gaps,
    ...(held.reused?.gaps ?? []).map(({ end_offset, start_offset }) => ({ from: start_offset, until: end_offset }))
  ]
})

/** Reads the segments one after the other, proves each, and stores them as one. */
const store = Effect.fnUntraced(function* (
  objects: ObjectStoreShape,
  { backupId }: RunPlan,
  attempt: number,
  { partition, segments, topic }: Consolidation.Join<Segment>,
  written: WrittenDigests
) {
  const parts = yield* Effect.forEach(segments, (segment) =>
    Effect.map(objects.get(ObjectKey.make(segment.key)), (file) => ({
      key: segment.key,
      file,
      recordCount: segment.record_count,
      firstOffset: segment.start_offset,
      lastOffset: segment.end_offset,
      sha256: segment.sha256
    }))
  )
  const joined = yield* Formats.join(parts)
  const first = segments[0]!
  const suffix = Formats.endingOf(first.key) ?? ""
  const key = BackupKeys.joinedSegment(backupId, topic, partition, first.start_offset, attempt, suffix)
  const digest = written.digest(joined.pieces)
  const stored = yield* objects.put(key, joined.pieces, { role: "data" })
  written.written(key, digest, stored.fingerprint)
  const nowMillis = yield* Clock.currentTimeMillis
  return {
    key,
    start_offset: first.start_offset,
    end_offset: segments.at(-1)!.end_offset,
    start_timestamp: Math.min(...segments.map(({ start_timestamp }) => start_timestamp)),
    end_timestamp: Math.max(...segments.map(({ end_timestamp }) => end_timestamp)),
    record_count: segments.reduce((sum, { record_count }) => sum + record_count, 0),
    uncompressed_size: segments.reduce((sum, { uncompressed_size = 0 }) => sum + uncompressed_size, 0),
    compressed_size: joined.storedBytes,
    sha256: stored.sha256 ?? joined.sha256(),
    // When its records were stored first: until then at least the partition was read.
    uploaded_at: Math.max(...segments.map(({ uploaded_at = nowMillis }) => uploaded_at)),
    // Those of its parts count.
    payloadBytes: 0,
    ...(stored.fingerprint === undefined ? {} : { fingerprint: stored.fingerprint })
  } satisfies DurableSegment
})

/**
 * Joins small neighbouring segments of partitions that build on an earlier backup, so that the number of objects does
 * not grow with every backup. Reads and writes storage alone, in proportion to what is new. Gives the segments that
 * were not right, which no backup may name, and notes on others that were not joined.
 */
export const make = Effect.fn("Joins.make")(function* (
  objects: ObjectStoreShape,
  plan: RunPlan,
  attempt: number,
  state: RunState.RunState,
  written: WrittenDigests,
  { segmentBytes, stop }: Limits
) {
  const newBytes = RunState.read(plan, state).reduce((sum, { compressed_size }) => sum + compressed_size, 0)
  const placed = new Map<string, Placed>(
    RunState.takenOver(plan, state).map(({ partition, topic }) => [
      `${topic}/${partition.partition}`,
      { topic, partition, held: RunState.of(state, topic, partition) }
    ])
  )
  const joins = Consolidation.decide([...placed.values()].map(joinable), {
    segmentBytes,
    budgetBytes: perNewByte * newBytes
  })
  const damaged: Array<Healing.Found> = []
  const notes: Array<string> = []
  for (const join of joins) {
    if (yield* Deferred.isDone(stop)) break
    const { partition, topic } = placed.get(`${join.topic}/${join.partition}`)!
    const wrong = (key: string, detail: string) =>
      Effect.sync(() => {
        const segment = join.segments.find((one) => one.key === key)
        if (segment === undefined) notes.push(`segments were not joined: ${key} ${detail}`)
        else damaged.push({ topic, partition, segment, detail })
      })
    yield* store(objects, plan, attempt, join, written).pipe(
      Effect.map((segment) => RunState.join(state, join.topic, partition, [segment])),
      Effect.catchReason("ObjectStoreError", "ObjectNotFound", ({ key }) => wrong(key, "is missing")),
      Effect.catchReason("ObjectStoreError", "ContentMismatch", ({ detail, key }) => wrong(key, detail)),
      Effect.catchReason("SegmentError", "SegmentDamaged", ({ detail, key }) => wrong(key, detail)),
      Effect.catchTag("SegmentError", ({ message }) =>
        Effect.sync(() => void notes.push(`segments were not joined: ${message}`))
      )
    )
  }
  return { damaged, notes } as { readonly damaged: ReadonlyArray<Healing.Found>; readonly notes: ReadonlyArray<string> }
})
