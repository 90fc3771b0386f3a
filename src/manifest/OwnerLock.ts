import { Clock, Effect, Fiber, Schedule, Schema, Stream } from "effect"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked, type ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, LockHeld } from "./CatalogueError.ts"
import * as Documents from "./Documents.ts"

/**
 * One writer per resource, with create-if-absent and delete alone. The lock is a sequence of epochs, each an object.
 * The highest epoch holds the lock unless it has expired; the process that creates the next number first takes over. A
 * holder renews by creating the next epoch, so it notices if another process has taken over.
 */
const Epoch = Schema.Struct({ version: Schema.Literal(1), holder: Schema.String, expiresMillis: Schema.Int })

/** How long an epoch lasts unless renewed, and so how long a crashed holder delays its successor. */
const lifetimeMillis = 120_000

/** When a holder renews. */
const renewals = Schedule.spaced(lifetimeMillis / 3)
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
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined)) // a damaged epoch does not hold the lock
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
  // Removes only epochs below the own one: at any time the highest object names the holder. In a write-once bucket the
  // oldest is the first that may go; where it may not, neither may the others.
  yield* Effect.forEach(numbers, (n) => store.delete(BackupKeys.lockEpoch(ownerKey(owner), n)), {
    discard: true
  }).pipe(Effect.catchIf(isLocked, () => Effect.void))
  return next
})

/** How often a waiting process tries again. */
const waits = Schedule.spaced(5_000)
/** How long it waits: twice as long as the lock of a holder that died, and some time for one that is alive. */
const patienceMillis = 300_000

const isHeld = (error: CatalogueError | ObjectStoreError): error is CatalogueError =>
  error._tag === "CatalogueError" && error.reason._tag === "LockHeld"

/**
 * How long a lock is waited for that another process holds. A holder that was killed keeps it for two minutes.
 *
 * - `none`: not at all.
 * - `fiveMinutes`: altogether.
 * - `whileRenewed`: as long as others hold and renew it, since the removal of large backups may take hours; a lock that
 *   nobody renews is waited for up to five minutes.
 */
export type Patience = "none" | "fiveMinutes" | "whileRenewed"

/** As `take`, but waits for the holder's end, or until the lock of a dead holder expires. */
const takePatiently = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owner: Owner,
  holder: string,
  patience: Patience
) {
  if (patience === "none") return yield* take(store, owner, holder)
  let sinceMillis = yield* Clock.currentTimeMillis
  let seen = ""
  let isNew = true
  return yield* take(store, owner, holder).pipe(
    Effect.tapError((error) => {
      if (!isHeld(error) || !isNew) return Effect.void
      isNew = false
      return Effect.logInfo("waiting for the storage lock").pipe(Effect.annotateLogs({ detail: error.message }))
    }),
    Effect.retry({
      schedule: waits,
      while: (error) =>
        isHeld(error)
          ? Effect.map(Clock.currentTimeMillis, (nowMillis) => {
              // The message names the holder and the end of its lock.
              if (patience === "whileRenewed" && error.message !== seen) sinceMillis = nowMillis
              seen = error.message
              return nowMillis - sinceMillis < patienceMillis
            })
          : Effect.succeed(false)
    })
  )
})

/** How long the uninterruptible release may take. */
const releaseMillis = 5_000

/** Releases without waiting for a store that does not answer: a remaining epoch expires by itself. */
const briefly = (release: Effect.Effect<void, ObjectStoreError>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkDetach(release, { uninterruptible: false })
    yield* Effect.timeoutOption(Fiber.await(fiber), releaseMillis)
    yield* Fiber.interrupt(fiber)
  })

/**
 * Runs `work` while it holds the owner's lock, renewed three times per lifetime; interrupts `work` if the lock is lost.
 * Fails with `LockHeld` if another process holds it for longer than `patience` allows.
 */
export const holding = <A, E, R>(
  store: ObjectStoreShape,
  owner: Owner,
  holder: string,
  work: Effect.Effect<A, E, R>,
  patience: Patience = "none"
): Effect.Effect<A, E | CatalogueError | ObjectStoreError, R> =>
  Effect.gen(function* () {
    let mine = yield* takePatiently(store, owner, holder, patience)
    const renew = Effect.suspend(() => take(store, owner, holder, mine)).pipe(
      Effect.tap((epoch) => Effect.sync(() => (mine = epoch)))
    )
    const renewing = renew.pipe(Effect.schedule(renewals), Effect.andThen(Effect.never))
    const release = Effect.suspend(() => store.delete(BackupKeys.lockEpoch(ownerKey(owner), mine))).pipe(
      // A write-once bucket keeps the epoch: one that has ended follows it.
      Effect.catchIf(isLocked, () => {
        const ended = { version: 1, holder, expiresMillis: 0 } as const
        return Effect.asVoid(Documents.create(store, BackupKeys.lockEpoch(ownerKey(owner), mine + 1), Epoch, ended))
      })
    )
    return yield* Effect.raceFirst(work, renewing).pipe(Effect.ensuring(briefly(release)))
  })
