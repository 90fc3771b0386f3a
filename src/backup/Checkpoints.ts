import { type Duration, Effect, Semaphore } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "../manifest/CatalogueError.ts"
import { Checkpoint, type PartitionAdvance } from "../manifest/Checkpoint.ts"
import * as Documents from "../manifest/Documents.ts"
import * as RunState from "../manifest/RunState.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/**
 * Remembers what is durable. `remember` is called only after a segment's put has returned, so a checkpoint never names
 * what is not there; `flush` writes what is new since the last one. `state` is kept up to date with all that is durable.
 */
export const make = (
  store: ObjectStoreShape,
  run: { readonly backupId: string; readonly attempt: number },
  state: RunState.RunState
) =>
  Effect.gen(function* () {
    const writing = yield* Semaphore.make(1)
    let sequence = 0
    let pending: Array<PartitionAdvance> = []
    /** Sent, and perhaps there, but interrupted before the answer came: the next flush sends it again as it was. */
    let unconfirmed: Checkpoint | undefined

    const write = Effect.fnUntraced(function* (document: Checkpoint) {
      const key = BackupKeys.checkpoint(run.backupId, run.attempt, document.sequence)
      if (yield* Documents.create(store, key, Checkpoint, document)) return
      const there = yield* store.get(key)
      if (!Buffer.from(there).equals(SealedJson.seal(Checkpoint, document))) {
        return yield* new CatalogueError({ reason: new AttemptSuperseded(run) })
      }
    })

    const flush = writing.withPermit(
      Effect.gen(function* () {
        while (unconfirmed !== undefined || pending.length > 0) {
          if (unconfirmed === undefined) {
            unconfirmed = { version: 1, attempt: run.attempt, sequence: sequence + 1, advances: pending }
            pending = []
          }
          yield* write(unconfirmed)
          sequence = unconfirmed.sequence
          unconfirmed = undefined
        }
      })
    )

    return {
      /** Takes note of a durable advance; it is written by the next `flush`. */
      remember: (advance: PartitionAdvance) =>
        Effect.sync(() => {
          pending.push(advance)
          RunState.absorb(state, [advance])
        }),
      flush,
      /** Flushes every `every`; ends only by failing. */
      flushing: (every: Duration.Duration) => Effect.forever(Effect.andThen(Effect.sleep(every), flush))
    }
  })
