import { Effect } from "effect"
import { availableParallelism } from "node:os"
import v8 from "node:v8"
import type { ContentSettings } from "../manifest/RunPlan.ts"
import * as Encoders from "./EncoderMemory.ts"
import { ladder, type Step } from "./MemoryLadder.ts"
import { MemoryTooSmall, WorkerError } from "./WorkerError.ts"

const MiB = 1024 * 1024

/** How much a run keeps in memory. All sizes in bytes. */
export interface Bounds {
  /** Partitions read at the same time. */
  readonly openPartitions: number
  /** From this size on a segment counts as large. */
  readonly largeBytes: number
  readonly largeSegments: number
  /** Record stream at which a segment is full. */
  readonly segmentBytes: number
  readonly fetchBytes: number
  /** Record stream that is compressed at once; kept at once where nothing is compressed. */
  readonly chunkBytes: number
  readonly compressions: number
  /** Most that one batch is inflated to at once. */
  readonly wholeBytes: number
  /** Inflated batches, and what inflating in pieces takes. */
  readonly inflateBytes: number
  /** Records of more than 4 MiB in memory at the same time, and so the largest record that is possible. */
  readonly recordBytes: number
  /** Most history that a decoder of batches may keep. */
  readonly windowBytes: number
  /** Whether V8 may leave the memory behind buffers alone for longer; see `calmCollector`. */
  readonly isCalm: boolean
}

/** Node, the bundle and V8's heap. Source: the peak of a run of an empty topic (docs/performance.md), rounded up. */
export const processBytes = 120 * MiB
/** What lies around longer where the collector is calm. Source: peaks with and without, docs/performance.md. */
const calmBytes = 32 * MiB
/** From this size on an open segment needs a slot. */
const largeBytes = 4 * MiB
/** Fetching over loopback is fastest at this size; it is also Kafka's default of max.partition.fetch.bytes. */
const fetchBytes = MiB
/** Two answers, each in a buffer of the next power of two. */
const answerBytes = 4 * fetchBytes
/** Larger records are refused whatever the limit: such a one never came from a broker. */
const mostRecordBytes = 1024 * MiB

/** libuv's pool has four threads; one more compression waits for a free one. */
const compressionsAt = (step: Step, cores: number): number => Math.min(step.compressions, cores + 1, 5)

const isCompressed = ({ compression }: ContentSettings): boolean => compression !== "none"

/** Chunks of a step: where nothing is compressed, they only wait, and 1 MiB is enough. */
const chunkBytesAt = (settings: ContentSettings, step: Step): number => (isCompressed(settings) ? step.chunk : 1) * MiB

/** A third large segment pays only where zstd's work on one has to overlap with two others. */
const largeSegmentsAt = ({ compression }: ContentSettings, step: Step): number =>
  compression === "zstd" ? step.large : Math.min(2, step.large)

/** Memory for a record: its bytes uncompressed, the chunk that it becomes, and what a segment does not hold anyway. */
const recordMemory = (recordBytes: number, segmentBytes: number): number =>
  2 * recordBytes + Math.max(0, recordBytes - segmentBytes)

/** Most that a run at this step takes, in bytes. */
const cost = (settings: ContentSettings, step: Step, cores: number): number => {
  const chunk = chunkBytesAt(settings, step)
  const encoder = 2 * chunk + Encoders.tableBytes(settings, chunk)
  return (
    processBytes +
    (step.isCalm ? calmBytes : 0) +
    step.partitions * (largeBytes + chunk + answerBytes) +
    largeSegmentsAt(settings, step) * (step.segment + step.whole) * MiB +
    (isCompressed(settings) ? compressionsAt(step, cores) * encoder : 0) +
    step.inflate * MiB +
    recordMemory(step.record * MiB, step.segment * MiB)
  )
}

/** The largest record for which `recordMemory` is at most `bytes`. */
const recordWithin = (bytes: number, segmentBytes: number): number =>
  bytes <= 2 * segmentBytes ? bytes / 2 : (bytes + segmentBytes) / 3

/** The smallest limit in bytes with which a run of these settings works. */
export const smallestLimit = (settings: ContentSettings, cores: number = availableParallelism()): number =>
  cost(settings, ladder[0]!, cores)

/**
 * How much a run keeps in memory, from the settings and the container's limit: the highest step of a ladder whose cost
 * is within the limit, and what is left above the last step for large records. So nothing gets smaller when the limit
 * grows. Below `smallestLimit` it is the first step, which such a process may not survive.
 *
 * The cost of a step, at most: about 120 MiB for the process (and 32 where the collector is calm) + for each open
 * partition 4 MiB, a chunk and two fetches + for each large segment its size and one batch + for each compression two
 * chunks and the encoder's tables + memory for inflating + twice the largest record.
 */
