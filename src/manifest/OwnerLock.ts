import { Clock, Effect, Fiber, Schedule, Schema, Stream } from "effect"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, LockHeld } from "./CatalogueError.ts"
import * as Documents from "./Documents.ts"

/**
 * One writer per resource, with nothing but create-if-absent and delete: the lock is a sequence of epochs, each an
 * object of its own. The highest epoch that has not expired holds; whoever creates the next number first takes over.
 * Renewing is creating the next epoch oneself, so a holder that was overtaken notices.
 */
const Epoch = Schema.Struct({ version: Schema.Literal(1), holder: Schema.String, expiresMillis: Schema.Int })

/** How long an epoch lasts unless renewed: what a crashed holder costs its successor. */
const lifetimeMillis = 120_000

/** An epoch that claims to last longer than this was written by a clock that is wrong: it holds nothing. */
const longestMillis = 3_600_000

const epochs = (store: ObjectStoreShape, owner: Owner) =>
  store.list(BackupKeys.lockFolder(ownerKey(owner))).pipe(
    Stream.runCollect,
    Effect.map((found) => found.flatMap((info) => BackupKeys.trailingNumber(info.key) ?? []).toSorted((a, b) => a - b))
  )

const take = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, holder: string, mine?: number) {
  const nowMillis = yield* Clock.currentTimeMillis
  const numbers = yield* epochs(store, owner)
  const highest = numbers.at(-1) ?? 0
  if (highest > 0 && highest !== mine) {
    const key = BackupKeys.lockEpoch(ownerKey(owner), highest)
    const current = yield* Documents.readIfThere(store, key, Epoch).pipe(
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined)) // a damaged epoch holds nothing
    )
    const leftMillis = (current?.expiresMillis ?? 0) - nowMillis
    if (current !== undefined && leftMillis > 0 && leftMillis <= longestMillis) {
      const untilIso = new Date(current.expiresMillis).toISOString()
      return yield* new CatalogueError({ reason: new LockHeld({ holder: current.holder, untilIso }) })
    }
  }
  const next = highest + 1
  const document = { version: 1, holder, expiresMillis: nowMillis + lifetimeMillis } as const
  const created = yield* Documents.create(store, BackupKeys.lockEpoch(ownerKey(owner), next), Epoch, document)
  if (!created) {
    return yield* new CatalogueError({ reason: new LockHeld({ holder: "another writer", untilIso: "it ends" }) })
  }
  // Only epochs below our own are removed: at any time the highest object tells who holds.
  yield* Effect.forEach(numbers, (n) => store.delete(BackupKeys.lockEpoch(ownerKey(owner), n)), { discard: true })
  return next
})

/** How long letting go may take while nothing can interrupt it. */
const releaseMillis = 5_000

/** Lets go without waiting for a store that does not answer: an epoch that stays behind expires by itself. */
const briefly = (release: Effect.Effect<void, ObjectStoreError>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkDetach(release, { uninterruptible: false })
    yield* Effect.timeoutOption(Fiber.await(fiber), releaseMillis)
    yield* Fiber.interrupt(fiber)
  })

/**
 * Runs `work` while holding the owner's lock, renewed three times per lifetime; `work` is interrupted when the lock is
 * lost. Fails with `LockHeld` at once when somebody else has it.
 */
export const holding = <A, E, R>(
  store: ObjectStoreShape,
  owner: Owner,
  holder: string,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E | CatalogueError | ObjectStoreError, R> =>
  Effect.gen(function* () {
    let mine = yield* take(store, owner, holder)
    const renew = Effect.suspend(() => take(store, owner, holder, mine)).pipe(
      Effect.tap((epoch) => Effect.sync(() => (mine = epoch)))
    )
    const renewing = renew.pipe(Effect.schedule(Schedule.spaced(lifetimeMillis / 3)), Effect.andThen(Effect.never))
    const release = Effect.suspend(() => store.delete(BackupKeys.lockEpoch(ownerKey(owner), mine)))
    return yield* Effect.raceFirst(work, renewing).pipe(Effect.ensuring(briefly(release)))
  })
