import type { Effect, Stream } from "effect"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import type { SegmentSettings } from "./Segment.ts"
import type { SegmentError } from "./SegmentError.ts"
import type { StoredRecord } from "./StoredRecord.ts"

/** What a segment file was found to hold, all of it counted and nothing taken from what the file says of itself. */
export interface SegmentContent {
  readonly compression: SegmentSettings["compression"]
  readonly storedBytes: number
  /** Of the stored file, lower-case hex. */
  readonly sha256: string
  readonly recordCount: number
  /** Inclusive; both are −1 when there is no record. */
  readonly firstOffset: number
  readonly lastOffset: number
  /** Milliseconds since 1970, clamped to safe integers; both are 0 when there is no record. */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  /** Length of the record stream before compression. */
  readonly uncompressedBytes: number
  /** Bytes of keys and values alone. */
  readonly payloadBytes: number
}

/** What the manifest says of a file: which of its records are the segment's, and what the bytes must be. */
export interface NamedSegment {
  /** Both inclusive. A log may hold records below and above, which belong to its first and its last batch. */
  readonly firstOffset: number
  readonly lastOffset: number
  /** Of the stored file, lower-case hex; absent in manifests of other tools. */
  readonly sha256?: string | undefined
}

/** A run of records, or a batch as it is stored. */
export type Piece = Buffer | RecordBatch

/**
 * Reads stored segments of one format, whoever wrote them. In all methods `key` is the object's key, for messages;
 * `file` brings the whole file in pieces that nobody changes afterwards, and what it fails with is passed on as it is.
 * Memory does not grow with the segment. Interruption ends `file` at once, also where it is stuck.
 *
 * A file that is not right fails with `SegmentDamaged` and the offsets that are affected, as far as that can be told. A
 * file that is right as far as can be told, but says that it is of a kind that this reader does not know, fails with
 * `UnknownFormat`.
 *
 * With `named`, records outside of its offsets are left out, and all methods but `inspect`, which says the SHA-256 that
 * it found, fail at the end of a file with another SHA-256: one that is right may still be another one.
 */
export interface SegmentReader {
  /**
   * Reads the whole file and proves it: every byte is covered by a checksum, every record by its framing; count, order
   * and range of the offsets are what the file says; nothing is missing and nothing follows the end.
   */
  readonly inspect: <E, R>(
    key: string,
    file: Stream.Stream<Uint8Array, E, R>,
    named?: NamedSegment
  ) => Effect.Effect<SegmentContent, E | SegmentError, R>
  /**
   * The records, ascending by offset, in batches, in one pass over `file`. They are checked as by `inspect`, but a
   * checksum may stand behind what it covers: when the stream fails, at the latest in place of its end, what it gave
   * before is suspect.
   */
  readonly records: <E, R>(
    key: string,
    file: Stream.Stream<Uint8Array, E, R>,
    named?: NamedSegment
  ) => Stream.Stream<ReadonlyArray<StoredRecord>, E | SegmentError, R>
  /**
   * The same records as runs of bytes: whole records one after the other, in the form of the record stream that
   * docs/storage-format.md describes. A run is valid until the next one is asked for: its memory is free then. What
   * keeps bytes, or asks ahead of its use, copies them.
   */
  readonly runs: <E, R>(
    key: string,
    file: Stream.Stream<Uint8Array, E, R>,
    named?: NamedSegment
  ) => Stream.Stream<Buffer, E | SegmentError, R>
  /**
   * As `runs`, but those batches for which `takes` is true come as they are stored, not opened. `takes` is asked once
   * for every batch, in order. A batch is valid until the next piece is asked for, and may hold records outside of the
   * named offsets. A format that holds records and no batches gives runs alone.
   */
  readonly pieces: <E, R>(
    key: string,
    file: Stream.Stream<Uint8Array, E, R>,
    takes: (batch: RecordBatch) => boolean,
    named?: NamedSegment
  ) => Stream.Stream<Piece, E | SegmentError, R>
  /**
   * As `records`, after a first pass over `file` that proved it: nothing comes out of a damaged file. Reads it twice.
   */
  readonly provenRecords: <E, R>(
    key: string,
    file: Stream.Stream<Uint8Array, E, R>,
    named?: NamedSegment
  ) => Stream.Stream<ReadonlyArray<StoredRecord>, E | SegmentError, R>
}
