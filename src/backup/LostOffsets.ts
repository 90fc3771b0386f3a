import type { FoundGap } from "../manifest/Checkpoint.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"

/* What of damaged objects could be read again from Kafka, and what Kafka had deleted. Pure. */

/** Offsets of one object. */
export interface Range {
  readonly from: number
  /** Exclusive. */
  readonly until: number
}

/** A damaged object that was read again: where the log began by then, and what was found deleted while it was read. */
export interface ReadAgain {
  readonly segment: Pick<ManifestSegment, "end_offset" | "start_offset">
  readonly logStart: number
  readonly gaps: ReadonlyArray<Pick<FoundGap, "from" | "until">>
  readonly found: { readonly isPutBack: boolean }
}

/** The offsets of an object that Kafka had deleted, ascending; none where the object is right again. */
export const lost = ({ found, gaps, logStart, segment }: ReadAgain): ReadonlyArray<Range> => {
  if (found.isPutBack) return []
  const [start, end] = [segment.start_offset, segment.end_offset + 1]
  return [{ from: start, until: logStart }, ...gaps.toSorted((a, b) => a.from - b.from)]
    .map(({ from, until }) => ({ from: Math.max(from, start), until: Math.min(until, end) }))
    .filter(({ from, until }) => from < until)
}

/** The offsets of an object that were read again, ascending: all that are not lost. */
export const read = (one: ReadAgain): ReadonlyArray<Range> => {
  const end = one.segment.end_offset + 1
  const holes = lost(one)
  const starts = [one.segment.start_offset, ...holes.map(({ until }) => until)]
  return starts.map((from, n) => ({ from, until: holes[n]?.from ?? end })).filter(({ from, until }) => from < until)
}

/** The offsets of an object that are below the start of its log, as the run was planned. */
export const belowStart = (
  plan: RunPlan,
  one: { readonly topic: string; readonly partition: number; readonly segment: ReadAgain["segment"] }
): ReadonlyArray<Range> => {
  const planned = plan.topics
    .find(({ name }) => name === one.topic)
    ?.partitions.find(({ partition }) => partition === one.partition)
  const logStart = planned?.reused?.logStart ?? planned?.from ?? one.segment.start_offset
  return lost({ ...one, logStart, gaps: [], found: { isPutBack: false } })
}
