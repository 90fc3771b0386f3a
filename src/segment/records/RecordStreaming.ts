import { Effect, Result } from "effect"
import { freeMemory } from "../../compression/freeMemory.ts"
import { decompress } from "../../kafka/batch/Decompression.ts"
import type { RecordBatch } from "../../kafka/batch/RecordBatch.ts"
import { MalformedRecords, SegmentError } from "../SegmentError.ts"
import * as OffsetHeaders from "./OffsetHeaders.ts"
import { Transcoder } from "./Transcoder.ts"

/** Length of the buffers that records are written into; a larger record has one of its own. */
const runBytes = 1024 * 1024

/** Most that a batch is inflated to, in bytes: Kafka's own limit is below it. */
const longestInflated = 1024 * 1024 * 1024

/** Turns batches of one partition, as they are fetched, into runs of records, as segments have them. */
export interface RecordStreamer {
  /** The records with `from <= offset < until`. The batches' buffers are free again when this completes. */
  readonly runs: (
    batches: ReadonlyArray<RecordBatch>,
    from: number,
    until: number
  ) => Effect.Effect<ReadonlyArray<Buffer>, SegmentError>
}

/** `topic` and `partition` are for messages. */
export const make = (topic: string, partition: number): RecordStreamer => {
  const transcoder = new Transcoder(OffsetHeaders.fromSettings(undefined))

  const malformed = (batch: RecordBatch) => (cause: unknown) => {
    const detail = cause instanceof Error ? cause.message : String(cause)
    return new SegmentError({
      reason: new MalformedRecords({ topic, partition, offset: batch.baseOffset, detail, cause })
    })
  }

  /** Uninterruptible: the thread pool reads the batch until it is done. */
  const inflated = (batch: RecordBatch) =>
    Effect.uninterruptible(
      Effect.tryPromise({ try: async () => decompress(batch, longestInflated), catch: malformed(batch) })
    )

  const transcode = Effect.fnUntraced(function* (batch: RecordBatch, from: number, until: number, into: Array<Buffer>) {
    const attempt = <A>(act: () => A) => Effect.fromResult(Result.try({ try: act, catch: malformed(batch) }))
    const own = batch.codec === 0 ? undefined : yield* inflated(batch)
    yield* attempt(() => {
      transcoder.setBatch(batch, from, until)
      if (own === undefined) transcoder.setSource(batch.bytes, batch.recordsStart, batch.end, true)
      else transcoder.setSource(own, 0, own.length, true)
    })
    let target = Buffer.allocUnsafeSlow(runBytes)
    transcoder.setTarget(target)
    while ((yield* attempt(() => transcoder.run())) !== "done") {
      if (transcoder.filled > 0) into.push(target.subarray(0, transcoder.filled))
      target = Buffer.allocUnsafeSlow(Math.max(runBytes, transcoder.needed))
      transcoder.setTarget(target)
    }
    if (transcoder.filled > 0) into.push(target.subarray(0, transcoder.filled))
    if (own !== undefined) freeMemory(own)
  })

  return {
    runs: Effect.fnUntraced(function* (batches, from, until) {
      const runs: Array<Buffer> = []
      for (const batch of batches) {
        const compactedAway = batch.recordCount === 0 && batch.recordsStart === batch.end
        if (compactedAway || batch.lastOffset < from || batch.baseOffset >= until) continue
        yield* transcode(batch, from, until, runs)
      }
      return runs
    })
  }
}
