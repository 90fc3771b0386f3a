import { Cause, Effect, Pull, Stream } from "effect"
import type { UnsealedBatch } from "../kafka/batch/SealedBatch.ts"
import { RecordBatcher } from "../segment/records/RecordBatcher.ts"
import * as Content from "./Content.ts"
import type { StoredBatch } from "./Produced.ts"

/**
 * The records of runs as batches of at most `targetBytes` before compression; each ends before a hole, or before a
 * batch that is there already, and goes past as it is. A batch is made when it is asked for, and the next piece is
 * asked for when the one before is used up.
 */
export const of = <E, R>(
  pieces: Stream.Stream<Content.Piece, E, R>,
  targetBytes: number
): Stream.Stream<UnsealedBatch | StoredBatch, E, R> =>
  Stream.transformPull(pieces, (pull) =>
    Effect.sync(() => {
      const batcher = new RecordBatcher(targetBytes)
      let waiting: ReadonlyArray<Content.Piece> = []
      let at = 0
      let hasEnded = false
      const next: Pull.Pull<readonly [UnsealedBatch | StoredBatch], E, void> = Effect.suspend(() => {
        while (waiting.length > 0) {
          const piece = waiting[0]!
          if (!Content.isRun(piece)) {
            if (batcher.recordCount > 0) return Effect.succeed([batcher.take()] as const)
            waiting = waiting.slice(1)
            return Effect.succeed([piece] as const)
          }
          at = batcher.push(piece, at)
          if (at === piece.length) {
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
