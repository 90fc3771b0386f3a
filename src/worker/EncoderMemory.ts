import type { ContentSettings } from "../manifest/RunPlan.ts"

const MiB = 1024 * 1024

/**
 * Tables of one zstd encoder, in bytes: up to level 11 they hardly depend on the input; from 12 on two tables hold four
 * bytes for each of twice as many places as the input has. Source: ZSTD_defaultCParameters of zstd 1.5.7, and the
 * growth of a process that compresses one chunk of 1 or 4 MiB at each level.
 */
const zstdTableBytes = (level: number, inputBytes: number): number => {
  const byInput = 17 * inputBytes
  if (level <= 4) return 2 * MiB
  if (level <= 8) return 6 * MiB
  if (level <= 9) return 11 * MiB
  return level <= 11 ? Math.min(22 * MiB, byInput) : byInput
}

/** Memory of one encoder beside its input and output, in bytes, for inputs of that size. */
export const tableBytes = ({ compression, compressionLevel }: ContentSettings, inputBytes: number): number => {
  switch (compression) {
    case "zstd":
      return zstdTableBytes(compressionLevel, inputBytes)
    case "lz4":
      // lz4-napi works in blocks of 512 KiB, and its allocator keeps a few of them per thread.
      return 4 * MiB
    case "none":
      return 0
  }
}
