import { Effect, type Scope, Stream } from "effect"
import { SegmentCorruption } from "../SegmentCorruption.ts"
import { inflated } from "./inflated.ts"
import type * as Kbak from "./Kbak.ts"
import { RecordScan } from "./RecordScan.ts"
import { SegmentDamaged, SegmentError } from "../SegmentError.ts"
import { SegmentEnvelope } from "./SegmentEnvelope.ts"
import { storedRecords, type StoredRecord } from "../StoredRecord.ts"
import { WholeRecords } from "./WholeRecords.ts"

export type { StoredRecord } from "../StoredRecord.ts"

/** What a segment file was found to hold, all of it counted and nothing taken from its header. */
export interface SegmentContent {
  readonly compression: Kbak.Compression
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
  readonly uncompressedBytes: number
  /** Bytes of keys and values alone. */
  readonly payloadBytes: number
}

/** A failure of the stream that the file comes from, on its way through code that throws. */
class SourceFailure<E> extends Error {
  readonly error: E
  constructor(error: E) {
    super("the file cannot be read")
    this.error = error
  }
}

/** One reading of one file: whole records come out as they are found good, and the sums are there at the end. */
class Reading {
  readonly #key: string
  readonly #envelope: SegmentEnvelope
  #header: Kbak.Header | undefined
  #scan: RecordScan | undefined

  constructor(key: string, pieces: AsyncIterator<Uint8Array>) {
    this.#key = key
    this.#envelope = new SegmentEnvelope(pieces)
  }

  /** Throws `SegmentError`, and what the pieces throw. Ends only when everything was right. */
  async *wholeRecords(): AsyncGenerator<Buffer, void> {
    try {
      const header = (this.#header = await this.#envelope.header())
      const scan = (this.#scan = new RecordScan(header))
      const whole = new WholeRecords()
      for await (const piece of inflated(header.compression, this.#envelope.body())) {
        for (const records of whole.push(piece)) {
          scan.push(records)
          yield records
        }
      }
      whole.end()
      scan.end()
    } catch (cause) {
      throw cause instanceof SegmentCorruption ? this.#damaged(cause) : cause
    }
  }

  content(): SegmentContent {
    const { firstOffset, lastOffset, payloadBytes, recordCount, timestamps, uncompressedBytes } = this.#scan!
    const { compression, storedBytes } = this.#envelope
    return {
      compression,
      storedBytes,
      sha256: this.#envelope.sha256(),
      recordCount,
      firstOffset,
      lastOffset,
      minTimestamp: timestamps.min,
      maxTimestamp: timestamps.max,
      uncompressedBytes,
      payloadBytes
    }
  }

  #damaged(damage: SegmentCorruption): SegmentError {
    const cause = damage.cause === undefined ? {} : { cause: damage.cause }
    const detail = `${damage.message}${this.#affected()}`
    return new SegmentError({ reason: new SegmentDamaged({ key: this.#key, detail, ...cause }) })
  }

  /** Which records a person must do without, as far as that can be told. */
  #affected(): string {
    const header = this.#header
    if (header === undefined || header.recordCount === 0) return ""
    const read = this.#scan?.recordCount ?? 0
    if (read === 0) return `; affected: offsets ${header.firstOffset} to ${header.lastOffset}, by its header`
    const last = this.#scan!.lastOffset
    return last >= header.lastOffset
      ? `; all ${read} records were read, but any of offsets ${header.firstOffset} to ${header.lastOffset} may be wrong`
      : `; ${read} of ${header.recordCount} records were read, up to offset ${last}; affected: offsets ${last + 1} to ${header.lastOffset}`
  }
}

/** Begins to read; what it began ends with the scope, also when the source is stuck. */
const opened = <E, R>(
  key: string,
  file: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<Reading, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const iterable = yield* file.pipe(
      Stream.mapError((error) => new SourceFailure(error)),
      Stream.toAsyncIterableEffect
    )
    const iterator = yield* Effect.acquireRelease(
      Effect.sync(() => iterable[Symbol.asyncIterator]()),
      (pieces) => Effect.promise(async () => void (await pieces.return?.()))
    )
    return new Reading(key, iterator)
  })

/** A defect in the clothes of an error. */
class Defect extends Error {}

const wholeRecords = <E>(reading: Reading): Stream.Stream<Buffer, E | SegmentError> =>
  Stream.fromAsyncIterable(reading.wholeRecords(), (cause): E | SegmentError | Defect =>
    cause instanceof SourceFailure
      ? (cause.error as E)
      : cause instanceof SegmentError
        ? cause
        : new Defect("reading a segment broke", { cause })
  ).pipe(Stream.catch((error) => (error instanceof Defect ? Stream.die(error.cause) : Stream.fail(error))))

/**
 * Reads the whole file and proves it: magic, version, codec, every frame and record, count, order and range of the
 * offsets, nothing behind the end, CRC-32. What is not right is `SegmentDamaged`, with the offsets that are affected.
 * Memory does not grow with the segment: it holds one record and a decoder's window. `file` brings pieces that nobody
 * changes afterwards; `key` is for messages.
 */
export const inspect = <E, R>(
  key: string,
  file: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<SegmentContent, E | SegmentError, R> =>
  Effect.scoped(
    Effect.flatMap(opened(key, file), (reading) =>
      Effect.map(Stream.runDrain(wholeRecords<E>(reading)), () => reading.content())
    )
  )

/**
 * The records of a file, in batches, in one pass. Each record is checked as by `inspect`, but the checksum stands at
 * the end of the file: when the stream fails, at the latest in place of its end, what it gave before is suspect.
 */
export const records = <E, R>(
  key: string,
  file: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<ReadonlyArray<StoredRecord>, E | SegmentError, R> =>
  Stream.unwrap(Effect.map(opened(key, file), (reading) => wholeRecords<E>(reading))).pipe(Stream.map(storedRecords))

/** As `records`, after a first pass over `file` that proved it: nothing comes out of a damaged file. Reads it twice. */
export const provenRecords = <E, R>(
  key: string,
  file: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<ReadonlyArray<StoredRecord>, E | SegmentError, R> =>
  Stream.unwrap(Effect.map(inspect(key, file), () => records(key, file)))
