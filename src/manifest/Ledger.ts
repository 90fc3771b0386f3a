import { Clock, Effect, Result, Stream } from "effect"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as LedgerBytes from "./LedgerBytes.ts"
import { LedgerEntries } from "./LedgerEntries.ts"

/*
 * `_kafka-backup/verified/{owner}/{n}.bin`: when each stored object that a kept set of a resource names was last read,
 * in the order in which they are to be read again. It repeats what the manifests say, but for the times: where it is
 * missing or damaged it is begun anew, and an object then counts as read when it was written. It says since when it is
 * kept: what runs promise counts from then.
 *
 * Each is a new object, and the highest number counts: a write-once bucket takes it, and of two writers one succeeds.
 */

/** The ledger of a resource in memory. It is changed in place. */
export interface Ledger {
  /** Of the newest document in storage; 0 without one. */
  readonly number: number
  /** Why the document was not used, for people; absent where it was, or where there is none. */
  readonly problem?: string
  /** See `LedgerBytes.LedgerContent`. */
  readonly beganMillis: number | undefined
  run: LedgerBytes.LedgerRun | undefined
  /** Stored bytes in the queue at each of the last runs that read their share, the newest last. */
  totals: ReadonlyArray<number>
  /** By their numbers, which the entries use. */
  sets: Array<LedgerBytes.LedgerSet>
  entries: LedgerEntries
}

/** A ledger that knows nothing yet. */
export const begin = (number = 0, beganMillis?: number): Ledger => ({
  number,
  beganMillis,
  run: undefined,
  totals: [],
  sets: [],
  entries: new LedgerEntries(0)
})

const numbers = (store: ObjectStoreShape, owner: Owner) =>
  store.list(BackupKeys.verifiedFolder(ownerKey(owner))).pipe(
    Stream.runCollect,
    Effect.map((found) => found.flatMap(({ key }) => BackupKeys.verifiedNumber(key) ?? []))
  )

/** Length of this owner's ledger in storage, in bytes; 0 without one. */
export const storedBytes = (store: ObjectStoreShape, owner: Owner) =>
  store.list(BackupKeys.verifiedFolder(ownerKey(owner))).pipe(
    Stream.runCollect,
    Effect.map((found) => Math.max(0, ...found.map(({ size }) => size)))
  )

/** The newest ledger of this owner; one that knows nothing where there is none, or where it cannot be used. */
export const read = Effect.fn("Ledger.read")(function* (store: ObjectStoreShape, owner: Owner) {
  const number = Math.max(0, ...(yield* numbers(store, owner)))
  const nowMillis = yield* Clock.currentTimeMillis
  if (number === 0) return begin(0, nowMillis)
  const bytes = yield* store
    .get(BackupKeys.verified(ownerKey(owner), number))
    .pipe(Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined)))
  const content =
    bytes === undefined ? Result.fail("the storage lists it and does not have it") : LedgerBytes.decode(bytes)
  return Result.isFailure(content)
    ? { ...begin(number, nowMillis), problem: content.failure }
    : ({ number, ...content.success, sets: [...content.success.sets] } satisfies Ledger as Ledger)
})

const remove = (store: ObjectStoreShape, owner: Owner, all: ReadonlyArray<number>) =>
  Effect.forEach(all, (n) => store.delete(BackupKeys.verified(ownerKey(owner), n)), { discard: true })

/**
 * Writes the ledger under the number that follows its own, and removes the older ones, as far as the store lets them
 * go. Fails with `ObjectExists` if another process has written one since it was read.
 */
export const write = Effect.fn("Ledger.write")(function* (store: ObjectStoreShape, owner: Owner, ledger: Ledger) {
  const next = ledger.number + 1
  yield* store.put(BackupKeys.verified(ownerKey(owner), next), LedgerBytes.encode(ledger), { ifAbsent: true })
  const older = (yield* numbers(store, owner)).filter((n) => n < next)
  // One that stays does no harm. A write-once bucket that keeps the oldest keeps the others, too.
  yield* Effect.ignore(
    remove(
      store,
      owner,
      older.toSorted((a, b) => a - b)
    )
  )
})

/** Removes every ledger of the owner. */
export const removeAll = (store: ObjectStoreShape, owner: Owner) =>
  Effect.flatMap(numbers(store, owner), (all) =>
    remove(
      store,
      owner,
      all.toSorted((a, b) => a - b)
    )
  )
