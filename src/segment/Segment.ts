import type { Effect } from "effect"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import type { SegmentError } from "./SegmentError.ts"

/** What the user asked the stored bytes to look like. */
export interface SegmentSettings {
  readonly compression: "zstd" | "lz4" | "none"
  /** 1-22 for zstd; 1-12 for lz4, where it changes nothing; ignored for none. */
  readonly level: number
  /**
   * Present: every record gets `x-original-offset` and `x-original-timestamp` (8-byte little-endian integers) appended
   * after its own headers, and `x-source-cluster` (UTF-8) when the cluster has a name.
   */
  readonly offsetHeaders?: { readonly sourceClusterId?: string }
}

/** How much memory a run may spend on its segments. */
export interface SegmentMemory {
  /**
   * Record stream that is compressed at once, in bytes. Default 4 MiB, zstd's ratio hardly grows beyond 8 MiB; 1 MiB
   * where nothing is compressed.
   */
  readonly chunkBytes?: number
  /** Compressions in flight across all writers of the run. Default: one more than there are cores. */
  readonly compressions?: number
  /** Most that one batch is inflated to at once, in bytes; a larger one is inflated in pieces. Default 8 MiB. */
  readonly wholeBytes?: number
  /** Memory for inflated batches, and for inflating in pieces, of all writers of the run together. Default 64 MiB. */
  readonly inflateBytes?: number
  /**
   * Records of more than 4 MiB that all writers of the run hold at the same time, in bytes; a larger record is refused.
   * Each takes up to three times that memory. Default 512 MiB.
   */
  readonly recordBytes?: number
  /** Most history that a decoder of batches may keep, in bytes. Default 128 MiB, zstd's own limit. */
  readonly windowBytes?: number
  /** How much memory the process needs for a record or a window of that many bytes; for messages that refuse it. */
  readonly neededMemory?:
    | ((what: { readonly recordBytes: number } | { readonly windowBytes: number }) => number)
    | undefined
  /** Largest record stream of an lz4 segment, in bytes. Default: what an LZ4 block can hold, 2,113,929,216. */
  readonly maxLz4Bytes?: number
}

/** Keys of the headers that `offsetHeaders` asks for, in the order in which they are appended. */
export const offsetHeaderKeys = (asked: SegmentSettings["offsetHeaders"]): ReadonlyArray<string> => {
  if (asked === undefined) return []
  const always = ["x-original-offset", "x-original-timestamp"]
  return asked.sourceClusterId === undefined ? always : [...always, "x-source-cluster"]
}

/** One finished segment file: its bytes and what the manifest says of them. */
export interface EncodedSegment {
  /** File name ending: `.bin`, `.bin.zst`, `.bin.lz4`; `.log` and its like. */
  readonly suffix: string
  /** The stored file is the concatenation of these. Valid until `release`. */
  readonly pieces: ReadonlyArray<Uint8Array>
  /** Length of the whole file. */
  readonly storedBytes: number
  /** Computes the SHA-256 of the whole file, lower-case hex; until `release`. Blocks for half a second per gigabyte. */
  readonly sha256: () => string
  readonly recordCount: number
  /** Both inclusive. */
  readonly firstOffset: number
  readonly lastOffset: number
  /**
   * Smallest and largest record timestamp, milliseconds since 1970, clamped to safe integers. Of a log, the largest is
   * a bound, and the smallest is that of the first record of a batch: see `Formats.hasSmallestTimestamp`.
   */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  /** Length of the record stream before compression; of a log, of its batches as the broker has them. */
  readonly uncompressedBytes: number
  /** Bytes of keys and values alone: what users call the size of their data. Of a log, as the one before. */
  readonly payloadBytes: number
  /** Length of the largest record in the record stream; absent where records were not looked at. */
  readonly largestRecordBytes?: number
  /** Gives pooled buffers back; call once, after the pieces are durable. */
  readonly release: () => void
}

/**
 * Builds one segment of one partition from validated batches, whole batches at a time. One whose `append` or `seal`
 * failed or was interrupted is of no use any more and is let go of: its memory is the garbage collector's.
 */
export interface SegmentWriter {
  readonly recordCount: () => number
  /** Record stream bytes so far, before compression. */
  readonly uncompressedBytes: () => number
  /**
   * Takes the records with `from <= offset < until`, in order, until the record stream has `fullBytes` (default: no
   * bound): it ends behind the batch that reaches it, or inside of one that is too large to be inflated at once. Gives
   * the offset to go on from, here or in the next segment; undefined when everything was taken. The batches' buffers
   * are free again when this completes and everything was taken.
   */
  readonly append: (
    batches: ReadonlyArray<RecordBatch>,
    from: number,
    until: number,
    fullBytes?: number
  ) => Effect.Effect<number | undefined, SegmentError>
  /** Finishes the file. Undefined when no record was appended. The writer is spent. */
  readonly seal: Effect.Effect<EncodedSegment | undefined, SegmentError>
}

/** A kind of segment file with its settings and buffers; one per run, chosen per run. */
export interface SegmentFormat {
  /** Opens a writer for one partition; `topic` and `partition` are for messages. */
  readonly open: (topic: string, partition: number) => Effect.Effect<SegmentWriter>
}
