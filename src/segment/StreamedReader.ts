import { Effect, type Scope, Stream } from "effect"
import type { RecordBatch } from "../kafka/batch/RecordBatch.ts"
import { SegmentDamaged, SegmentError } from "./SegmentError.ts"
import type { NamedSegment, Piece, SegmentContent, SegmentReader } from "./SegmentReader.ts"
import type { StoredRecord } from "./StoredRecord.ts"

/** One reading of one file: what a format has to say of its own. */
export interface Reading {
  /**
   * Runs of whole records, each as it is found good. With `mayFree` the memory of a run may be free when the next one
   * is asked for. Throws `SegmentError`, and what the pieces throw. Ends only when everything was right.
   */
  readonly runs: (mayFree: boolean) => AsyncGenerator<Buffer, void>
  /** As `runs(true)`, but for batches that are taken as they are. Absent: the format has none. */
  readonly pieces?: (takes: (batch: RecordBatch) => boolean) => AsyncGenerator<Piece, void>
  /** To be asked once, after the runs have ended. */
  readonly content: () => SegmentContent
}

/** A failure of the stream that the file comes from, on its way through code that throws. */
class SourceFailure<E> extends Error {
  readonly error: E
  constructor(error: E) {
    super("the file cannot be read")
    this.error = error
  }
}

/** A defect in the clothes of an error. */
class Defect extends Error {}

/** What a generator gives, as a stream with the errors of the file that it reads. */
const streamed = <A, E>(generator: AsyncGenerator<A, void>): Stream.Stream<A, E | SegmentError> =>
  Stream.fromAsyncIterable(generator, (cause): E | SegmentError | Defect =>
    cause instanceof SourceFailure
      ? (cause.error as E)
      : cause instanceof SegmentError
        ? cause
        : new Defect("internal error while reading a segment", { cause })
  ).pipe(Stream.catch((error) => (error instanceof Defect ? Stream.die(error.cause) : Stream.fail(error))))

/** The pieces of a file, one by one; what is open of it ends with the scope, also when the source is stuck. */
const opened = <E, R>(
  file: Stream.Stream<Uint8Array, E, R>
): Effect.Effect<AsyncIterator<Uint8Array>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const iterable = yield* file.pipe(
      Stream.mapError((error) => new SourceFailure(error)),
      Stream.toAsyncIterableEffect
    )
    return yield* Effect.acquireRelease(
      Effect.sync(() => iterable[Symbol.asyncIterator]()),
      (pieces) => Effect.promise(async () => void (await pieces.return?.()))
    )
  })

/**
 * A stream around code that pulls pieces and throws: passes on what the file fails with, keeps defects apart from
 * errors, and lets go of the file when it is interrupted.
 */
export const stream = <A, E, R>(
  file: Stream.Stream<Uint8Array, E, R>,
  generate: (pieces: AsyncIterator<Uint8Array>) => AsyncGenerator<A, void>
): Stream.Stream<A, E | SegmentError, R> =>
  Stream.unwrap(Effect.map(opened(file), (pieces) => streamed<A, E>(generate(pieces))))

/** The words for a file that is another one than the manifest names. */
export const otherFile = (is: string, should: string): string =>
  `has the SHA-256 ${is}, but the manifest says ${should}: it was replaced or altered`

/** Fails unless the file that was read is the one that is meant: a file that is right may still be another one. */
const assertSha256 = (key: string, reading: Reading, should: string): Effect.Effect<void, SegmentError> =>
  Effect.suspend(() => {
    const is = reading.content().sha256
    if (is === should) return Effect.void
    return Effect.fail(new SegmentError({ reason: new SegmentDamaged({ key, detail: otherFile(is, should) }) }))
  })

/** A reader around code that pulls pieces and throws. `decode` gives the records of a run. */
export const make = (
  begin: (key: string, pieces: AsyncIterator<Uint8Array>, named: NamedSegment | undefined) => Reading,
  decode: (run: Buffer) => ReadonlyArray<StoredRecord>
): SegmentReader => {
  const read = <A, E, R>(
    key: string,
    file: Stream.Stream<Uint8Array, E, R>,
    named: NamedSegment | undefined,
    generate: (reading: Reading) => AsyncGenerator<A, void>
  ): Stream.Stream<A, E | SegmentError, R> =>
    Stream.unwrap(
      Effect.map(opened(file), (pieces) => {
        const reading = begin(key, pieces, named)
        const all = streamed<A, E>(generate(reading))
        return named?.sha256 === undefined
          ? all
          : Stream.concat(all, Stream.fromEffectDrain(assertSha256(key, reading, named.sha256)))
      })
    )

  const reader: SegmentReader = {
    inspect: <E, R>(key: string, file: Stream.Stream<Uint8Array, E, R>, named?: NamedSegment) =>
      Effect.scoped(
        Effect.flatMap(opened(file), (pieces) => {
          const reading = begin(key, pieces, named)
          return Effect.map(Stream.runDrain(streamed<Buffer, E>(reading.runs(true))), () => reading.content())
        })
      ),
    runs: (key, file, named) => read(key, file, named, (reading) => reading.runs(true)),
    pieces: (key, file, takes, named) =>
      read(key, file, named, (reading): AsyncGenerator<Piece, void> => reading.pieces?.(takes) ?? reading.runs(true)),
    // Records are views of their run.
    records: (key, file, named) =>
      Stream.map(
        read(key, file, named, (reading) => reading.runs(false)),
        decode
      ),
    provenRecords: (key, file, named) =>
      Stream.unwrap(
        Effect.flatMap(reader.inspect(key, file, named), ({ sha256 }) =>
          named?.sha256 === undefined || named.sha256 === sha256
            ? Effect.succeed(reader.records(key, file, named))
            : Effect.fail(
                new SegmentError({ reason: new SegmentDamaged({ key, detail: otherFile(sha256, named.sha256) }) })
              )
        )
      )
  }
  return reader
}