export const bounds = (
  settings: ContentSettings,
  limitBytes: number,
  cores: number = availableParallelism()
): Bounds => {
  const step = ladder.findLast((candidate) => cost(settings, candidate, cores) <= limitBytes) ?? ladder[0]!
  const segmentBytes = step.segment * MiB
  const spare = step === ladder.at(-1) ? limitBytes - cost(settings, step, cores) : 0
  const recordBytes = recordWithin(recordMemory(step.record * MiB, segmentBytes) + spare, segmentBytes)
  return {
    openPartitions: step.partitions,
    largeBytes,
    largeSegments: largeSegmentsAt(settings, step),
    segmentBytes,
    fetchBytes,
    chunkBytes: chunkBytesAt(settings, step),
    compressions: compressionsAt(step, cores),
    wholeBytes: step.whole * MiB,
    inflateBytes: step.inflate * MiB,
    recordBytes: Math.floor(Math.min(mostRecordBytes, recordBytes)),
    windowBytes: step.window * MiB,
    isCalm: step.isCalm
  }
}

const mebibytes = (bytes: number): number => Math.floor(bytes / MiB)

/** What a run chose, for its log: sizes in MiB. */
export const described = (chosen: Bounds, limitBytes: number): Readonly<Record<string, number | string>> => ({
  memoryLimitMiB: limitBytes === Number.MAX_SAFE_INTEGER ? "none" : mebibytes(limitBytes),
  openPartitions: chosen.openPartitions,
  largeSegments: chosen.largeSegments,
  segmentMiB: mebibytes(chosen.segmentBytes),
  chunkMiB: mebibytes(chosen.chunkBytes),
  compressions: chosen.compressions,
  inflateMiB: mebibytes(chosen.inflateBytes),
  largestRecordMiB: mebibytes(chosen.recordBytes)
})

/** The smallest limit in bytes at which a record of that many bytes is possible. */
export const limitForRecord = (
  settings: ContentSettings,
  recordBytes: number,
  cores: number = availableParallelism()
): number => {
  const top = ladder.at(-1)!
  const step = ladder.find(({ record }) => record * MiB >= recordBytes)
  if (step !== undefined) return cost(settings, step, cores)
  const segmentBytes = top.segment * MiB
  const more = recordMemory(recordBytes, segmentBytes) - recordMemory(top.record * MiB, segmentBytes)
  return cost(settings, top, cores) + more
}

/** The smallest limit in bytes at which a decoder may keep that much history. */
const limitForWindow = (settings: ContentSettings, windowBytes: number): number =>
  cost(settings, ladder.find(({ window }) => window * MiB >= windowBytes) ?? ladder.at(-1)!, availableParallelism())

/** The part of the bounds that the segment format keeps. */
export const ofSegments = (settings: ContentSettings, limitBytes: number) => {
  const { chunkBytes, compressions, inflateBytes, recordBytes, wholeBytes, windowBytes } = bounds(settings, limitBytes)
  const neededMemory = (what: { readonly recordBytes: number } | { readonly windowBytes: number }) =>
    "recordBytes" in what ? limitForRecord(settings, what.recordBytes) : limitForWindow(settings, what.windowBytes)
  return { chunkBytes, compressions, inflateBytes, recordBytes, wholeBytes, windowBytes, neededMemory }
}

/** Fails when the limit is too small for a run of these settings, before it does anything. */
export const assertEnough = (settings: ContentSettings, limitBytes: number): Effect.Effect<void, WorkerError> => {
  const { compression, compressionLevel } = settings
  const neededBytes = smallestLimit(settings)
  if (limitBytes >= neededBytes) return Effect.void
  const work = compression === "zstd" ? `zstd at level ${compressionLevel}` : compression
  return Effect.fail(new WorkerError({ reason: new MemoryTooSmall({ limitBytes, neededBytes, compression: work }) }))
}

/** The container's memory limit in bytes; the largest safe integer if there is none: kernels then name larger ones. */
export const limitBytes = (): number => {
  const limit = process.constrainedMemory()
  return limit > 0 ? Math.min(limit, Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER
}

/**
 * Makes V8 weigh the memory of buffers against all memory that it manages. By default some 10 MB of new buffers beside
 * a heap of 13 MB trigger a marking of the whole heap, 30 times a second while chunks are compressed: a quarter of a
 * run's CPU. Such buffers are freed explicitly, so the marking gains nothing. Not so where memory is tight, because
 * other buffers, such as a storage client's, then live longer: there the heap is collected when it has doubled, rather
 * than at four times what lives in it.
 */
export const calmCollector = ({ isCalm }: Pick<Bounds, "isCalm">): void => {
  // V8 warns about an unknown flag; another major version of Node may neither know nor need it.
  if (!process.versions.node.startsWith("24.")) return
  v8.setFlagsFromString(isCalm ? "--external-memory-accounted-in-global-limit" : "--heap-growing-percent=100")
}

/**
 * Makes V8 collect once the heap has grown by 30% of what lives in it, rather than to four times: for a process that
 * waits most of the time while its memory costs money all the time.
 */
export const frugalCollector = (): void => {
  if (process.versions.node.startsWith("24.")) v8.setFlagsFromString("--heap-growing-percent=30")
}
