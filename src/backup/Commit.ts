import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "../manifest/CatalogueError.ts"
import { isMarked, isThere } from "../manifest/ObjectsThere.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as Seal from "../manifest/Seal.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"

/*
 * The steps around the manifest that keep two attempts, and an attempt and a removal, apart. Any of them may be paused
 * between two requests for as long as it likes.
 */

export const superseded = (backupId: BackupId, attempt: number, by?: number) =>
  new CatalogueError({ reason: new AttemptSuperseded({ backupId, attempt, ...(by === undefined ? {} : { by }) }) })

/** Fails if the backup was removed meanwhile, or is being removed: the claim is missing, or a tombstone exists. */
export const assertStillOurs = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number
) {
  const isOurs =
    (yield* isThere(store, BackupKeys.claim(backupId))) && !(yield* isMarked(store, BackupKeys.tombstone(backupId)))
  if (!isOurs) return yield* superseded(backupId, attempt)
})

/**
 * Writes the facts, and returns their key. Facts are never replaced or removed, because an earlier attempt may still
 * write the manifest that names them: where an earlier attempt left some, a later one writes its own beside them.
 */
export const placeFacts = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number,
  bytes: Uint8Array
) {
  const create = (key: ObjectKey) =>
    store.put(key, [bytes], { ifAbsent: true, role: "data" }).pipe(
      Effect.as(true),
      Effect.catchIf(isReason("ObjectExists"), () => Effect.succeed(false))
    )
  const first = BackupKeys.facts(backupId)
  if (yield* create(first)) return first
  const own = BackupKeys.laterFacts(backupId, attempt)
  // Nobody else has this attempt's number.
  return (yield* create(own)) ? own : yield* superseded(backupId, attempt)
})

/**
 * Writes a document that follows from the plan, such as the groups snapshot: an earlier attempt has written the same
 * bytes. A write-once bucket would refuse to replace even those.
 */
export const placeOfPlan = Effect.fnUntraced(function* (store: ObjectStoreShape, key: ObjectKey, bytes: Uint8Array) {
  yield* store
    .put(key, [bytes], { ifAbsent: true, role: "data" })
    .pipe(
      Effect.catchIf(isReason("ObjectExists"), () =>
        Effect.flatMap(store.get(key), (found) =>
          Buffer.compare(found, bytes) === 0 ? Effect.void : store.put(key, [bytes], { role: "data" })
        )
      )
    )
})

/** The shards of a run that has several, at their ends. */
export interface Ends {
  /** All attempts that have begun. */
  readonly attempts: ReadonlyArray<number>
  /** Those of them whose shards are at their ends. */
  readonly ended: ReadonlyArray<number>
  /** Keys that the shards have proven: they are not read back a second time. */
  readonly proven: ReadonlySet<string>
}

/**
 * The documents that the manifest lists, by name, with their SHA-256. `written` are those that the caller has written.
 */
export const documents = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId }: RunPlan,
  attempt: number,
  written: Readonly<Record<string, Uint8Array>>,
  ends?: Ends
) {
  const attempts = ends?.attempts ?? Array.from({ length: attempt }, (_, n) => n + 1)
  const stored = [
    BackupKeys.claim(backupId),
    BackupKeys.plan(backupId),
    ...attempts.map((n) => BackupKeys.attempt(backupId, n)),
    ...(ends?.ended ?? []).map((n) => BackupKeys.shardEnd(backupId, n))
  ]
  const name = (key: ObjectKey) => key.slice(backupId.length + 1)
  const read = yield* Effect.forEach(stored, (key) =>
    store.get(key).pipe(
      Effect.map((bytes) => [[name(key), Seal.sha256(bytes)] as const]),
      Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed([]))
    )
  )
  const own = Object.entries(written).map(([key, bytes]) => [name(ObjectKey.make(key)), Seal.sha256(bytes)] as const)
  return Object.fromEntries([...read.flat(), ...own])
})
