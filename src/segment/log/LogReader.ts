import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { decodedRecords } from "../records/decodedRecords.ts"
import * as OffsetHeaders from "../records/OffsetHeaders.ts"
import { NotRepresentable, Transcoder } from "../records/Transcoder.ts"
import { Malformed } from "../records/varint.ts"
import { RecordNotRepresentable, SegmentError } from "../SegmentError.ts"
import type { NamedSegment, Piece, SegmentContent, SegmentReader } from "../SegmentReader.ts"
import * as StreamedReader from "../StreamedReader.ts"
import * as BatchRecords from "./BatchRecords.ts"
import * as BatchTimes from "./BatchTimes.ts"
import * as Log from "./Log.ts"
import * as LogPlace from "./LogPlace.ts"
import { LogWalk } from "./LogWalk.ts"

/** Length of the buffers that records are written into; a larger record has one of its own. */
const runBytes = 1024 * 1024

/** One reading of one file: every batch is checked and opened, and its records come out as runs. */
class Reading implements StreamedReader.Reading {
  readonly #key: string
  readonly #walk: LogWalk
  readonly #from: number
  readonly #until: number
  readonly #transcoder = new Transcoder(OffsetHeaders.fromSettings(undefined))
  readonly #times = BatchTimes.make()

  constructor(key: string, pieces: AsyncIterator<Uint8Array>, named: NamedSegment | undefined) {
    this.#key = key
    this.#walk = new LogWalk(key, pieces, named)
    this.#from = named?.firstOffset ?? 0
    this.#until = (named?.lastOffset ?? Number.MAX_SAFE_INTEGER - 1) + 1
  }

  runs(mayFree: boolean): AsyncGenerator<Buffer, void> {
    return this.#read(mayFree, undefined) as AsyncGenerator<Buffer, void>
  }

  pieces(takes: (batch: RecordBatch) => boolean): AsyncGenerator<Piece, void> {
    return this.#read(true, takes)
  }

  /** Batches come only where some are taken. */
  async *#read(mayFree: boolean, takes: ((batch: RecordBatch) => boolean) | undefined): AsyncGenerator<Piece, void> {
    const transcoder = this.#transcoder
    let target = Buffer.allocUnsafeSlow(runBytes)
    transcoder.setTarget(target)
    /** What is filled, if anything, and then a target for at least so many bytes more. */
    const fresh = (bytes: number) => {
      target = mayFree && target.length === runBytes && bytes <= runBytes ? target : Buffer.allocUnsafeSlow(bytes)
      transcoder.setTarget(target)
    }
    for await (const batches of this.#walk.batches(mayFree)) {
      for (const batch of batches) {
        this.#times.add(batch)
        if (takes?.(batch) === true) {
          if (transcoder.filled > 0) {
            yield target.subarray(0, transcoder.filled)
            fresh(runBytes)
          }
          yield batch
          continue
        }
        const records = BatchRecords.transcoded(batch, transcoder, this.#from, this.#until)
        for (;;) {
          const { done } = await this.#checked(batch, records.next())
          if (done === true) break
          const { needed } = transcoder
          if (transcoder.filled > 0) yield target.subarray(0, transcoder.filled)
          fresh(Math.max(runBytes, needed))
        }
      }
    }
    if (transcoder.filled > 0) yield target.subarray(0, transcoder.filled)
    transcoder.setTarget(Buffer.alloc(0))
  }

  /** What opening a batch fails with, in the words of the port. */
  async #checked<A>(batch: RecordBatch, step: Promise<A>): Promise<A> {
    try {
      return await step
    } catch (cause) {
      if (cause instanceof NotRepresentable) {
        const { message: detail, offset } = cause
        throw new SegmentError({ reason: new RecordNotRepresentable({ ...LogPlace.of(this.#key), offset, detail }) })
      }
      const { baseOffset, lastOffset } = batch
      throw this.#walk.failure(
        cause instanceof Malformed
          ? new Log.Corruption(`has a batch with the offsets ${baseOffset} to ${lastOffset}: ${cause.message}`)
          : cause
      )
    }
  }

  content(): SegmentContent {
    const { firstOffset, lastOffset, payloadBytes, recordCount } = this.#transcoder
    const { compression, logBytes, sha256, storedBytes } = this.#walk
    return {
      compression,
      storedBytes,
      sha256,
      recordCount,
      firstOffset,
      lastOffset,
      minTimestamp: this.#times.min,
      maxTimestamp: this.#times.max,
      uncompressedBytes: logBytes,
      payloadBytes
    }
  }
}

/**
 * Reads Kafka log segments: every batch is checked and opened. A log has no checksum of its own whole, and the offsets
 * of a batch have none either: the SHA-256 of the manifest covers them. Memory: one batch, and what it inflates to, or
 * a few pieces of that where it is more than 8 MiB.
 */
export const reader: SegmentReader = StreamedReader.make(
  (key, pieces, named) => new Reading(key, pieces, named),
  decodedRecords
)
