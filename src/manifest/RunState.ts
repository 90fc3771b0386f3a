import type { DurableSegment, FoundGap, PartitionAdvance } from "./Checkpoint.ts"
import type { FullReason } from "./FullReason.ts"
import type { Manifest, ManifestGap, ManifestPartition, ManifestSegment, ManifestTopic } from "./Manifest.ts"
import { type PlannedPartition, readFrom, type RunPlan } from "./RunPlan.ts"

/** What is taken over of one partition of the base. */
export interface ReusedPart {
  /** Ascending. */
  readonly segments: ReadonlyArray<ManifestSegment>
  readonly gaps: ReadonlyArray<ManifestGap>
}

/** Everything durable of one partition. */
export interface PartitionState {
  /** Everything below is durable, or known not to exist. */
  position: number
  /** Those that the run itself has stored. */
  readonly segments: Array<DurableSegment>
  readonly gaps: Array<FoundGap>
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

/**
 * Everything durable of a run, by topic and partition. Grows in place, since a large run has tens of thousands of
 * segments.
 */
export type RunState = Map<string, PartitionState>

export const make = (): RunState => new Map()

const stateKey = (topic: string, partition: number): string => `${topic}/${partition}`

const clipped = ({ gaps = [], segments }: ManifestPartition, from: number, until: number): ReusedPart => ({
  segments: segments.filter(({ end_offset, start_offset }) => end_offset >= from && start_offset < until),
  gaps: gaps
    .filter(({ end_offset, start_offset }) => end_offset > from && start_offset < until)
    .map((gap) => ({
      ...gap,
      start_offset: Math.max(gap.start_offset, from),
      end_offset: Math.min(gap.end_offset, until)
    }))
})

/** Takes over from the base what the plan says; before anything is absorbed. */
export const reuse = (state: RunState, plan: RunPlan, base: Manifest): void => {
  const topics = new Map(base.topics.map(({ name, partitions }) => [name, partitions]))
  for (const topic of plan.topics) {
    const parts = new Map(topics.get(topic.name)?.map((part) => [part.partition_id, part]))
    for (const { from, partition, reused } of topic.partitions) {
      if (reused === undefined) continue
      // A partition without records and gaps is not in the manifest.
      const part = parts.get(partition) ?? { partition_id: partition, segments: [] }
      state.set(stateKey(topic.name, partition), {
        position: reused.until,
        segments: [],
        gaps: [],
        reused: clipped(part, from, reused.until)
      })
    }
  }
}

/** Adds `advances`, in the order in which they became durable. */
export const absorb = (state: RunState, advances: ReadonlyArray<PartitionAdvance>): void => {
  for (const advance of advances) {
    const key = stateKey(advance.topic, advance.partition)
    const previous = state.get(key)
    const before = advance.restart === true ? undefined : previous
    const held = before ?? {
      position: advance.position,
      segments: [],
      gaps: [],
      ...(advance.full === undefined ? { reused: previous?.reused } : { full: advance.full })
    }
    held.position = advance.position
    held.readMillis = advance.readMillis
    held.segments.push(...advance.segments)
    held.gaps.push(...advance.gaps)
    if (advance.leaderEpoch !== undefined) held.leaderEpoch = advance.leaderEpoch
    state.set(key, held)
  }
}

export const of = (state: RunState, topic: string, partition: PlannedPartition): Readonly<PartitionState> =>
  state.get(stateKey(topic, partition.partition)) ?? { position: readFrom(partition), segments: [], gaps: [] }

/** Epoch of the leader that wrote the last batch below the position, of the base or read, as far as it is known. */
export const leaderEpoch = (held: PartitionState, { reused }: PlannedPartition): number | undefined =>
  held.leaderEpoch ?? (held.reused === undefined ? undefined : reused?.leaderEpoch)

/** First offset that the backup holds of the partition: that of the plan, unless the base was lost. */
export const firstOffset = ({ full }: PartitionState, { from, reused }: PlannedPartition): number =>
  full === undefined ? from : (reused?.logStart ?? from)

/**
 * The advance that voids all earlier ones of a partition. With `full`, or where it has been lost before, nothing is
 * taken over from the base.
 */
export const restart = (
  state: RunState,
  topic: string,
  partition: PlannedPartition,
  full: FullReason | undefined = of(state, topic, partition).full
): PartitionAdvance => ({
  topic,
  partition: partition.partition,
  position: full === undefined ? readFrom(partition) : (partition.reused?.logStart ?? partition.from),
  segments: [],
  gaps: [],
  restart: true,
  ...(full === undefined ? {} : { full })
})

/** First offset that is read of the partition. */
const readingFrom = ({ full }: PartitionState, partition: PlannedPartition): number =>
  full === undefined ? readFrom(partition) : (partition.reused?.logStart ?? partition.from)

/** Offsets that the run reads: an upper bound of the records, since compaction and transactions leave holes. */
export const offsetsToRead = (plan: RunPlan, state: RunState): number =>
  plan.topics.reduce(
    (sum, topic) =>
      topic.partitions.reduce(
        (n, partition) => n + (partition.until - readingFrom(of(state, topic.name, partition), partition)),
        sum
      ),
    0
  )

/** The partitions that have not reached their end, each with its position. */
export const unfinished = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const reached = of(state, topic.name, partition).position
      return reached < partition.until ? [{ topic, partition, position: reached }] : []
    })
  )

