import type { BackupSet } from "../manifest/Catalogue.ts"
import type { ManifestGap, ManifestSegment } from "../manifest/Manifest.ts"
import type { PlannedSegment } from "./PlannedPartition.ts"

/*
 * A backup that builds on an earlier one names whole segments. The first one of a partition may begin below the start
 * that the log had by then: its records below that start were deleted in Kafka before the backup was made, so they are
 * no part of what it stands for.
 */

/** Where the log of a partition began when the backup was made, if the backup holds older records, too. */
export type LogStarts = (topic: string, partition: number) => number | undefined

export const of = ({ facts }: BackupSet): LogStarts => {
  const starts = new Map<string, number>()
  for (const { name, partitions } of facts?.topics ?? []) {
    for (const { logStart, partition } of partitions) {
      if (logStart !== undefined) starts.set(`${name}/${partition}`, logStart)
    }
  }
  return (topic, partition) => (starts.size === 0 ? undefined : starts.get(`${topic}/${partition}`))
}

/** The segments with an offset at or above the start; one that begins below it says from where on it counts. */
export const clipped = (
  segments: ReadonlyArray<ManifestSegment>,
  logStart: number | undefined
): ReadonlyArray<PlannedSegment> =>
  logStart === undefined
    ? segments
    : segments
        .filter(({ end_offset }) => end_offset >= logStart)
        .map((segment) => (segment.start_offset < logStart ? { ...segment, from: logStart } : segment))

/** The gaps with an offset at or above the start. */
export const gapsFrom = (gaps: ReadonlyArray<ManifestGap>, logStart = 0): ReadonlyArray<ManifestGap> =>
  gaps.filter(({ end_offset }) => end_offset > logStart)
