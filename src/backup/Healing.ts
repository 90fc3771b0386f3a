import type { PartitionAdvance } from "../manifest/Checkpoint.ts"
import type { FullReason } from "../manifest/FullReason.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import type { ContentSettings, PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import { wholeBytes } from "../kafka/batch/Decompression.ts"
import * as Formats from "../segment/Formats.ts"
import * as LostOffsets from "./LostOffsets.ts"
import type { SealingRules } from "./Segments.ts"

/*
 * What becomes of damaged objects of the base. The log still has what they held: it is read again into a segment of the
 * new backup, and the rest of the partition is taken over. Pure.
 */

/** Up to so many damaged objects of a partition are read again one by one, however much of it they are. */
export const alwaysHealed = 8

type Segment = Pick<ManifestSegment, "compressed_size" | "key" | "start_offset">

/** Which segments of a partition are read again, by their first offsets, or why all of it is. */
export type Decision =
  | { readonly _tag: "Heal"; readonly damaged: ReadonlyArray<number> }
  | { readonly _tag: "Full"; readonly reason: FullReason }

const storedBytes = (segments: ReadonlyArray<Segment>): number =>
  segments.reduce((sum, { compressed_size = 0 }) => sum + compressed_size, 0)

/**
 * `segments` are those that would be taken over. Of a compacted topic nothing is healed: what the log has of a range
 * now may lack a deletion that the damaged object held, and other objects of the base still hold the value. Where more
 * than half of the bytes is damaged, and that in many objects, one read of everything is cheaper than many.
 */
export const decide = <S extends Segment>(
  segments: ReadonlyArray<S>,
  isDamaged: (segment: S) => boolean,
  isCompacted: boolean
): Decision => {
  const damaged = segments.filter(isDamaged)
  if (damaged.length > 0 && isCompacted) return { _tag: "Full", reason: "DamagedCompacted" }
  const isMost = 2 * storedBytes(damaged) > storedBytes(segments)
  return damaged.length > alwaysHealed && isMost
    ? { _tag: "Full", reason: "ObjectsMissing" }
    : { _tag: "Heal", damaged: damaged.map(({ start_offset }) => start_offset) }
}

/**
 * How the segment that stands for a damaged one is written: as that one was, so that the bytes are the same if the log
 * is. Its name tells the codec; the level is that of the base, if its codec is the same, or else that of the run.
 */
export const settingsOf = (
  { key }: Pick<ManifestSegment, "key">,
  base: ContentSettings | undefined,
  run: ContentSettings
): ContentSettings => {
  const compression = Formats.compressionOf(key) ?? run.compression
  const { compressionLevel } = base?.compression === compression ? base : run
  return { ...run, compression, compressionLevel }
}

/**
 * When the segment that stands for a damaged one is full: at the end of that one, so that its bytes may be the same.
 * One that was written with a larger limit becomes several. A segment goes over its limit by a batch at most.
 */
export const sealing = (
  { uncompressed_size: bytes = 0 }: Pick<ManifestSegment, "uncompressed_size">,
  segmentBytes: number
): Pick<SealingRules, "maxAgeMillis" | "segmentBytes"> => ({
  segmentBytes: bytes <= segmentBytes + wholeBytes ? Math.max(segmentBytes, bytes + 1) : segmentBytes,
  maxAgeMillis: noAgeMillis
})

/** It is read in one go, or read again by the next attempt. */
const noAgeMillis = 24 * 3_600_000

/**
 * True if what was read again has all records of the damaged segment that the log may still have. Both have committed
 * records alone. Where the log still reaches to the start of the segment and has fewer, it was compacted, whatever the
 * configuration says now: a deletion may be among what it lacks, while older objects of the base hold the value.
 */
export const isAll = (
  { record_count, start_offset }: Pick<ManifestSegment, "record_count" | "start_offset">,
  from: number,
  read: ReadonlyArray<Pick<PartitionAdvance, "gaps" | "segments">>
): boolean => {
  const isCut = from > start_offset || read.some(({ gaps }) => gaps.length > 0)
  const records = read.reduce((sum, { segments }) => segments.reduce((n, one) => n + one.record_count, sum), 0)
  return isCut || records >= record_count
}

/** Segments that turned out not to be right while the run went on: `Joins` reads some of them. */
export interface Found {
  readonly topic: string
  readonly partition: PlannedPartition
  readonly segment: Pick<ManifestSegment, "key" | "start_offset">
  readonly detail: string
}

/** How often a process begins anew because of those: a store that alters what it has just taken is of no use. */
export const mostRounds = 4

/**
 * The advances after which they are read again: what the base holds by itself, what the run has stored with all of its
 * partition, and of a compacted topic everything.
 */
export const advances = (state: RunState.RunState, found: ReadonlyArray<Found>): ReadonlyArray<PartitionAdvance> =>
  [...Map.groupBy(found, ({ partition, topic }) => `${topic}/${partition.partition}`).values()].flatMap((all) => {
    const { partition, topic } = all[0]!
    const { reused } = RunState.of(state, topic, partition)
    // Those that were put back are looked at by each attempt anew.
    const keys = new Set([...(reused?.segments ?? []), ...(reused?.damaged ?? [])].map(({ key }) => key))
    const ofBase = all.filter(({ segment }) => keys.has(segment.key))
    if (ofBase.length > 0 && partition.reused?.readByMillis !== undefined) {
      return [RunState.restart(state, topic, partition, "DamagedCompacted")]
    }
    const starts = ofBase.map(({ segment }) => segment.start_offset)
    return [
      ...(ofBase.length < all.length ? [RunState.restart(state, topic, partition)] : []),
      ...(starts.length > 0 ? [RunState.damage(state, topic, partition, starts)] : [])
    ]
  })

/** What was read again of damaged objects, and what Kafka no longer had of them, as a report tells it. */
export const healed = (plan: RunPlan, state: RunState.RunState) =>
  RunState.healed(plan, state).map((one) => {
    const { found, partition, segment, topic } = one
    const lost = LostOffsets.lost(one)
    return {
      topic,
      partition,
      from: segment.start_offset,
      until: segment.end_offset + 1,
      key: segment.key,
      isPutBack: found.isPutBack,
      ...(lost.length === 0 ? {} : { lost })
    }
  })
