import type { DurableSegment, FoundGap, PartitionAdvance } from "./Checkpoint.ts"
import type { Manifest, ManifestPartition, ManifestTopic } from "./Manifest.ts"
import type { PlannedPartition, RunPlan } from "./RunPlan.ts"

/** Everything durable of one partition. */
export interface PartitionState {
  /** Everything below is durable, or known not to exist. */
  position: number
  readonly segments: Array<DurableSegment>
  readonly gaps: Array<FoundGap>
  /** Epoch of the leader that wrote the last batch below `position`, as far as it was read and has one. */
  leaderEpoch?: number
}

/**
 * Everything durable of a run, by topic and partition. Grows in place, since a large run has tens of thousands of
 * segments.
 */
export type RunState = Map<string, PartitionState>

export const make = (): RunState => new Map()

const stateKey = (topic: string, partition: number): string => `${topic}/${partition}`

/** Adds `advances`, in the order in which they became durable. */
export const absorb = (state: RunState, advances: ReadonlyArray<PartitionAdvance>): void => {
  for (const advance of advances) {
    const key = stateKey(advance.topic, advance.partition)
    const before = advance.restart === true ? undefined : state.get(key)
    const held = before ?? { position: advance.position, segments: [], gaps: [] }
    held.position = advance.position
    held.segments.push(...advance.segments)
    held.gaps.push(...advance.gaps)
    if (advance.leaderEpoch !== undefined) held.leaderEpoch = advance.leaderEpoch
    state.set(key, held)
  }
}

export const of = (state: RunState, topic: string, partition: PlannedPartition): Readonly<PartitionState> =>
  state.get(stateKey(topic, partition.partition)) ?? { position: partition.from, segments: [], gaps: [] }

/** The partitions that have not reached their end, each with its position. */
export const unfinished = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const reached = of(state, topic.name, partition).position
      return reached < partition.until ? [{ topic, partition, position: reached }] : []
    })
  )

/** Every durable segment of the run, with topic and partition. */
export const segments = (plan: RunPlan, state: RunState) =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) =>
      of(state, topic.name, partition).segments.map((segment) => ({
        topic: topic.name,
        partition: partition.partition,
        segment
      }))
    )
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
      const held = of(state, topic.name, partition)
      return held.segments.length + held.gaps.length === 0 ? [] : [manifestPartition(partition.partition, held)]
    })
  }))
})

const manifestPartition = (partitionId: number, held: PartitionState): ManifestPartition => ({
  partition_id: partitionId,
  segments: held.segments
    .toSorted((a, b) => a.start_offset - b.start_offset)
    .map(
      ({ fingerprint: _fingerprint, largestRecordBytes: _largest, payloadBytes: _payloadBytes, ...segment }) => segment
    ),
  ...(held.gaps.length === 0
    ? {}
    : {
        gaps: held.gaps.map((gap) => ({
          start_offset: gap.from,
          end_offset: gap.until,
          reason: "offset_out_of_range",
          detected_at: gap.detectedMillis
        }))
      })
})
