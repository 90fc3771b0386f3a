import * as Cut from "./Cut.ts"
import type { PlannedPartition } from "./PlannedPartition.ts"

/** What a point-in-time restore does to the topics, for people and programs. */

interface Topic {
  readonly target: string
  readonly partitions: ReadonlyArray<PlannedPartition>
}

/** Of all partitions of a topic; empty without a point in time. */
export interface TopicCut {
  readonly recordsLeftOut?: number
  /** Smallest and largest timestamp that is restored, RFC 3339; absent where no record is. */
  readonly firstTimestamp?: string
  readonly lastTimestamp?: string
}

export const of = (topic: Topic): TopicCut => {
  const cuts = topic.partitions.flatMap(({ cut }) => cut ?? [])
  if (cuts.length === 0) return {}
  const restored = cuts.flatMap((cut) => cut.restored ?? [])
  const recordsLeftOut = cuts.reduce((sum, { leftOut }) => sum + leftOut, 0)
  if (restored.length === 0) return { recordsLeftOut }
  return {
    recordsLeftOut,
    firstTimestamp: Cut.time(restored.reduce((least, { first }) => Math.min(least, first), Infinity)),
    lastTimestamp: Cut.time(restored.reduce((most, { last }) => Math.max(most, last), -Infinity))
  }
}

/** Topics of which no record is restored, although the backup has some. */
export const notes = (cut: Cut.Cut | undefined, topics: ReadonlyArray<Topic>): ReadonlyArray<string> =>
  cut === undefined
    ? []
    : topics.flatMap((topic) => {
        const { firstTimestamp, recordsLeftOut = 0 } = of(topic)
        if (firstTimestamp !== undefined || recordsLeftOut === 0) return []
        const earliest = topic.partitions.reduce(
          (least, one) => Math.min(least, one.cut?.earliest ?? Infinity),
          Infinity
        )
        return [
          `${topic.target} is restored empty: it has no record ${Cut.described(cut)}, and its first one is of ${Cut.time(earliest)}`
        ]
      })
