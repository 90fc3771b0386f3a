import type { DurableSegment, PartitionAdvance } from "./Checkpoint.ts"
import type { FullReason } from "./FullReason.ts"
import type { Manifest, ManifestPartition, ManifestSegment, ManifestTopic } from "./Manifest.ts"
import * as PartitionState from "./PartitionState.ts"
import { formatOf, type PlannedPartition, type PlannedTopic, readFrom, type RunPlan } from "./RunPlan.ts"

export type { PartitionState } from "./PartitionState.ts"
export { firstOffset, named } from "./PartitionState.ts"

/**
 * Everything durable of a run, by topic and partition. Grows in place, since a large run has tens of thousands of
 * segments.
 */
export type RunState = Map<string, PartitionState.PartitionState>

export const make = (): RunState => new Map()

const stateKey = (topic: string, partition: number): string => `${topic}/${partition}`

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
        ...PartitionState.empty(reused.until),
        reused: PartitionState.part(part, from, reused.until, reused.damaged)
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
      ...PartitionState.empty(advance.position),
      ...(advance.full === undefined ? { reused: previous?.reused } : { full: advance.full })
    }
    if (advance.healed !== undefined) {
      held.healed.push({ start: advance.healed, segments: advance.segments, isPutBack: false })
      held.gaps.push(...advance.gaps)
      state.set(key, held)
      continue
    }
    if (advance.damaged !== undefined) {
      const reused = held.reused && PartitionState.withDamaged(held.reused, advance.damaged)
      state.set(key, { ...held, reused })
      continue
    }
    held.position = advance.position
    held.readMillis = advance.readMillis
    held.segments.push(...advance.segments)
    held.gaps.push(...advance.gaps)
    if (advance.leaderEpoch !== undefined) held.leaderEpoch = advance.leaderEpoch
    state.set(key, held)
  }
}

export const of = (
  state: RunState,
  topic: string,
  partition: PlannedPartition
): Readonly<PartitionState.PartitionState> =>
  state.get(stateKey(topic, partition.partition)) ?? PartitionState.empty(readFrom(partition))

/** Epoch of the leader that wrote the last batch below the position, of the base or read, as far as it is known. */
export const leaderEpoch = (held: PartitionState.PartitionState, { reused }: PlannedPartition): number | undefined =>
  held.leaderEpoch ?? (held.reused === undefined ? undefined : reused?.leaderEpoch)

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
const readingFrom = ({ full }: PartitionState.PartitionState, partition: PlannedPartition): number =>
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

/** A damaged segment of the base that is still to be read again, with the offsets of it that the log had. */
export interface ToHeal {
  readonly topic: PlannedTopic
  readonly partition: PlannedPartition
  readonly segment: ManifestSegment
  readonly from: number
  /** Exclusive. */
  readonly until: number
}

/** The damaged segments of the base that are still to be read again. */
export const toHeal = (plan: RunPlan, state: RunState): ReadonlyArray<ToHeal> =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) =>
      PartitionState.toHeal(of(state, topic.name, partition)).map((segment) => ({
        topic,
        partition,
        segment,
        from: Math.max(segment.start_offset, partition.reused?.logStart ?? partition.from),
        until: segment.end_offset + 1
      }))
    )
  )

/**
 * The damaged segments of the base that were read again, each with what came of it, where the log of its partition
 * began, and what was found deleted there while it was read.
 */
export const healed = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const held = of(state, topic.name, partition)
      const byStart = new Map(held.healed.map((one) => [one.start, one]))
      return (held.reused?.damaged ?? []).flatMap((segment) => {
        const found = byStart.get(segment.start_offset)
        if (found === undefined) return []
        const logStart = partition.reused?.logStart ?? partition.from
        return [{ topic: topic.name, partition: partition.partition, segment, found, logStart, gaps: held.gaps }]
      })
    })
  )

/** The advance that says that these segments of the base, by their first offsets, are damaged, after all. */
export const damage = (
  state: RunState,
  topic: string,
  partition: PlannedPartition,
  damaged: ReadonlyArray<number>
): PartitionAdvance => ({
  topic,
  partition: partition.partition,
  position: of(state, topic, partition).position,
  segments: [],
  gaps: [],
  damaged
})

/** Every durable segment of the backup's own folder that it names, with topic and partition. */
export const segments = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const held = of(state, topic.name, partition)
      return [...PartitionState.unjoined(held, PartitionState.own(held)), ...(held.joins ?? [])].map((segment) => ({
        topic: topic.name,
        partition: partition.partition,
        segment
      }))
    })
  )

/**
 * Every segment that the run has read from Kafka and that stands for its records, whether or not it was joined since.
 */
export const read = (plan: RunPlan, state: RunState): ReadonlyArray<DurableSegment> =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => PartitionState.own(of(state, topic.name, partition)))
  )

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
 * The partitions that are to be taken over from the base, as far as that has not been given up: the part of the base,
 * the segments of it that stand for their records, and those of them that are named where they lie.
 */
export const takenOver = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const { reused } = partition
      const held = of(state, topic.name, partition)
      const part = held.reused
      if (reused === undefined || held.full !== undefined) return []
      const segments = PartitionState.taken(held)
      return [{ topic: topic.name, partition, reused, part, segments, named: PartitionState.unjoined(held, segments) }]
    })
  )

/** The manifest of the set. Segments are ascending; empty partitions are left out, as the format requires. */
export const manifest = (plan: RunPlan, state: RunState): Manifest => ({
  backup_id: plan.backupId,
  created_at: plan.createdMillis,
  source_cluster_id: plan.settings.sourceClusterId ?? plan.clusterId ?? null,
  source_brokers: plan.bootstrapServers,
  compression: plan.settings.compression,
  ...(formatOf(plan.settings) === "records" ? {} : { kb_format: formatOf(plan.settings) }),
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

const manifestPartition = (partitionId: number, held: PartitionState.PartitionState): ManifestPartition => {
  const gaps = [
    ...(held.reused?.gaps ?? []),
    ...held.gaps.map((gap) => ({
      start_offset: gap.from,
      end_offset: gap.until,
      reason: "offset_out_of_range",
      detected_at: gap.detectedMillis
    }))
  ].toSorted((a, b) => a.start_offset - b.start_offset)
  return {
    partition_id: partitionId,
    segments: PartitionState.named(held).map((segment) => {
      if (!("payloadBytes" in segment)) return segment
      const { fingerprint: _fingerprint, largestRecordBytes: _largest, payloadBytes: _payloadBytes, ...rest } = segment
      return rest
    }),
    ...(gaps.length === 0 ? {} : { gaps })
  }
}
