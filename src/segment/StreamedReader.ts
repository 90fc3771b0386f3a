import { Effect, type Scope, Stream } from "effect"
import { SegmentDamaged, SegmentError } from "./SegmentError.ts"
import type { SegmentContent, SegmentReader } from "./SegmentReader.ts"
import type { StoredRecord } from "./StoredRecord.ts"

/** One reading of one file: what a format has to say of its own. */
export interface Reading {
  /**
   * Runs of whole records, each as it is found good. With `mayFree` the memory of a run may be free when the next one
   * is asked for. Throws `SegmentError`, and what the pieces throw. Ends only when everything was right.
   */
  readonly runs: (mayFree: boolean) => AsyncGenerator<Buffer, void>
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

const runs = <E>(reading: Reading, mayFree: boolean): Stream.Stream<Buffer, E | SegmentError> =>
  Stream.fromAsyncIterable(reading.runs(mayFree), (cause): E | SegmentError | Defect =>
    cause instanceof SourceFailure
      ? (cause.error as E)
      : cause instanceof SegmentError
        ? cause
        : new Defect("internal error while reading a segment", { cause })
  ).pipe(Stream.catch((error) => (error instanceof Defect ? Stream.die(error.cause) : Stream.fail(error))))

/** Fails unless the file that was read is the one that is meant: a file that is right may still be another one. */
const assertSha256 = (key: string, reading: Reading, should: string): Effect.Effect<void, SegmentError> =>
  Effect.suspend(() => {
    const is = reading.content().sha256
    if (is === should) return Effect.void
    const detail = `has the SHA-256 ${is}, but the manifest says ${should}: it was replaced or altered`
    return Effect.fail(new SegmentError({ reason: new SegmentDamaged({ key, detail }) }))
  })

/**
 * A reader around code that pulls pieces and throws: passes on what the file fails with, keeps defects apart from
 * errors, and lets go of the file when it is interrupted. `decode` gives the records of a run.
 */
export const make = (
  begin: (key: string, pieces: AsyncIterator<Uint8Array>) => Reading,
  decode: (run: Buffer) => ReadonlyArray<StoredRecord>
): SegmentReader => {
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
      return begin(key, iterator)
    })

  const reader: SegmentReader = {
    inspect: <E, R>(key: string, file: Stream.Stream<Uint8Array, E, R>) =>
      Effect.scoped(
        Effect.flatMap(opened(key, file), (reading) =>
          Effect.map(Stream.runDrain(runs<E>(reading, true)), () => reading.content())
        )
      ),
    runs: <E, R>(key: string, file: Stream.Stream<Uint8Array, E, R>, sha256?: string) =>
      Stream.unwrap(
        Effect.map(opened(key, file), (reading) =>
          sha256 === undefined
            ? runs<E>(reading, true)
            : Stream.concat(runs<E>(reading, true), Stream.fromEffectDrain(assertSha256(key, reading, sha256)))
        )
      ),
    // Records are views of their run.
    records: <E, R>(key: string, file: Stream.Stream<Uint8Array, E, R>) =>
      Stream.unwrap(Effect.map(opened(key, file), (reading) => Stream.map(runs<E>(reading, false), decode))),
    provenRecords: (key, file) => Stream.unwrap(Effect.map(reader.inspect(key, file), () => reader.records(key, file)))
  }
  return reader
}
