import { Effect, Stream } from "effect"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Formats from "../segment/Formats.ts"
import { KeyPartitioner } from "../segment/records/KeyPartitioner.ts"
import { lengthOf } from "../segment/records/recordFields.ts"
import type { RecordFilter } from "../segment/records/RecordFilter.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Cut from "./Cut.ts"
import * as CutPartition from "./CutPartition.ts"
import * as LogStart from "./LogStart.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedPartition, PlannedSegment } from "./PlannedPartition.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/*
 * Restoring a topic to another number of partitions, by key. Each target partition holds the records of all source
 * partitions that belong to it: those of source 0, then those of source 1, and so on. So it is a function of the backup
 * alone, every attempt writes the same, and it can be continued at any offset. The price: the topic is read once to
 * count, and once for each target partition.
 */

/** Source partitions that have records, ascending. */
export interface Source {
  readonly partition: number
  readonly segments: ReadonlyArray<PlannedSegment>
}

/** By topic and source partition: records for each target partition. */
export type Counted = ReadonlyMap<string, ReadonlyMap<number, ReadonlyArray<number>>>

export const nothingCounted: Counted = new Map()

/** Source partitions that are counted at the same time: each holds one inflating window. */
const counting = 4

/** Records of a source partition, from an offset on, that go to `target`. For one pass over all of them, in order. */
export const filter = (
  cut: Cut.Cut | undefined,
  count: number,
  source: number,
  target: number,
  from: number | undefined
): RecordFilter => {
  const partitioner = new KeyPartitioner(count, source)
  const isInside = Cut.inside(cut, from)
  return (run, at) => (isInside?.(run, at) ?? true) && partitioner.of(run, at) === target
}

const countOf = (
  store: ObjectStoreShape,
  segments: ReadonlyArray<PlannedSegment>,
  source: number,
  count: number,
  cut: Cut.Cut | undefined
) =>
  Effect.suspend(() => {
    const partitioner = new KeyPartitioner(count, source)
    const isInside = Cut.inside(cut, segments[0]?.from)
    const counts = Array.from({ length: count }, () => 0)
    return Stream.fromIterable(segments).pipe(
      Stream.flatMap((segment) => Formats.reader.runs(segment, store.read(ObjectKey.make(segment.key)))),
      Stream.runForEach((run) =>
        Effect.sync(() => {
          for (let at = 0; at < run.length; at += lengthOf(run, at)) {
            if (isInside?.(run, at) ?? true) counts[partitioner.of(run, at)]!++
          }
        })
      ),
      Effect.map((): ReadonlyArray<number> => counts)
    )
  })

/** Reads the topics that get another number of partitions, and counts the records for each of these. */
export const countAll = Effect.fn("Repartition.countAll")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  partitions: ReadonlyMap<string, number> | undefined,
  cut: { readonly asked: Cut.Cut | undefined; readonly counted: Cut.Counted },
  isSelected: (topic: string, partition: number) => boolean
) {
  const counted = new Map<string, ReadonlyMap<number, ReadonlyArray<number>>>()
  const starts = LogStart.of(set)
  for (const topic of set.manifest.topics) {
    const count = partitions?.get(topic.name)
    if (count === undefined) continue
    const found = yield* Effect.forEach(
      topic.partitions.filter(({ partition_id }) => isSelected(topic.name, partition_id)),
      ({ partition_id, segments }) => {
        const kept = LogStart.clipped(segments, starts(topic.name, partition_id)).filter(
          (segment) => Cut.kept(set, segment, cut.asked, cut.counted).records > 0
        )
        return Effect.map(
          countOf(store, kept, partition_id, count, cut.asked),
          (counts) => [partition_id, counts] as const
        )
      },
      { concurrency: counting }
    )
    counted.set(topic.name, new Map(found))
  }
  return counted satisfies Counted
})

/** The target partitions for these of the source. */
export const plan = (
  topic: string,
  count: number,
  from: ReadonlyArray<PlannedPartition>,
  counted: Counted
): { readonly sources: ReadonlyArray<Source>; readonly partitions: ReadonlyArray<PlannedPartition> } => {
  const held = from.filter(({ segments }) => segments.length > 0)
  const counts = held.map(({ partition }) => counted.get(topic)?.get(partition) ?? [])
  const partitions = Array.from({ length: count }, (_, partition): PlannedPartition => {
    const fromSources = counts.map((one) => one[partition] ?? 0)
    const records = fromSources.reduce((sum, one) => sum + one, 0)
    const whole = { partition, start: 0, end: records, records, segments: [], fromSources }
    // What the cut does to the topic as a whole is beside its first partition.
    const cuts = partition === 0 ? from.flatMap(({ cut }) => cut ?? []) : []
    return cuts.length === 0 ? whole : { ...whole, cut: CutPartition.merged(cuts) }
  })
  return { sources: held.map(({ partition, segments }) => ({ partition, segments })), partitions }
}

/**
 * Topics that get another number of partitions although they are not restored, and groups that cannot go on where they
 * were: the records behind an offset are in several partitions now.
 */
export const objections = (
  { groups, partitions }: Pick<RestoreRequest, "groups" | "partitions">,
  restored: ReadonlyArray<string>
): ReadonlyArray<Objection> =>
  [...(partitions?.keys() ?? [])].flatMap((topic): ReadonlyArray<Objection> => {
    if (!restored.includes(topic)) {
      return [
        {
          reason: "NotInBackup",
          message: `partitions names ${topic}, which is not restored`,
          advice: `remove ${topic} from partitions, or add it to topics`
        }
      ]
    }
    return groups?.strategy._tag === "Exact"
      ? [
          {
            reason: "GroupsRepartitioned",
            message: `consumer groups cannot continue at their old offsets in ${topic}: its records move to other partitions`,
            advice: `use another strategy in offsetReset, or restore ${topic} without offsetReset`
          }
        ]
      : []
  })
