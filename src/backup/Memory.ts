import type { ContentSettings } from "../manifest/RunPlan.ts"

const MiB = 1024 * 1024

/**
 * How much a run keeps in memory, from the settings and the container's limit. What it costs at the most, beside about
 * 90 MiB for the process: `openPartitions` x (`largeBytes` + two fetches of 1 MiB) + `largeSegments` x one segment as it
 * is stored (none: 64 MiB; lz4: 64 MiB and its compressed copy; zstd: what compression leaves of 64 MiB), plus twice the
 * largest single batch.
 */
export const bounds = (settings: ContentSettings, limitBytes: number) => {
  const isTight = limitBytes < 400 * MiB
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
