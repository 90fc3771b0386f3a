import type { Objection } from "./Objection.ts"
import type { PlannedTopic } from "./RestorePlan.ts"

/*
 * Memory for large records. A record is held whole several times on its way: as it comes out of a segment, in a batch,
 * compressed, on its way to the broker, and as it comes back and is inflated. Pure.
 */

const mebibyte = 1024 * 1024

/** Node, the bundle, V8's heap and ordinary batches. Source: docs/performance.md. */
const processBytes = 152 * mebibyte

/**
 * How often one open partition holds its largest record at most. Source: records of 50 MB, one partition at a time,
 * survive within a memory cgroup of 448 MiB and not within 384, to lz4 and zstd; of 19.5 MB not within 256, to lz4.
 */
const copies = 6.25

/** Up to this size a record is part of what batches take anyway. */
const largeBytes = 4 * mebibyte

type Measured = Pick<PlannedTopic, "largestRecordBytes">

const largestOf = (topics: ReadonlyArray<Measured>): number =>
  topics.reduce((most, { largestRecordBytes = 0 }) => Math.max(most, largestRecordBytes), 0)

/** The memory limit in bytes that a restore of a record of so many bytes needs. */
export const limitFor = (recordBytes: number): number => processBytes + copies * recordBytes

/**
 * How many partitions may be open at the same time, at most `open`: with large records fewer, at the least one. Topics
 * of which no largest record is known change nothing.
 */
export const openPartitions = (topics: ReadonlyArray<Measured>, open: number, limitBytes: number): number => {
  const largest = largestOf(topics)
  if (largest === 0) return open
  return Math.max(1, Math.min(open, Math.floor((limitBytes - processBytes) / (copies * largest))))
}

const mebibytes = (bytes: number): number => Math.ceil(bytes / mebibyte)

/** A topic with a record that does not fit into the memory limit, and the limit that it needs, in MiB. */
export interface TooLarge {
  readonly message: string
  readonly neededMebibytes: number
}

export const tooLarge = (
  topics: ReadonlyArray<Measured & Pick<PlannedTopic, "source">>,
  limitBytes: number
): ReadonlyArray<TooLarge> =>
  topics.flatMap(({ largestRecordBytes = 0, source }) => {
    const needed = limitFor(largestRecordBytes)
    if (largestRecordBytes <= largeBytes || needed <= limitBytes) return []
    const possible = Math.max(0, Math.floor((limitBytes - processBytes) / copies / mebibyte))
    const limit = Math.floor(limitBytes / mebibyte)
    return [
      {
        message: `topic ${source} has a record of ${mebibytes(largestRecordBytes)} MiB in the backup, and the memory limit of ${limit} MiB allows records of up to ${possible} MiB`,
        neededMebibytes: mebibytes(needed)
      }
    ]
  })

/** What stands against a restore of these topics. */
export const objections = (
  topics: ReadonlyArray<Measured & Pick<PlannedTopic, "source">>,
  limitBytes: number
): ReadonlyArray<Objection> =>
  tooLarge(topics, limitBytes).map(({ message, neededMebibytes }) => ({
    reason: "RecordTooLarge",
    message,
    advice: `raise spec.resources.limits.memory to at least ${neededMebibytes}Mi (by hand: the memory limit of the container), or exclude the topic with excludeTopics to restore the others`
  }))
