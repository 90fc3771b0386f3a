import v8 from "node:v8"
import type { ContentSettings } from "../manifest/RunPlan.ts"

const MiB = 1024 * 1024

/** Below this a run is careful instead of fast. */
const tightBytes = 400 * MiB

/**
 * How much a run keeps in memory, from the settings and the container's limit. What it costs at the most, beside about
 * 120 MiB for the process: `openPartitions` x (`largeBytes` + two fetches of 1 MiB) + `largeSegments` x one segment as it
 * is stored (none: 64 MiB; lz4 and zstd: what compression leaves of 64 MiB) + three chunks of 4 MiB that are being
 * compressed, each with its output, plus twice the largest single batch.
 */
export const bounds = (settings: ContentSettings, limitBytes: number) => {
  const isTight = limitBytes < tightBytes
  return {
    openPartitions: isTight ? 4 : 8,
    largeBytes: 4 * MiB,
    largeSegments: isTight ? 1 : settings.compression === "zstd" ? 3 : 2,
    segmentBytes: 64 * MiB,
    // Where fetching over loopback peaks; Kafka's own max.partition.fetch.bytes default is the same.
    fetchBytes: MiB
  }
}

/** The container's memory limit in bytes; a huge number where there is none. */
export const limitBytes = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 ? limit : Number.MAX_SAFE_INTEGER
}

/**
 * Lets V8 judge the memory behind buffers in proportion to all memory that it knows of. By default some 10 MB of new
 * buffers beside a heap of 13 MB make it mark the whole heap, 30 times a second while chunks are compressed: a quarter
 * of a run's CPU. We free such buffers by hand, so nothing is won by it. Not where memory is tight: buffers of others,
 * such as a storage client's, then live longer.
 */
export const calmCollector = (limitBytes: number): void => {
  // An unknown flag would be complained about; another major version may not know it, or need it.
  if (limitBytes < tightBytes || !process.versions.node.startsWith("24.")) return
  v8.setFlagsFromString("--external-memory-accounted-in-global-limit")
}

/**
 * Lets V8's heap grow by a third of what lives in it before it collects, rather than to four times: for a process that
 * waits most of the time, and whose memory somebody pays for all the time.
 */
export const frugalCollector = (): void => {
  if (process.versions.node.startsWith("24.")) v8.setFlagsFromString("--heap-growing-percent=30")
}
