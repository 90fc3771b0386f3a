import { Effect, Result } from "effect"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import type { ByteBudget, Lease } from "../ByteBudget.ts"
import type { ChunkPool } from "../body/ChunkPool.ts"
import { sha256Of } from "../body/sha256Of.ts"
import { footerOf } from "./FileSums.ts"
import * as Kbak from "./Kbak.ts"
import type { OffsetHeaders } from "../records/OffsetHeaders.ts"
import type { EncodedSegment, SegmentMemory, SegmentWriter } from "../Segment.ts"
import type { SegmentBody } from "../body/SegmentBody.ts"
import * as RecordsSource from "./RecordsSource.ts"
import {
  MalformedRecords,
  RecordNotRepresentable,
  RecordTooLarge,
  SegmentError,
  WindowTooLarge
} from "../SegmentError.ts"
import { NotRepresentable, Transcoder } from "../records/Transcoder.ts"
import { Malformed } from "../records/varint.ts"

export interface KbakWriterOptions {
  readonly topic: string
  readonly partition: number
  readonly compression: Kbak.Compression
  readonly offsetHeaders: OffsetHeaders
  readonly pool: ChunkPool
  readonly body: SegmentBody
  /** Most that one batch is inflated to at once, in bytes. */
  readonly wholeBytes: number
  /** Memory for inflated batches, shared with the other writers of the run. */
  readonly inflating: ByteBudget
  /** Large records that may be in memory, in bytes, shared likewise. */
  readonly largeRecords: ByteBudget
  /** Most history that a decoder may keep, in bytes. */
  readonly windowBytes: number
  readonly neededMemory: SegmentMemory["neededMemory"]
}

/** What one `append` holds of the budgets. Taken in this order, so that nobody waits in a circle. */
interface Leases {
  readonly inflating: Lease
  readonly large: Lease
}

/** Records above this size are few at a time; up to it they are part of what a chunk takes. */
const largeRecordBytes = 4 * 1024 * 1024

const nothing = Buffer.alloc(0)

