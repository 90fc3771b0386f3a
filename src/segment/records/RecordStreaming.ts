import { Effect, Result } from "effect"
import { freeMemory } from "../../compression/freeMemory.ts"
import { decompress, decompressSync, recordsSection } from "../../kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { MalformedRecords, SegmentError } from "../SegmentError.ts"
import * as OffsetHeaders from "./OffsetHeaders.ts"
import { Transcoder } from "./Transcoder.ts"

/** Length of the buffers that records are written into; a larger record has one of its own. */
const runBytes = 1024 * 1024

/** Most that a batch is inflated to, in bytes: Kafka's own limit is below it. */
const longestInflated = 1024 * 1024 * 1024

/** Number of the codec in a batch's attributes. */
const lz4 = 3

/** Turns batches of one partition, as they are fetched, into runs of records, as segments have them. */
export interface RecordStreamer {
  /**
   * Gives the records with `from <= offset < until` to `onRun`. A run is valid until `onRun` returns: the next one is
   * written over it. The batches' buffers are free again when this completes.
   */
  readonly forEachRun: (
    batches: ReadonlyArray<RecordBatch>,
    from: number,
    until: number,
    onRun: (run: Buffer) => void
  ) => Effect.Effect<void, SegmentError>
}

/** `topic` and `partition` are for messages. Memory: one run. Not for two batches at the same time. */
export const make = (topic: string, partition: number): RecordStreamer => {
  let target = Buffer.allocUnsafeSlow(runBytes)
  const transcoder = new Transcoder(OffsetHeaders.fromSettings(undefined))

  const malformed = (batch: RecordBatch) => (cause: unknown) => {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return new SegmentError({
      reason: new MalformedRecords({ topic, partition, offset: batch.baseOffset, detail, cause })
    })
  }

  /**
   * Uninterruptible: the thread pool reads the batch until it is done. lz4 costs less than four hops to the pool, and
   * its allocator keeps some 40 MiB of each thread that inflates.
   */
  const inflated = (batch: RecordBatch) =>
    batch.codec === lz4
      ? Effect.try({
          try: () => decompressSync(lz4, recordsSection(batch), longestInflated),
          catch: malformed(batch)
        })
      : Effect.uninterruptible(
          Effect.tryPromise({ try: async () => decompress(batch, longestInflated), catch: malformed(batch) })
        )

  const transcode = Effect.fnUntraced(function* (
    batch: RecordBatch,
    from: number,
    until: number,
    onRun: (run: Buffer) => void
  ) {
    const own = batch.codec === 0 ? undefined : yield* inflated(batch)
    const give = () => {
      if (transcoder.filled > 0) onRun(target.subarray(0, transcoder.filled))
    }
    const act = () => {
      transcoder.setBatch(batch, from, until)
      if (own === undefined) transcoder.setSource(batch.bytes, batch.recordsStart, batch.end, true)
      else transcoder.setSource(own, 0, own.length, true)
      transcoder.setTarget(target)
      while (transcoder.run() !== "done") {
        give()
        if (transcoder.needed > target.length) target = Buffer.allocUnsafeSlow(transcoder.needed)
        transcoder.setTarget(target)
      }
      give()
    }
    yield* Effect.fromResult(Result.try({ try: act, catch: malformed(batch) }))
    if (own !== undefined) freeMemory(own)
    // A record that needed more is an exception.
    if (target.length > runBytes) target = Buffer.allocUnsafeSlow(runBytes)
  })

  return {
    forEachRun: Effect.fnUntraced(function* (batches, from, until, onRun) {
      for (const batch of batches) {
        const compactedAway = batch.recordCount === 0 && batch.recordsStart === batch.end
        if (compactedAway || batch.lastOffset < from || batch.baseOffset >= until) continue
        yield* transcode(batch, from, until, onRun)
      }
    })
  }
}
