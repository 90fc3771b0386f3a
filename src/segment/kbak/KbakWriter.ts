import { Effect, Result } from "effect"
import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { decompress } from "../../kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import type { ChunkPool } from "./ChunkPool.ts"
import * as Kbak from "./Kbak.ts"
import type { OffsetHeaders } from "./OffsetHeaders.ts"
import { freeMemory } from "../../compression/freeMemory.ts"
import type { EncodedSegment, SegmentWriter } from "../Segment.ts"
import type { SegmentBody } from "./SegmentBody.ts"
import { MalformedRecords, RecordNotRepresentable, SegmentError } from "../SegmentError.ts"
import { NotRepresentable, Transcoder } from "./Transcoder.ts"
import { Malformed } from "./varint.ts"

export interface KbakWriterOptions {
  readonly topic: string
  readonly partition: number
  readonly compression: Kbak.Compression
  readonly offsetHeaders: OffsetHeaders
  readonly pool: ChunkPool
  readonly body: SegmentBody
  /** Largest batch after decompression, in bytes. */
  readonly maxInflatedBytes: number
}

/** Bytes that are checksummed without a pause for other fibers; about 2 ms. */
const hashStep = 1024 * 1024

const nothing = Buffer.alloc(0)

/** The footer, with the CRC-32 of header and body. */
const footerOf = Effect.fnUntraced(function* (header: Buffer, body: ReadonlyArray<Uint8Array>) {
  let crc = 0
  for (const piece of [header, ...body]) {
    for (let at = 0; at < piece.length; at += hashStep) {
      const step = piece.subarray(at, at + hashStep)
      crc = crc32(step, crc)
      yield* Effect.yieldNow
    }
  }
  return Kbak.footer(crc)
})

const sha256Of = (pieces: ReadonlyArray<Uint8Array>): string => {
  const hash = createHash("sha256")
  for (const piece of pieces) hash.update(piece)
  return hash.digest("hex")
}

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
  const undecompressable = (batch: RecordBatch) => (cause: unknown) => {
    const detail = `its records cannot be decompressed: ${cause instanceof Error ? cause.message : String(cause)}`
    const reason = new MalformedRecords({ topic, partition, offset: batch.baseOffset, detail, cause })
    return new SegmentError({ reason })
  }
  /** Uninterruptible: the thread pool reads the batch until it is done. */
  const inflated = (batch: RecordBatch) =>
    Effect.uninterruptible(
      Effect.flatMap(
        Effect.try({
          try: () => decompress(batch, options.maxInflatedBytes),
          catch: undecompressable(batch)
        }),
        (records) =>
          records instanceof Promise
            ? Effect.tryPromise({ try: () => records, catch: undecompressable(batch) })
            : Effect.succeed(records)
      )
    )
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

  const transcode = Effect.fnUntraced(function* (batch: RecordBatch, from: number, until: number) {
    const attempt = <A>(act: () => A) => Effect.fromResult(Result.try({ try: act, catch: refail(batch) }))
    const own = batch.codec === 0 ? undefined : yield* inflated(batch)
    if (own === undefined) {
      yield* attempt(() => transcoder.setBatch(batch, batch.bytes, batch.recordsStart, batch.end, from, until))
    } else yield* attempt(() => transcoder.setBatch(batch, own, 0, own.length, from, until))
    while (!(yield* attempt(() => transcoder.run()))) {
      yield* closeChunk
      yield* checkLimit
      chunk = pool.take(transcoder.needed)
      transcoder.setTarget(chunk)
    }
    if (own !== undefined) freeMemory(own)
    yield* checkLimit
  })

  const append = Effect.fnUntraced(function* (batches: ReadonlyArray<RecordBatch>, from: number, until: number) {
    if (state !== "open") return yield* Effect.die(new Error(`append to a ${state} segment writer`))
    for (const batch of batches) {
      const compactedAway = batch.recordCount === 0 && batch.recordsStart === batch.end
      if (!compactedAway && batch.lastOffset >= from && batch.baseOffset < until) yield* transcode(batch, from, until)
    }
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
      release: () => {
        if (!released) giveBack()
        released = true
      }
    }
    return segment
  })

  return { recordCount: () => transcoder.recordCount, uncompressedBytes, append, seal }
}
