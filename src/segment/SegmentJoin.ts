import type { Effect } from "effect"
import type { SegmentError } from "./SegmentError.ts"

/** One stored segment that becomes a part of a larger one. */
export interface JoinPart {
  /** For messages. */
  readonly key: string
  /** The whole file. */
  readonly file: Uint8Array
  /** What the manifest says of it; both offsets are inclusive. */
  readonly recordCount: number
  readonly firstOffset: number
  readonly lastOffset: number
  /** Of the stored bytes, lower-case hex; absent in manifests of other tools. */
  readonly sha256?: string | undefined
}

/** A file with the records of all parts. */
export interface JoinedFile {
  /** Views of the parts' files: valid as long as those are. */
  readonly pieces: ReadonlyArray<Uint8Array>
  readonly storedBytes: number
  /** Of the stored bytes, lower-case hex. Blocks for half a second per gigabyte. */
  readonly sha256: () => string
}

/**
 * Joins at least two segments of one partition and one codec, ascending and without overlap, to one that holds the same
 * record stream, without decompressing it. Every part is proven on the way: its checksum, its SHA-256, and that its
 * header says what the manifest does. Fails with `SegmentDamaged`, which names the part.
 */
export type SegmentJoin = (parts: ReadonlyArray<JoinPart>) => Effect.Effect<JoinedFile, SegmentError>
