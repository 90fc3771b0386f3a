import { Effect } from "effect"
import { DecompressionFailed } from "../../compression/DecompressionFailed.ts"
import { freeMemory } from "../../compression/freeMemory.ts"
import {
  decompress,
  decompressPieces,
  pieceMemoryBytes,
  recordsSection,
  windowBytes
} from "../../kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import type { SegmentError } from "../SegmentError.ts"
import type { Lease } from "../ByteBudget.ts"
import { SourceWindow } from "../records/SourceWindow.ts"
import type { Transcoder } from "../records/Transcoder.ts"

/** Where the transcoder gets the uncompressed records of one batch from. */
export interface RecordsSource {
  /** True where the batch may be left at any record, because it is large. */
  readonly isLarge: boolean
  /** Gives the transcoder the first records, or, after it stopped for a source, those that follow. */
  readonly feed: Effect.Effect<void, SegmentError>
  /** Undefined if the batch ends where the transcoder was done; else what is wrong. */
  readonly end: Effect.Effect<string | undefined, SegmentError>
  /** Gives memory and budget back; to be called in any case. */
  readonly close: Effect.Effect<void>
}

/** How batches are inflated. */
export interface Inflating {
  readonly transcoder: Transcoder
  /** Most that is inflated at once, in bytes. */
  readonly wholeBytes: number
  /** A share of the memory for inflated batches, with nothing taken. */
  readonly lease: Lease
  /** Most history that a decoder may keep, in bytes. */
  readonly maxWindowBytes: number
  /** What a batch fails with whose decoder keeps that much history. */
  readonly tooLargeWindow: (bytes: number) => SegmentError
  /** What a batch that cannot be inflated, or is not what it should be, fails with. */
  readonly refail: (cause: unknown) => SegmentError
}

/** Opens the records of the batch: where they are, inflated at once, or inflated in pieces where that is too much. */
export const open = Effect.fnUntraced(function* (batch: RecordBatch, inflating: Inflating) {
  const { lease, transcoder, wholeBytes } = inflating
  if (batch.codec === 0) {
    const isLarge = batch.end - batch.recordsStart > wholeBytes
    return whole(transcoder, batch.bytes, batch.recordsStart, batch.end, isLarge, Effect.void)
  }
  const inflated = yield* inflatedWhole(batch, inflating)
  if (inflated === undefined) return yield* pieces(batch, inflating)
  const close = Effect.sync(() => {
    freeMemory(inflated)
    lease.close()
  })
  return whole(transcoder, inflated, 0, inflated.length, false, close)
})

const ended: RecordsSource["end"] = Effect.succeed(undefined)

const whole = (
  transcoder: Transcoder,
  records: Buffer,
  start: number,
  end: number,
  isLarge: boolean,
  close: Effect.Effect<void>
): RecordsSource => ({
  isLarge,
  feed: Effect.sync(() => transcoder.setSource(records, start, end, true)),
  end: ended,
  close
})

/** Undefined where that would take more than `wholeBytes`. Uninterruptible: the thread pool reads the batch. */
const inflatedWhole = Effect.fnUntraced(function* (
  batch: RecordBatch,
  { lease, refail, wholeBytes }: Inflating
): Effect.fn.Return<Buffer | undefined, SegmentError> {
  if (recordsSection(batch).length > wholeBytes) return undefined
  // What a decoder gave in parts is there twice while they are joined.
  yield* lease.take(2 * wholeBytes)
  const refused = (cause: unknown) => {
    lease.close()
    return cause instanceof DecompressionFailed && cause.kind === "too large"
      ? Effect.succeed(undefined)
      : Effect.fail(refail(cause))
  }
  const inflated = yield* Effect.try({ try: () => decompress(batch, wholeBytes), catch: (cause) => cause }).pipe(
    Effect.flatMap((records) =>
      records instanceof Promise
        ? Effect.tryPromise({ try: () => records, catch: (cause) => cause })
        : Effect.succeed(records)
    ),
    Effect.uninterruptible,
    Effect.catch(refused)
  )
  if (inflated !== undefined) lease.keep(inflated.length)
  return inflated
})

/** Frees a piece that is alone in its memory: others may share theirs with the piece that follows. */
const freePiece = (piece: Buffer): void => {
  if (piece.length === piece.buffer.byteLength) freeMemory(piece)
}

/** Inflates while the transcoder asks for more. */
const pieces = Effect.fnUntraced(function* (
  batch: RecordBatch,
  { lease, maxWindowBytes, refail, tooLargeWindow, transcoder }: Inflating
): Effect.fn.Return<RecordsSource> {
  const historyBytes = windowBytes(batch)
  yield* lease.take(pieceMemoryBytes + historyBytes)
  const inflated = decompressPieces(batch)
  const window = new SourceWindow()
  const next = Effect.tryPromise({ try: () => inflated.next(), catch: refail })
  let inflatedBytes = 0
  let isLast = false
  let isFirst = true
  return {
    isLarge: true,
    feed: Effect.gen(function* () {
      const needed = isFirst ? 1 : transcoder.neededSource
      if (!isFirst) window.dropBefore(transcoder.sourceAt)
      isFirst = false
      window.reserve(needed)
      do {
        const piece = yield* next
        if (piece.done === true) isLast = true
        else {
          inflatedBytes += piece.value.length
          window.add(piece.value)
          freePiece(piece.value)
        }
        // Memory of the window that is not written yet takes no room.
        if (Math.min(inflatedBytes, historyBytes) > maxWindowBytes) return yield* tooLargeWindow(historyBytes)
      } while (window.length < needed && !isLast)
      transcoder.setSource(window.bytes, 0, window.length, isLast)
    }),
    end: Effect.gen(function* () {
      for (;;) {
        const piece = yield* next
        if (piece.done === true) return undefined
        if (piece.value.length > 0) return "more bytes follow its last record"
      }
    }),
    close: Effect.promise(() => inflated.return()).pipe(
      Effect.andThen(
        Effect.sync(() => {
          window.giveBack()
          lease.close()
        })
      )
    )
  }
})
