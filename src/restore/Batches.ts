import { Effect, Stream } from "effect"
import type { UnsealedBatch } from "../kafka/batch/SealedBatch.ts"
import { RecordBatcher } from "../segment/records/RecordBatcher.ts"

/** The records of `runs` as batches of at most `targetBytes` before compression; each ends before a hole. */
export const of = <E, R>(runs: Stream.Stream<Buffer, E, R>, targetBytes: number): Stream.Stream<UnsealedBatch, E, R> =>
  Stream.suspend(() => {
    const batcher = new RecordBatcher(targetBytes)
    const full = (run: Buffer): ReadonlyArray<UnsealedBatch> => {
      const batches: Array<UnsealedBatch> = []
      for (let at = 0; at < run.length;) {
        at = batcher.push(run, at)
        if (batcher.stop !== undefined) batches.push(batcher.take())
      }
      return batches
    }
    const last = Stream.fromIterableEffect(Effect.sync(() => (batcher.recordCount === 0 ? [] : [batcher.take()])))
    return runs.pipe(Stream.map(full), Stream.flattenIterable, Stream.concat(last))
  })
