import type { EpochEnd, TopicLookup } from "../kafka/KafkaSource.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ManifestPartition } from "../manifest/Manifest.ts"
import * as Reuse from "./Reuse.ts"

/* Which parts of a backup can be compared with the live logs. Pure. */

/** One partition of a backup with records or offsets to compare. */
export interface Place {
  readonly topic: string
  readonly topicId: string | undefined
  readonly partition: number
  /** First offset, and first one behind the last. */
  readonly from: number
  readonly until: number
  readonly leaderEpoch: number | undefined
  readonly stored: ManifestPartition | undefined
}

/** The partitions of a backup. Of another tool's, the offsets are those of its segments. */
export const of = ({ facts, manifest }: BackupSet): ReadonlyArray<Place> => {
  const storedOf = (topic: string, partition: number) =>
    manifest.topics.find(({ name }) => name === topic)?.partitions.find((one) => one.partition_id === partition)
  if (facts === undefined) {
    return manifest.topics.flatMap(({ name, partitions }) =>
      partitions.map((stored) => ({
        topic: name,
        topicId: undefined,
        partition: stored.partition_id,
        from: stored.segments[0]?.start_offset ?? 0,
        until: (stored.segments.at(-1)?.end_offset ?? -1) + 1,
        leaderEpoch: undefined,
        stored
      }))
    )
  }
  return facts.topics.flatMap(({ name, partitions, topicId }) =>
    partitions.map(({ from, leaderEpoch, logStart, partition, until }) => ({
      topic: name,
      topicId,
      partition,
      from: Math.max(from, logStart ?? from),
      until,
      leaderEpoch,
      stored: storedOf(name, partition)
    }))
  )
}

/** Why nothing of a topic can be compared. */
export interface Obstacle {
  /** For people. */
  readonly why: string
  /** The topic that was backed up is no longer in Kafka; else nobody knows. */
  readonly isGone: boolean
}

/** Why nothing of a topic can be compared; undefined where it is the topic that was backed up. */
export const obstacle = (found: TopicLookup, was: string | undefined): Obstacle | undefined => {
  switch (found._tag) {
    case "Missing":
      return { why: `topic ${found.name} no longer exists`, isGone: true }
    case "Denied":
      return { why: `permission denied for topic ${found.name}`, isGone: false }
    case "Found": {
      const { name, topicId } = found.topic
      if (was === undefined || topicId === undefined) {
        const why = `nobody knows whether topic ${name} is the one that was backed up: it has no id there or in the backup`
        return { why, isGone: false }
      }
      if (was === topicId) return undefined
      return { why: `topic ${name} was deleted and created again (its id is ${topicId}, and was ${was})`, isGone: true }
    }
  }
}

/** Offsets of a backup that are not compared. */
export interface Left {
  readonly from: number
  /** Exclusive. */
  readonly until: number
  /** Kafka does not have these records any more; else nobody knows. */
  readonly isGone: boolean
}

/** What of a partition can be compared. */
export interface Comparable {
  readonly from: number
  /** Exclusive; at most `from` where nothing can be. */
  readonly until: number
  /** What cannot be. */
  readonly left: ReadonlyArray<Left>
  /** Why, for people. */
  readonly notes: ReadonlyArray<string>
}

const offsets = (from: number, until: number): string =>
  until - from === 1 ? `offset ${from}` : `offsets ${from}-${until - 1}`

/**
 * The offsets that backup and live log both have, as long as the log is the one that was backed up: from `logStart`, up
 * to `end` (what is readable now). `epoch` is the answer for the epoch of the backup's last batch, where it is known.
 */
export const comparable = (place: Place, logStart: number, end: number, epoch: EpochEnd | undefined): Comparable => {
  const isOther =
    place.leaderEpoch !== undefined &&
    epoch !== undefined &&
    Reuse.ofLineage(place, place.leaderEpoch, epoch) !== undefined
  const same = isOther ? (epoch.leaderEpoch === undefined ? place.from : epoch.endOffset) : place.until
  const from = Math.min(Math.max(place.from, logStart), place.until)
  const until = Math.max(from, Math.min(place.until, same, end))
  return {
    from,
    until,
    left: [
      { from: place.from, until: from, isGone: true },
      { from: until, until: place.until, isGone: isOther }
    ],
    notes: [
      ...(from > place.from ? [`Kafka has deleted ${offsets(place.from, from)}`] : []),
      ...(until < place.until && isOther && from < place.until
        ? [`an unclean leader election replaced or lost ${offsets(until, place.until)} in Kafka`]
        : until < place.until && from < place.until
          ? [`${offsets(until, place.until)} cannot be read in Kafka now`]
          : [])
    ]
  }
}
