import type { DurableSegment, FoundGap } from "./Checkpoint.ts"
import type { FullReason } from "./FullReason.ts"
import type { ManifestGap, ManifestPartition, ManifestSegment } from "./Manifest.ts"
import type { PlannedPartition } from "./RunPlan.ts"

/** What is taken over of one partition of the base. */
export interface ReusedPart {
  /** Those that are as the base's manifest says, as far as is known. Ascending. */
  readonly segments: ReadonlyArray<ManifestSegment>
  /** Those that are missing or altered: the run reads them again from Kafka. Ascending. */
  readonly damaged: ReadonlyArray<ManifestSegment>
  readonly gaps: ReadonlyArray<ManifestGap>
}

/** A damaged segment of the base that was read again. */
export interface Healed {
  /** First offset of the damaged segment. */
  readonly start: number
  /** What stands in its place; none where Kafka has nothing of it any more. Ascending. */
  readonly segments: ReadonlyArray<DurableSegment>
  /** The object of the base is right again, and named as before. */
  isPutBack: boolean
}

/** Everything durable of one partition. */
export interface PartitionState {
  /** Everything below is durable, or known not to exist; but for what is damaged of the base and not healed yet. */
  position: number
  /** Those that the run itself has stored, from the end of what is taken over on. */
  readonly segments: Array<DurableSegment>
  readonly gaps: Array<FoundGap>
  /** Of the base's damaged segments, in the order in which they were read again. */
  readonly healed: Array<Healed>
  /** Segments that the run has made of several others, taken over or its own: named instead of those. Ascending. */
  joins?: ReadonlyArray<DurableSegment>
  /** Epoch of the leader that wrote the last batch below `position`, as far as it was read and has one. */
  leaderEpoch?: number
  /** When everything below `position` had been read, in ms, as far as it was read and that is known. */
  readMillis?: number | undefined
  readonly reused?: ReusedPart | undefined
  /** Why nothing is taken over, although the plan says so. */
  readonly full?: FullReason | undefined
}

/** Nothing durable yet. */
export const empty = (position: number): PartitionState => ({ position, segments: [], gaps: [], healed: [] })

/** The part of the base between these offsets, without those segments that are to be read again. */
export const part = (
  { gaps = [], segments }: ManifestPartition,
  from: number,
  until: number,
  damaged: ReadonlyArray<number> = []
): ReusedPart =>
  withDamaged(
    {
      segments: segments.filter(({ end_offset, start_offset }) => end_offset >= from && start_offset < until),
      damaged: [],
      gaps: gaps
        .filter(({ end_offset, start_offset }) => end_offset > from && start_offset < until)
        .map((gap) => ({
          ...gap,
          start_offset: Math.max(gap.start_offset, from),
          end_offset: Math.min(gap.end_offset, until)
        }))
    },
    damaged
  )

const ascending = <S extends ManifestSegment>(segments: ReadonlyArray<S>): ReadonlyArray<S> =>
  segments.toSorted((a, b) => a.start_offset - b.start_offset)

/** The same, with these segments, by their first offsets, to be read again. */
export const withDamaged = (reused: ReusedPart, damaged: ReadonlyArray<number>): ReusedPart => {
  if (damaged.length === 0) return reused
  const starts = new Set(damaged)
  const isDamaged = ({ start_offset }: ManifestSegment) => starts.has(start_offset)
  return {
    ...reused,
    segments: reused.segments.filter((segment) => !isDamaged(segment)),
    damaged: ascending([...reused.damaged, ...reused.segments.filter(isDamaged)])
  }
}

/** The damaged segments of the base that are still to be read again. */
export const toHeal = ({ healed, reused }: PartitionState): ReadonlyArray<ManifestSegment> => {
  const { damaged } = reused ?? { damaged: [] }
  if (damaged.length === healed.length) return []
  const done = new Set(healed.map(({ start }) => start))
  return damaged.filter(({ start_offset }) => !done.has(start_offset))
}

/** The segments of the base that stand for their records, those that were put back among them. Ascending. */
export const taken = ({ healed, reused }: PartitionState): ReadonlyArray<ManifestSegment> => {
  if (reused === undefined) return []
  const back = new Set(healed.flatMap(({ isPutBack, start }) => (isPutBack ? [start] : [])))
  if (back.size === 0) return reused.segments
  return ascending([...reused.segments, ...reused.damaged.filter(({ start_offset }) => back.has(start_offset))])
}

/** The segments that the run has read from Kafka and that stand for their records. */
export const own = ({ healed, segments }: PartitionState): ReadonlyArray<DurableSegment> =>
  healed.length === 0 ? segments : [...healed.flatMap((one) => (one.isPutBack ? [] : one.segments)), ...segments]

/** Those of these segments that did not become a part of another one. */
export const unjoined = <S extends ManifestSegment>({ joins = [] }: PartitionState, segments: ReadonlyArray<S>) =>
  joins.length === 0
    ? segments
    : segments.filter(
        ({ end_offset: end, start_offset: start }) =>
          !joins.some(({ end_offset, start_offset }) => start_offset <= start && end <= end_offset)
      )

/** Every segment that the backup names, ascending. */
export const named = (held: PartitionState): ReadonlyArray<DurableSegment | ManifestSegment> =>
  ascending([...unjoined(held, taken(held)), ...unjoined(held, own(held)), ...(held.joins ?? [])])

/**
 * First offset that the backup holds: that of the plan, unless the base was lost, or the object that reaches below the
 * log's start.
 */
export const firstOffset = (held: PartitionState, { from, reused }: PlannedPartition): number => {
  const logStart = reused?.logStart ?? from
  if (held.full !== undefined) return logStart
  const isCut = (held.reused?.damaged ?? []).some(
    ({ start_offset: at }) => at < logStart && !held.healed.some(({ isPutBack, start }) => isPutBack && start === at)
  )
  return isCut ? Math.max(from, logStart) : from
}
