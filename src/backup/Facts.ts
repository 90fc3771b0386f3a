import * as ClusterMetadata from "../manifest/ClusterMetadata.ts"
import * as LargestRecord from "../manifest/LargestRecord.ts"
import type { ManifestSegment } from "../manifest/Manifest.ts"
import * as PartitionState from "../manifest/PartitionState.ts"
import type { PlannedPartition, RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import { addedHeaders, type SetFacts } from "../manifest/SetFacts.ts"
import * as Base from "./Base.ts"
import * as TakenOver from "./TakenOver.ts"

type PartitionFacts = SetFacts["topics"][number]["partitions"][number]

const sumOf = <T>(items: ReadonlyArray<T>, of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0)
const records = (segments: ReadonlyArray<ManifestSegment>) => sumOf(segments, (segment) => segment.record_count)
const storedBytes = (segments: ReadonlyArray<ManifestSegment>) =>
  sumOf(segments, (segment) => segment.compressed_size ?? 0)

/** `earlier` is what the base says of the partition. */
const ofPartition = (
  held: PartitionState.PartitionState,
  partition: PlannedPartition,
  earlier: PartitionFacts | undefined
): PartitionFacts => {
  const { highWatermark, lackingSinceMillis, reused: planned, until } = partition
  const from = RunState.firstOffset(held, partition)
  const leaderEpoch = RunState.leaderEpoch(held, partition)
  const full = held.full ?? partition.full
  const [own, part] = [PartitionState.own(held), PartitionState.taken(held)]
  return {
    partition: partition.partition,
    from,
    until,
    ...(held.reused !== undefined && planned !== undefined && planned.logStart > from
      ? { logStart: planned.logStart }
      : {}),
    ...(highWatermark === undefined ? {} : { highWatermark }),
    ...(lackingSinceMillis === undefined ? {} : { lackingSinceMillis }),
    records: records(own) + records(part),
    // Of all that the base holds of it, which may be more than what is taken over.
    ...LargestRecord.of([...own, ...(part.length === 0 ? [] : [earlier ?? {}])]),
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
    ...(held.reused === undefined || planned === undefined
      ? {}
      : {
          reused: {
            from,
            until: planned.until,
            segments: part.length,
            records: records(part),
            storedBytes: storedBytes(part)
          }
        }),
    ...(full === undefined ? {} : { full })
  }
}

/** The facts of the set that a run has made. `base` is there where something of it is taken over. */
export const of = (
  plan: RunPlan,
  state: RunState.RunState,
  base: Base.Base | undefined,
  notes: ReadonlyArray<string>,
  completedMillis: number
): SetFacts => {
  const own = RunState.read(plan, state)
  const reused = RunState.takenOver(plan, state).flatMap(({ segments }) => segments)
  const held = plan.topics.flatMap((topic) =>
    topic.partitions.map((partition) => RunState.of(state, topic.name, partition))
  )
  const named = held.flatMap(RunState.named)
  const joined = held.flatMap(({ joins = [] }) => joins)
  const isBuilt = RunState.takenOver(plan, state).length > 0
  const earlier = new Map(
    base?.facts.topics.flatMap(({ name, partitions }) =>
      partitions.map((known) => [`${name}/${known.partition}`, known] as const)
    )
  )
  const references = TakenOver.references(plan, state)
  const [newRecords, newStoredBytes] = [records(own), storedBytes(own)]
  const reusedPayload =
    base === undefined
      ? 0
      : Base.payloadBytes(
          base,
          sumOf(reused, (segment) => segment.uncompressed_size ?? 0)
        )
  return {
    version: 1,
    backupId: plan.backupId,
    identity: plan.identity,
    settings: plan.settings,
    ...(isBuilt && plan.base !== undefined ? { base: plan.base, sinceFull: plan.sinceFull ?? 1 } : {}),
    ...(plan.full === undefined ? {} : { full: plan.full }),
    references,
    addedHeaders: addedHeaders(plan.settings),
    ...(plan.clusterId === undefined ? {} : { clusterId: plan.clusterId }),
    ...(plan.selection === undefined ? {} : { selection: plan.selection }),
    startedMillis: plan.createdMillis,
    completedMillis,
    totals: {
      topics: plan.topics.length,
      partitions: sumOf(plan.topics, (topic) => topic.partitions.length),
      segments: named.length,
      records: newRecords + records(reused),
      payloadBytes: sumOf(own, (segment) => segment.payloadBytes) + reusedPayload,
      storedBytes: storedBytes(named),
      newRecords,
      newStoredBytes,
      ...(joined.length === 0 ? {} : { joinedStoredBytes: storedBytes(joined) })
    },
    topics: plan.topics.map((topic) => ({
      name: topic.name,
      ...(topic.topicId === undefined ? {} : { topicId: topic.topicId }),
      partitions: topic.partitions.map((partition) =>
        ofPartition(
          RunState.of(state, topic.name, partition),
          partition,
          earlier.get(`${topic.name}/${partition.partition}`)
        )
      )
    })),
    ...(plan.clusterMetadata === undefined ? {} : { clusterMetadata: ClusterMetadata.facts(plan.clusterMetadata) }),
    gaps: plan.topics.flatMap((topic) =>
      topic.partitions.flatMap((partition) => {
        const { gaps, reused: part } = RunState.of(state, topic.name, partition)
        const earlier = (part?.gaps ?? []).map((gap) => ({ from: gap.start_offset, until: gap.end_offset }))
        return [...earlier, ...gaps].map(({ from, until }) => ({
          topic: topic.name,
          partition: partition.partition,
          from,
          until,
          reason: "offset_out_of_range" as const
        }))
      })
    ),
    notes
  }
}
