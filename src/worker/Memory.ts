import v8 from "node:v8"
import type { ContentSettings } from "../manifest/RunPlan.ts"

const MiB = 1024 * 1024

/** With less memory than this, a run saves memory at the cost of speed. */
const tightBytes = 400 * MiB

/**
 * How much a run keeps in memory, from the settings and the container's limit. The most it can use, in addition to
 * about 120 MiB for the process: `openPartitions` x (`largeBytes` + two fetches of 1 MiB) + `largeSegments` x one
 * stored segment (none: 64 MiB; lz4 and zstd: 64 MiB compressed) + three chunks of 4 MiB under compression, each with
 * its output, plus twice the largest single batch.
 */
export const bounds = (settings: ContentSettings, limitBytes: number) => {
  const isTight = limitBytes < tightBytes
  return {
    openPartitions: isTight ? 4 : 8,
    largeBytes: 4 * MiB,
    largeSegments: isTight ? 1 : settings.compression === "zstd" ? 3 : 2,
    segmentBytes: 64 * MiB,
    // Fetching over loopback is fastest at this size; it is also Kafka's default of max.partition.fetch.bytes.
    fetchBytes: MiB
  }
}

/** The container's memory limit in bytes; the largest safe integer if there is none. */
export const limitBytes = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 ? limit : Number.MAX_SAFE_INTEGER
}

/**
 * Makes V8 weigh the memory of buffers against all memory that it manages. By default some 10 MB of new buffers beside
 * a heap of 13 MB trigger a marking of the whole heap, 30 times a second while chunks are compressed: a quarter of a
 * run's CPU. Such buffers are freed explicitly, so the marking gains nothing. Left alone where memory is tight, because
 * other buffers, such as a storage client's, then live longer.
 */
export const calmCollector = (limitBytes: number): void => {
  // V8 warns about an unknown flag; another major version of Node may neither know nor need it.
  if (limitBytes < tightBytes || !process.versions.node.startsWith("24.")) return
  v8.setFlagsFromString("--external-memory-accounted-in-global-limit")
}

/**
 * Makes V8 collect once the heap has grown by 30% of what lives in it, rather than to four times: for a process that
 * waits most of the time while its memory costs money all the time.
 */
export const frugalCollector = (): void => {
  if (process.versions.node.startsWith("24.")) v8.setFlagsFromString("--heap-growing-percent=30")
}
