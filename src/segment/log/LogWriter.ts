import { Effect } from "effect"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import type { ChunkPool } from "../body/ChunkPool.ts"
import type { SegmentBody } from "../body/SegmentBody.ts"
import { sha256Of } from "../body/sha256Of.ts"
import type { EncodedSegment, SegmentMemory, SegmentWriter } from "../Segment.ts"
import { BatchTooLarge, SegmentError } from "../SegmentError.ts"
import * as BatchBounds from "./BatchBounds.ts"
import * as BatchTimes from "./BatchTimes.ts"
import * as Log from "./Log.ts"

/** Where the bytes of one segment go: chunks of this pool are filled and given to the body. */
export interface OpenBody {
  readonly pool: ChunkPool
  readonly body: SegmentBody
}

export interface LogWriterOptions {
  readonly topic: string
  readonly partition: number
  /** How a segment is wrapped whose batches arrive uncompressed. */
  readonly compression: Log.Compression
  readonly body: (wrapped: Log.Compression) => OpenBody
  /** Largest batch, in bytes: it is in memory twice while it is copied. */
  readonly batchBytes: number
  readonly neededMemory: SegmentMemory["neededMemory"]
}

const sizeOf = ({ end, start }: RecordBatch): number => end - start

/** Whether a segment that begins with these batches is to be compressed: more than half of their bytes are not yet. */
export const isWrapped = (batches: ReadonlyArray<RecordBatch>): boolean =>
  batches.reduce((sum, batch) => sum + (batch.codec === 0 ? sizeOf(batch) : -sizeOf(batch)), 0) > 0

/** Builds one log segment: copies whole batches as they came, and looks at no record but those at its ends. */
export const make = (options: LogWriterOptions): SegmentWriter => {
  const { batchBytes, partition, topic } = options
  let open: (OpenBody & { readonly wrapped: Log.Compression }) | undefined
  let chunk: Buffer | undefined
  let filled = 0
  let isSealed = false
  const times = BatchTimes.make()
  let recordCount = 0
  let logBytes = 0
  let firstOffset = -1
  let lastOffset = -1
  /** A copy of the last batch, where its header does not say which is its last record. */
  let sparse: RecordBatch | undefined

  /** Parts with the chunk that is filling, if there is one. */
  const closeChunk = (to: OpenBody) =>
    Effect.suspend(() => {
      const [closing, bytes] = [chunk, filled]
      chunk = undefined
      filled = 0
      return closing === undefined ? Effect.void : to.body.add(closing, bytes)
    })

  const copy = Effect.fnUntraced(function* (to: OpenBody, { bytes, end, start }: RecordBatch) {
    for (let at = start; at < end;) {
      chunk ??= to.pool.take(to.pool.chunkBytes)
      const copied = bytes.copy(chunk, filled, at, Math.min(end, at + chunk.length - filled))
      at += copied
      filled += copied
      if (filled === chunk.length) yield* closeChunk(to)
    }
  })

  const fits = (to: OpenBody, batch: RecordBatch): boolean =>
    filled + sizeOf(batch) < (chunk?.length ?? to.pool.chunkBytes)

  /** The copy where no chunk ends: without an effect, for batches are many. */
  const copyNow = (to: OpenBody, { bytes, end, start }: RecordBatch): void => {
    chunk ??= to.pool.take(to.pool.chunkBytes)
    filled += bytes.copy(chunk, filled, start, end)
  }

  const tooLarge = (batch: RecordBatch) => {
    const neededBytes = options.neededMemory?.({ recordBytes: sizeOf(batch) })
    const needed = neededBytes === undefined ? {} : { neededBytes }
    const found = { topic, partition, offset: batch.baseOffset, bytes: sizeOf(batch), allowedBytes: batchBytes }
    return new SegmentError({ reason: new BatchTooLarge({ ...found, ...needed }) })
  }

  /** What is known of a batch in the middle of a segment without opening it: all but which record is its last. */
  const middle = (batch: RecordBatch, from: number, until: number): BatchBounds.BatchBounds | undefined =>
    recordCount > 0 && batch.baseOffset >= from && batch.lastOffset < until
      ? { records: batch.recordCount, firstOffset: batch.baseOffset, lastOffset: batch.lastOffset }
      : undefined

  const append = Effect.fnUntraced(function* (
    batches: ReadonlyArray<RecordBatch>,
    from: number,
    until: number,
    fullBytes = Number.POSITIVE_INFINITY
  ) {
    if (isSealed) return yield* Effect.die(new Error("append to a sealed segment writer"))
    const last = batches.at(-1)
    let kept: RecordBatch | undefined
    let isLastKnown = true
    let stoppedAt: number | undefined
    for (const batch of batches) {
      if (batch.recordCount === 0 || batch.lastOffset < from || batch.baseOffset >= until) continue
      if (sizeOf(batch) > batchBytes) return yield* tooLarge(batch)
      const exact = BatchBounds.ofHeader(batch, from, until)
      const inside = exact ?? middle(batch, from, until)
      const bounds = inside ?? (yield* BatchBounds.opened(topic, partition, batch, from, until))
      if (bounds.records === 0) continue
      if (open === undefined) {
        const wrapped = isWrapped(batches) ? options.compression : "none"
        open = { ...options.body(wrapped), wrapped }
      }
      if (fits(open, batch)) copyNow(open, batch)
      else yield* copy(open, batch)
      if (recordCount === 0) firstOffset = bounds.firstOffset
      lastOffset = bounds.lastOffset
      recordCount += bounds.records
      logBytes += sizeOf(batch)
      times.add(batch)
      kept = batch
      isLastKnown = exact !== undefined || inside === undefined
      if (batch !== last && logBytes >= fullBytes) {
        stoppedAt = batch.lastOffset + 1
        break
      }
    }
    if (kept !== undefined) sparse = isLastKnown ? undefined : copied(kept)
    return stoppedAt
  })

  const seal = Effect.gen(function* () {
    if (isSealed) return yield* Effect.die(new Error("seal of a sealed segment writer"))
    isSealed = true
    if (open === undefined) return undefined
    if (sparse !== undefined) {
      lastOffset = (yield* BatchBounds.opened(topic, partition, sparse, 0, Number.MAX_SAFE_INTEGER)).lastOffset
    }
    yield* closeChunk(open)
    const { body, wrapped } = open
    const pieces = yield* body.finish
    let isReleased = false
    const segment: EncodedSegment = {
      suffix: Log.suffix(wrapped),
      pieces,
      storedBytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
      sha256: () => sha256Of(pieces),
      recordCount,
      firstOffset,
      lastOffset,
      minTimestamp: times.min,
      maxTimestamp: times.max,
      uncompressedBytes: logBytes,
      payloadBytes: logBytes,
      release: () => {
        if (!isReleased) body.giveBack()
        isReleased = true
      }
    }
    return segment
  })

  return { recordCount: () => recordCount, uncompressedBytes: () => logBytes, append, seal }
}

/** The batch alone in memory of its own. */
const copied = (batch: RecordBatch): RecordBatch => {
  const bytes = Buffer.from(batch.bytes.subarray(batch.start, batch.end))
  return { ...batch, bytes, start: 0, recordsStart: batch.recordsStart - batch.start, end: bytes.length }
}
