import { Cause, Effect, Pull, Stream } from "effect"
import type { UnsealedBatch } from "../kafka/batch/SealedBatch.ts"
import { RecordBatcher } from "../segment/records/RecordBatcher.ts"

/**
 * The records of `runs` as batches of at most `targetBytes` before compression; each ends before a hole. A batch is
 * made when it is asked for, and the next run is asked for when the one before is used up.
 */
export const of = <E, R>(runs: Stream.Stream<Buffer, E, R>, targetBytes: number): Stream.Stream<UnsealedBatch, E, R> =>
  Stream.transformPull(runs, (pull) =>
    Effect.sync(() => {
      const batcher = new RecordBatcher(targetBytes)
      let waiting: ReadonlyArray<Buffer> = []
      let at = 0
      let hasEnded = false
      const next: Pull.Pull<readonly [UnsealedBatch], E, void> = Effect.suspend(() => {
        while (waiting.length > 0) {
          const run = waiting[0]!
          at = batcher.push(run, at)
          if (at === run.length) {
            waiting = waiting.slice(1)
            at = 0
          }
          if (batcher.stop !== undefined) return Effect.succeed([batcher.take()] as const)
        }
        if (hasEnded) return batcher.recordCount === 0 ? Cause.done() : Effect.succeed([batcher.take()] as const)
        return pull.pipe(
          Effect.map((more) => void (waiting = more)),
          Pull.catchDone(() => Effect.sync(() => void (hasEnded = true))),
          Effect.andThen(next)
        )
      })
      return next
    })
  )
