import * as Formats from "../segment/Formats.ts"

/*
 * Which neighbouring segments of a partition become one. A backup that builds on another one adds a segment or two to
 * each partition, so after a week of hourly backups there would be hundreds of small ones. Joining them costs reading
 * and writing storage, so each byte may be joined a few times at most.
 *
 * Segments have sizes, by the bytes of their record stream: 64 bytes times a power of eight. Neighbours that fit a size
 * are joined as soon as there are eight of them and they do not fit it together. So each join takes a byte to a larger
 * size, and a byte is joined at most log₈(segment size ÷ its first segment) times, rounded up.
 */

/** One segment as the manifest of the run will name it. */
export interface Segment {
  readonly key: string
  readonly start_offset: number
  readonly end_offset: number
  readonly compressed_size?: number
  readonly uncompressed_size?: number
}

export interface Partition<S extends Segment = Segment> {
  readonly topic: string
  readonly partition: number
  /** Ascending. */
  readonly segments: ReadonlyArray<S>
  /** Offsets that the log lost: a segment never reaches over them. `until` is exclusive. */
  readonly gaps: ReadonlyArray<{ readonly from: number; readonly until: number }>
}

/** Neighbours that become one segment. */
export interface Join<S extends Segment = Segment> {
  readonly topic: string
  readonly partition: number
  /** At least two, ascending. */
  readonly segments: ReadonlyArray<S>
  /** What is read and, nearly, written. */
  readonly storedBytes: number
}

export interface Limits {
  /** Most bytes of record stream in a segment. */
  readonly segmentBytes: number
  /** Most stored bytes to join; where a join alone needs more, one is made all the same. 0 allows none. */
  readonly budgetBytes: number
}

/** How many neighbours of a size there must be. */
export const fewest = 8

const smallestBytes = 64

/** The sizes below that of a full segment, ascending. */
const sizes = (segmentBytes: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let bytes = smallestBytes; bytes < segmentBytes; bytes *= fewest) found.push(bytes)
  return found
}

const streamBytes = ({ uncompressed_size }: Segment): number => uncompressed_size ?? Number.POSITIVE_INFINITY

const sum = <S extends Segment>(segments: ReadonlyArray<S>, of: (segment: S) => number): number =>
  segments.reduce((total, segment) => total + of(segment), 0)

/** The longest runs of neighbours that fit the size, of one codec, with no gap between them. */
const runsOf = <S extends Segment>(
  { gaps, segments }: Partition<S>,
  bytes: number
): ReadonlyArray<ReadonlyArray<S>> => {
  const runs: Array<Array<S>> = []
  let run: Array<S> = []
  for (const segment of segments) {
    const before = run.at(-1)
    const follows =
      before !== undefined &&
      Formats.endingOf(before.key) === Formats.endingOf(segment.key) &&
      !gaps.some(({ from }) => from > before.end_offset && from < segment.start_offset)
    if (!follows) run = []
    if (streamBytes(segment) > bytes) {
      run = []
      continue
    }
    if (run.length === 0) runs.push(run)
    run.push(segment)
  }
  return runs
}

/** The run from its beginning in parts that each fill a segment as far as possible. */
const parts = <S extends Segment>(run: ReadonlyArray<S>, segmentBytes: number): ReadonlyArray<ReadonlyArray<S>> => {
  const found: Array<Array<S>> = []
  let bytes = Number.POSITIVE_INFINITY
  for (const segment of run) {
    if (bytes + streamBytes(segment) > segmentBytes) {
      found.push([])
      bytes = 0
    }
    found.at(-1)!.push(segment)
    bytes += streamBytes(segment)
  }
  return found
}

/** What can be joined in one partition: of the smallest size that has enough neighbours. */
const ofPartition = <S extends Segment>(partition: Partition<S>, segmentBytes: number): ReadonlyArray<Join<S>> => {
  const { topic } = partition
  if (partition.segments.length < fewest) return []
  for (const bytes of sizes(segmentBytes)) {
    const joins = runsOf(partition, bytes)
      .filter((run) => run.length >= fewest)
      .flatMap((run) => parts(run, segmentBytes))
      .filter((part) => part.length > 1 && sum(part, streamBytes) > bytes)
      .map((segments) => ({
        topic,
        partition: partition.partition,
        segments,
        storedBytes: sum(segments, ({ compressed_size = 0 }) => compressed_size)
      }))
    if (joins.length > 0) return joins
  }
  return []
}

/** The joins of a run: those of the most segments first, as far as the budget goes. */
export const decide = <S extends Segment>(
  partitions: ReadonlyArray<Partition<S>>,
  { budgetBytes, segmentBytes }: Limits
): ReadonlyArray<Join<S>> => {
  if (budgetBytes <= 0) return []
  const possible = partitions
    .flatMap((partition) => ofPartition(partition, segmentBytes))
    .toSorted((a, b) => b.segments.length - a.segments.length)
  const chosen: Array<Join<S>> = []
  let left = budgetBytes
  for (const join of possible) {
    if (chosen.length > 0 && join.storedBytes > left) continue
    chosen.push(join)
    left -= join.storedBytes
  }
  return chosen
}
