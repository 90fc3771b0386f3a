import type { Effect } from "effect"

/**
 * What becomes of the record stream of one segment: it is given in chunks that end at record boundaries, and comes back
 * as the pieces of the file's body.
 */
export interface SegmentBody {
  /** Largest record stream that it can hold, in bytes. */
  readonly limitBytes: number
  /** Takes over the chunk, of which the first `filled` bytes count. Waits while too much is being compressed. */
  readonly add: (chunk: Buffer, filled: number) => Effect.Effect<void>
  /** Waits until every chunk that was added so far is compressed and given back; none is where chunks are stored. */
  readonly settled: Effect.Effect<void>
  /** The body. To be called once, after the last `add`; the pieces are valid until `giveBack`. */
  readonly finish: Effect.Effect<ReadonlyArray<Uint8Array>>
  /** Gives every buffer back that it still has; the pieces of `finish` are void then. Waits for nothing. */
  readonly giveBack: () => void
}

/** A chunk of record stream that waits for its turn. */
export interface FilledChunk {
  readonly chunk: Buffer
  readonly filled: number
}
