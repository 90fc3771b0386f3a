import * as Memory from "./Memory.ts"

/** What a worker may hold at once while it writes into a cluster. */
export interface WriteBounds {
  /** Partitions that are open at the same time. */
  readonly openPartitions: number
  /** Most bytes of a batch before compression. */
  readonly batchBytes: number
  /** Least bytes of a stored batch that is appended as it is: smaller ones cost less together in a new batch. */
  readonly leastStoredBytes: number
  /** Memory of batches that are not answered yet, in bytes; ordinary batches of all open partitions take less. */
  readonly batchMemoryBytes: number
}

/** Below the limit of Kafka's brokers by default (message.max.bytes, 1 MiB). */
const batchBytes = 900 * 1024

/**
 * Each batch is a request of its own, of 0.5 to 0.75 ms of CPU time. Source: docs/performance.md; with zstd, batches of
 * 16 KiB took as much of ours as to compress their records anew, and twice the time.
 */
const leastStoredBytes = 32 * 1024

const mebibyte = 1024 * 1024
const small: WriteBounds = { openPartitions: 2, batchBytes, leastStoredBytes, batchMemoryBytes: 24 * mebibyte }
const large: WriteBounds = { openPartitions: 8, batchBytes, leastStoredBytes, batchMemoryBytes: 128 * mebibyte }

/** Whether the container has less memory than a worker that writes takes at most where nothing limits it. */
export const isMemorySmall = (): boolean => Memory.limitBytes() < 512 * mebibyte

/** The bounds for the memory of this container. */
export const here = (): WriteBounds => (isMemorySmall() ? small : large)
