import { type Duration, Effect, Semaphore } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "../manifest/CatalogueError.ts"
import { Checkpoint, type PartitionAdvance } from "../manifest/Checkpoint.ts"
import * as Documents from "../manifest/Documents.ts"
import * as RunState from "../manifest/RunState.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"

/**
 * Records what is durable. `remember` is called only after the put of a segment has returned, so a checkpoint never
 * names a missing object. `flush` writes what is new since the last checkpoint. `state` always holds everything
 * durable.
 */
export const make = (
  store: ObjectStoreShape,
  run: { readonly backupId: BackupId; readonly attempt: number },
  state: RunState.RunState
) =>
  Effect.gen(function* () {
    const writing = yield* Semaphore.make(1)
    let sequence = 0
    let pending: Array<PartitionAdvance> = []
    /** Sent, perhaps stored, but interrupted before the answer: the next flush sends the same checkpoint again. */
    let unconfirmed: Checkpoint | undefined

    const write = Effect.fnUntraced(function* (document: Checkpoint) {
      const key = BackupKeys.checkpoint(run.backupId, run.attempt, document.sequence)
      if (yield* Documents.create(store, key, Checkpoint, document)) return
      const stored = yield* store.get(key)
      if (!Buffer.from(stored).equals(SealedJson.seal(Checkpoint, document))) {
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
      /** Records a durable advance; the next `flush` writes it. */
      remember: (advance: PartitionAdvance) =>
        Effect.sync(() => {
          pending.push(advance)
          RunState.absorb(state, [advance])
        }),
      flush,
      /** How many were written, which is the number of the last one. */
      written: () => sequence,
      /** Flushes at this interval; ends only with a failure. */
      flushing: (every: Duration.Duration) => Effect.forever(Effect.andThen(Effect.sleep(every), flush))
    }
  })