/** Builds one KBAK segment. */
export const make = (options: KbakWriterOptions): SegmentWriter => {
  const { body, partition, pool, topic } = options
  const transcoder = new Transcoder(options.offsetHeaders)
  let chunk: Buffer | undefined
  let closedBytes = 0
  let state: "open" | "sealed" = "open"

  const uncompressedBytes = () => closedBytes + transcoder.filled

  /**
   * What went wrong with a batch, in the words of the port. What is none of these is a defect of ours and is thrown on.
   */
  const refail = (batch: RecordBatch) => (cause: unknown) => {
    if (cause instanceof NotRepresentable) {
      const { message: detail, offset } = cause
      return new SegmentError({ reason: new RecordNotRepresentable({ topic, partition, offset, detail }) })
    }
    if (cause instanceof Malformed) {
      const detail = cause.message
      return new SegmentError({ reason: new MalformedRecords({ topic, partition, offset: batch.baseOffset, detail }) })
    }
    throw cause
  }
  const malformed = (batch: RecordBatch, detail: string, cause?: unknown) => {
    const offset = batch.baseOffset
    const found = { topic, partition, offset, detail, ...(cause === undefined ? {} : { cause }) }
    return new SegmentError({ reason: new MalformedRecords(found) })
  }
  const checkLimit = Effect.suspend(() =>
    uncompressedBytes() <= body.limitBytes
      ? Effect.void
      : Effect.fail(
          new SegmentError({
            reason: new RecordNotRepresentable({
              topic,
              partition,
              offset: transcoder.lastOffset,
              detail: `one ${options.compression} segment cannot hold more than ${body.limitBytes} bytes of records`
            })
          })
        )
  )

  /** Parts with the chunk that is filling, if there is one, and leaves the transcoder without a target. */
  const closeChunk = Effect.suspend(() => {
    const closing = chunk
    const { filled } = transcoder
    chunk = undefined
    closedBytes += filled
    transcoder.setTarget(nothing)
    if (closing === undefined) return Effect.void
    if (filled > 0) return body.add(closing, filled)
    pool.give(closing)
    return Effect.void
  })

  /** The memory limit that something needs, where it is known. */
  const needed = (what: Parameters<NonNullable<SegmentMemory["neededMemory"]>>[0]) => {
    const neededBytes = options.neededMemory?.(what)
    return neededBytes === undefined ? {} : { neededBytes }
  }

  /** Waits until this fiber may hold a record of that many bytes. */
  const holdLarge = Effect.fnUntraced(function* (batch: RecordBatch, bytes: number, large: Lease) {
    if (large.held > 0) return
    const allowedBytes = options.largeRecords.capacity
    if (bytes > allowedBytes) {
      const found = { topic, partition, offset: batch.baseOffset, bytes, allowedBytes }
      const reason = new RecordTooLarge({ ...found, ...needed({ recordBytes: bytes }) })
      return yield* new SegmentError({ reason })
    }
    yield* large.take(bytes)
  })

  /** Ends a chunk that was made for one large record, and waits until its memory is free. */
  const settleLarge = Effect.fnUntraced(function* (large: Lease) {
    if (chunk === undefined || chunk.length <= Math.max(largeRecordBytes, pool.chunkBytes)) return
    yield* closeChunk
    yield* body.settled
    large.close()
  })

  /** Gives the offset to go on from if the segment is full before the batch is done. */
  const transcodeFrom = Effect.fnUntraced(function* (
    source: RecordsSource.RecordsSource,
    batch: RecordBatch,
    fullBytes: number,
    large: Lease
  ) {
    const attempt = <A>(act: () => A) => Effect.fromResult(Result.try({ try: act, catch: refail(batch) }))
    const isFull = (moreBytes: number) => source.isLarge && uncompressedBytes() + moreBytes >= fullBytes
    yield* source.feed
    for (;;) {
      const stop = yield* attempt(() => transcoder.run())
      if (stop === "done") break
      if (stop === "source") {
        yield* settleLarge(large)
        if (isFull(0)) return transcoder.lastOffset + 1
        const bytes = transcoder.neededSource
        if (bytes > largeRecordBytes) yield* holdLarge(batch, bytes, large)
        yield* source.feed
        continue
      }
      const { needed } = transcoder
      const isLargeRecord = needed > largeRecordBytes
      if (isFull(isLargeRecord && transcoder.recordCount > 0 ? needed : 0)) return transcoder.lastOffset + 1
      yield* settleLarge(large)
      yield* closeChunk
      yield* checkLimit
      if (isLargeRecord) yield* holdLarge(batch, needed, large)
      chunk = pool.take(needed)
      transcoder.setTarget(chunk)
    }
    yield* settleLarge(large)
    yield* checkLimit
    const wrong = yield* source.end
    if (wrong !== undefined) return yield* malformed(batch, wrong)
    return undefined
  })

  const transcode = Effect.fnUntraced(function* (
    batch: RecordBatch,
    from: number,
    until: number,
    fullBytes: number,
    leases: Leases
  ) {
    const source = yield* RecordsSource.open(batch, {
      transcoder,
      wholeBytes: options.wholeBytes,
      lease: leases.inflating,
      maxWindowBytes: options.windowBytes,
      tooLargeWindow: (bytes) => {
        const found = { topic, partition, offset: batch.baseOffset, bytes, allowedBytes: options.windowBytes }
        return new SegmentError({ reason: new WindowTooLarge({ ...found, ...needed({ windowBytes: bytes }) }) })
      },
      refail: (cause) =>
        malformed(
          batch,
          `its records cannot be decompressed: ${cause instanceof Error ? cause.message : String(cause)}`,
          cause
        )
    })
    transcoder.setBatch(batch, from, until)
    return yield* Effect.ensuring(transcodeFrom(source, batch, fullBytes, leases.large), source.close)
  })

  const append = (
    batches: ReadonlyArray<RecordBatch>,
    from: number,
    until: number,
    fullBytes = Number.POSITIVE_INFINITY
  ) =>
    Effect.suspend(() => {
      const leases = { inflating: options.inflating.lease(), large: options.largeRecords.lease() }
      const close = Effect.sync(() => {
        leases.inflating.close()
        leases.large.close()
      })
      return Effect.ensuring(appendWith(batches, from, until, fullBytes, leases), close)
    })

  const appendWith = Effect.fnUntraced(function* (
    batches: ReadonlyArray<RecordBatch>,
    from: number,
    until: number,
    fullBytes: number,
    leases: Leases
  ) {
    if (state !== "open") return yield* Effect.die(new Error(`append to a ${state} segment writer`))
    const last = batches.at(-1)
    for (const batch of batches) {
      const compactedAway = batch.recordCount === 0 && batch.recordsStart === batch.end
      if (compactedAway || batch.lastOffset < from || batch.baseOffset >= until) continue
      const stoppedAt = yield* transcode(batch, from, until, fullBytes, leases)
      if (stoppedAt !== undefined) return stoppedAt
      if (batch !== last && uncompressedBytes() >= fullBytes) return batch.lastOffset + 1
    }
    return undefined
  })

  const giveBack = () => {
    if (chunk !== undefined) pool.give(chunk)
    chunk = undefined
    transcoder.setTarget(nothing)
    body.giveBack()
  }

  const seal = Effect.gen(function* () {
    if (state !== "open") return yield* Effect.die(new Error(`seal of a ${state} segment writer`))
    const { firstOffset, lastOffset, recordCount } = transcoder
    if (recordCount === 0) {
      state = "sealed"
      giveBack()
      return undefined
    }
    yield* closeChunk
    const pieces = yield* body.finish
    const { compression } = options
    const header = Kbak.header({ compression, recordCount, firstOffset, lastOffset })
    const file = [header, ...pieces, yield* footerOf(header, pieces)]
    state = "sealed"
    let released = false
    const segment: EncodedSegment = {
      suffix: Kbak.suffix(compression),
      pieces: file,
      storedBytes: pieces.reduce((sum, piece) => sum + piece.length, Kbak.headerBytes + Kbak.footerBytes),
      sha256: () => sha256Of(file),
      recordCount,
      firstOffset,
      lastOffset,
      minTimestamp: transcoder.timestamps.min,
      maxTimestamp: transcoder.timestamps.max,
      uncompressedBytes: closedBytes,
      payloadBytes: transcoder.payloadBytes,
      largestRecordBytes: transcoder.largestRecordBytes,
      release: () => {
        if (!released) giveBack()
        released = true
      }
    }
    return segment
  })

  return { recordCount: () => transcoder.recordCount, uncompressedBytes, append, seal }
}
