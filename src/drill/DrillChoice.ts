import type { ManifestSegment, ManifestTopic } from "../manifest/Manifest.ts"

/* Which part of a backup one drill restores. Pure: the same backup, number and bounds give the same choice. */

/** Segments of one partition that follow one another: those from index `from` on, before index `until`. */
export interface Run {
  readonly partition: number
  readonly from: number
  readonly until: number
}

export interface ChosenTopic {
  readonly name: string
  /** Ascending by partition, then by index; never touching one another. */
  readonly runs: ReadonlyArray<Run>
}

export interface Choice {
  /** Topics of which something is restored, ascending by name. */
  readonly topics: ReadonlyArray<ChosenTopic>
  /** Stored bytes of the chosen segments. */
  readonly bytes: number
  /** Topics with records of which this drill restores none, ascending by name. */
  readonly leftOut: ReadonlyArray<string>
}

export interface Bounds {
  /** Stored bytes. */
  readonly maxBytes: number
  readonly maxRuns: number
}

/**
 * Most partitions that the scratch topics of one drill have together: every one is files and a leader on the brokers.
 */
export const maxRuns = 500

/** Whether the choice has the first segment of the partition. */
export const hasFirst = ({ topics }: Choice, topic: string, partition: number): boolean =>
  topics.find(({ name }) => name === topic)?.runs.some((run) => run.partition === partition && run.from === 0) ?? false

const sizeOf = (segment: ManifestSegment | undefined): number => segment?.compressed_size ?? 0

/** A partition of which some segments are taken: `[0, head)` and `[tail, count)`. */
interface Taken {
  readonly partition: number
  readonly segments: ReadonlyArray<ManifestSegment>
  head: number
  tail: number
}

const runsOf = ({ head, partition, segments, tail }: Taken): ReadonlyArray<Run> =>
  head >= tail
    ? [{ partition, from: 0, until: segments.length }]
    : [
        { partition, from: 0, until: head },
        { partition, from: tail, until: segments.length }
      ]

/** The items, beginning with that of this number: each is the first one in its turn. */
const rotated = <A>(items: ReadonlyArray<A>, number: number): ReadonlyArray<A> => {
  const first = items.length === 0 ? 0 : number % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}

/** One topic on its way through a choice. */
class Candidate {
  readonly name: string
  readonly taken: Array<Taken> = []
  readonly #waiting: Array<Pick<Taken, "partition" | "segments">>

  constructor({ name, partitions }: ManifestTopic, number: number) {
    this.name = name
    const held = partitions
      .filter(({ segments }) => segments.length > 0)
      .toSorted((a, b) => a.partition_id - b.partition_id)
    this.#waiting = rotated(held, number).map(({ partition_id, segments }) => ({ partition: partition_id, segments }))
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.taken.length === 0
  }

  /** What the next step takes: the oldest and the newest segment of a partition, or the segment before those taken. */
  get next(): { readonly bytes: number; readonly runs: number; readonly take: () => void } | undefined {
    const current = this.taken.at(-1)
    if (current !== undefined && current.head < current.tail) {
      const before = current.tail - 1
      const joins = before === current.head ? -1 : 0
      return { bytes: sizeOf(current.segments[before]), runs: joins, take: () => void (current.tail = before) }
    }
    const [opened] = this.#waiting
    if (opened === undefined) return undefined
    const { segments } = opened
    const last = segments.length - 1
    return {
      bytes: sizeOf(segments[0]) + (last > 0 ? sizeOf(segments[last]) : 0),
      runs: last > 1 ? 2 : 1,
      take: () => {
        this.#waiting.shift()
        this.taken.push({ ...opened, head: 1, tail: Math.max(1, last) })
      }
    }
  }
}

/**
 * Chooses at most `maxBytes` of these topics. Every topic with records gets the oldest and the newest segment of one
 * partition, which is the next one in each drill of the next number. Where not all topics fit, the first ones do, and
 * another topic is the first in the next drill. The room that is left is filled in turn: with the segments before the
 * newest one, then with further partitions. The first topic gets its two segments in any case.
 */
export const choose = (topics: ReadonlyArray<ManifestTopic>, number: number, bounds: Bounds): Choice => {
  const named = topics.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const candidates = rotated(named, number)
    .map((topic) => new Candidate(topic, number))
    .filter(({ isEmpty }) => !isEmpty)
  let bytes = 0
  let runs = 0
  const takeNext = (candidate: Candidate, isFirst: boolean): boolean => {
    const { next } = candidate
    if (next === undefined) return false
    if (!isFirst && (bytes + next.bytes > bounds.maxBytes || runs + next.runs > bounds.maxRuns)) return false
    next.take()
    bytes += next.bytes
    runs += next.runs
    return true
  }
  let open = candidates.filter((candidate, n) => takeNext(candidate, n === 0))
  while (open.length > 0) open = open.filter((candidate) => takeNext(candidate, false))
  const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1)
  return {
    topics: candidates
      .filter(({ taken }) => taken.length > 0)
      .map(({ name, taken }) => ({
        name,
        runs: taken.toSorted((a, b) => a.partition - b.partition).flatMap(runsOf)
      }))
      .toSorted(byName),
    bytes,
    leftOut: candidates
      .filter(({ taken }) => taken.length === 0)
      .map(({ name }) => name)
      .toSorted()
  }
}