/** Those of these segments of a partition that did not become a part of another one. */
const unjoined = <S extends ManifestSegment>({ joins = [] }: PartitionState, segments: ReadonlyArray<S>) =>
  joins.length === 0
    ? segments
    : segments.filter(
        ({ end_offset: end, start_offset: start }) =>
          !joins.some(({ end_offset, start_offset }) => start_offset <= start && end <= end_offset)
      )

/** Every segment of a partition that the backup names, ascending. */
export const named = (held: PartitionState): ReadonlyArray<DurableSegment | ManifestSegment> =>
  [...unjoined(held, held.reused?.segments ?? []), ...unjoined(held, held.segments), ...(held.joins ?? [])].toSorted(
    (a, b) => a.start_offset - b.start_offset
  )

/** Every durable segment of the backup's own folder that it names, with topic and partition. */
export const segments = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const held = of(state, topic.name, partition)
      return [...unjoined(held, held.segments), ...(held.joins ?? [])].map((segment) => ({
        topic: topic.name,
        partition: partition.partition,
        segment
      }))
    })
  )

/** Every segment that the run has read from Kafka, whether or not it was joined since. */
export const read = (plan: RunPlan, state: RunState): ReadonlyArray<DurableSegment> =>
  plan.topics.flatMap((topic) => topic.partitions.flatMap((partition) => of(state, topic.name, partition).segments))

/** Names these segments instead of those that they were made of. */
export const join = (
  state: RunState,
  topic: string,
  partition: PlannedPartition,
  joins: ReadonlyArray<DurableSegment>
): void => {
  const held = of(state, topic, partition)
  state.set(stateKey(topic, partition.partition), { ...held, joins: [...(held.joins ?? []), ...joins] })
}

/**
 * The partitions that are to be taken over from the base, as far as that has not been given up: all that is taken over,
 * and those of its segments that are named where they lie.
 */
export const takenOver = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const { reused } = partition
      const held = of(state, topic.name, partition)
      const part = held.reused
      if (reused === undefined || held.full !== undefined) return []
      return [{ topic: topic.name, partition, reused, part, named: unjoined(held, part?.segments ?? []) }]
    })
  )

/** The manifest of the set. Segments are ascending; empty partitions are left out, as the format requires. */
export const manifest = (plan: RunPlan, state: RunState): Manifest => ({
  backup_id: plan.backupId,
  created_at: plan.createdMillis,
  source_cluster_id: plan.settings.sourceClusterId ?? plan.clusterId ?? null,
  source_brokers: plan.bootstrapServers,
  compression: plan.settings.compression,
  topics: plan.topics.map((topic): ManifestTopic => ({
    name: topic.name,
    original_partition_count: topic.partitions.length,
    source_replication_factor: topic.replicationFactor,
    ...(topic.configs && Object.keys(topic.configs).length > 0 ? { configurations: topic.configs } : {}),
    partitions: topic.partitions.flatMap((partition) => {
      const made = manifestPartition(partition.partition, of(state, topic.name, partition))
      return made.segments.length + (made.gaps?.length ?? 0) === 0 ? [] : [made]
    })
  }))
})

const manifestPartition = (partitionId: number, held: PartitionState): ManifestPartition => {
  const gaps = [
    ...(held.reused?.gaps ?? []),
    ...held.gaps.map((gap) => ({
      start_offset: gap.from,
      end_offset: gap.until,
      reason: "offset_out_of_range",
      detected_at: gap.detectedMillis
    }))
  ]
  return {
    partition_id: partitionId,
    segments: named(held).map((segment) => {
      if (!("payloadBytes" in segment)) return segment
      const { fingerprint: _fingerprint, largestRecordBytes: _largest, payloadBytes: _payloadBytes, ...rest } = segment
      return rest
    }),
    ...(gaps.length === 0 ? {} : { gaps })
  }
}
