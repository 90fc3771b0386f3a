import { didYouMean } from "../resource/Near.ts"
import type { ManifestTopic } from "../manifest/Manifest.ts"
import type { Objection } from "./Objection.ts"
import type { PlannedPartition } from "./PlannedPartition.ts"

/** By topic of the backup: the partitions that are restored. A topic without an entry is restored whole. */
export type SourcePartitions = ReadonlyMap<string, ReadonlySet<number>>

export const isChosen = (chosen: SourcePartitions | undefined, topic: string, partition: number): boolean =>
  chosen?.get(topic)?.has(partition) ?? true

/** The topic without its partitions that are not chosen, and without their gaps. */
export const only = (chosen: SourcePartitions | undefined, topic: ManifestTopic): ManifestTopic => ({
  ...topic,
  partitions: topic.partitions.filter(({ partition_id }) => isChosen(chosen, topic.name, partition_id))
})

/** A partition of the target that is there because the topic has it: nothing is written, not even its old start. */
export const empty = (partition: number): PlannedPartition => ({
  partition,
  start: 0,
  end: 0,
  records: 0,
  segments: []
})

/** Topics that are not restored, and partitions that a topic does not have. `counts`: partitions by restored topic. */
export const objections = (
  chosen: SourcePartitions | undefined,
  counts: ReadonlyMap<string, number>
): ReadonlyArray<Objection> =>
  [...(chosen ?? [])].flatMap(([topic, partitions]): ReadonlyArray<Objection> => {
    const count = counts.get(topic)
    if (count === undefined) {
      return [
        {
          reason: "NotInBackup",
          message: `sourcePartitions names ${topic}, which is not restored${didYouMean([topic], [...counts.keys()])}`,
          advice: `remove ${topic} from sourcePartitions, or add it to topics`
        }
      ]
    }
    return [...partitions]
      .filter((partition) => partition >= count)
      .map((partition) => ({
        reason: "NotInBackup",
        message: `sourcePartitions names partition ${partition} of ${topic}, which has ${count} partitions in the backup`,
        advice: `choose partitions of ${topic} from 0 to ${count - 1}`
      }))
  })
