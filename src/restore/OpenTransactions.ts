import type { BackupSet } from "../manifest/Catalogue.ts"
import { heldBack } from "../manifest/RunPlan.ts"
import * as Cut from "./Cut.ts"

/*
 * A backup ends where the oldest open transaction of a partition begins: of a transaction that hangs, long before the
 * time of the backup. Records that others have committed behind it are not in the backup.
 */

/** Newest timestamp that the backup has of the partition; undefined where it has no record of it. */
const newest = ({ manifest }: BackupSet, topic: string, partition: number): number | undefined =>
  manifest.topics
    .find(({ name }) => name === topic)
    ?.partitions.find(({ partition_id }) => partition_id === partition)
    ?.segments.reduce((most, { end_timestamp }) => Math.max(most, end_timestamp), -Infinity)

/**
 * What a user should know of the selected partitions that end at an open transaction. With a point in time also where
 * records of before that time may be missing: nothing tells whether the partition had any.
 */
export const notes = (
  set: BackupSet,
  isSelected: (topic: string, partition: number) => boolean,
  cut: Cut.Cut | undefined
): ReadonlyArray<string> => {
  const held = (set.facts === undefined ? [] : heldBack(set.facts)).filter(({ partition, topic }) =>
    isSelected(topic, partition)
  )
  if (held.length === 0) return []
  const ends = held.map(
    ({ highWatermark, partition, topic, until }) => `${topic}[${partition}] offsets ${until} to ${highWatermark - 1}`
  )
  const missing = `backup ${set.backupId} was made while transactions were open, and does not have ${listed(ends)}`
  if (cut === undefined) return [missing]
  const short = held.flatMap(({ partition, topic }) => {
    const latest = newest(set, topic, partition) ?? -Infinity
    if (latest > cut.last) return []
    return [`${topic}[${partition}] (${latest === -Infinity ? "no record" : `newest of ${Cut.time(latest)}`})`]
  })
  return short.length === 0
    ? [missing]
    : [missing, `records ${Cut.described(cut)} may be missing for that reason in ${listed(short)}`]
}

const listed = (items: ReadonlyArray<string>) =>
  items.length <= 10 ? items.join(", ") : `${items.slice(0, 10).join(", ")} and ${items.length - 10} more`
