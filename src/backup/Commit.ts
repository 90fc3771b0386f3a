import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "../manifest/CatalogueError.ts"
import * as Documents from "../manifest/Documents.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as Seal from "../manifest/Seal.ts"
import { SetFacts } from "../manifest/SetFacts.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"

/*
 * The steps around the manifest that keep two attempts, and an attempt and a removal, apart. Any of them may be paused
 * between two requests for as long as it likes.
 */

const isThere = (store: ObjectStoreShape, key: ObjectKey) =>
  store.head(key).pipe(
    Effect.as(true),
    Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(false))
  )

export const superseded = (backupId: BackupId, attempt: number, by?: number) =>
  new CatalogueError({ reason: new AttemptSuperseded({ backupId, attempt, ...(by === undefined ? {} : { by }) }) })

/** Fails if the backup was removed meanwhile, or is being removed: the claim is missing, or a tombstone exists. */
export const assertStillOurs = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number
) {
  const isOurs =
    (yield* isThere(store, BackupKeys.claim(backupId))) && !(yield* isThere(store, BackupKeys.tombstone(backupId)))
  if (!isOurs) return yield* superseded(backupId, attempt)
})

/**
 * Writes the facts. They belong to one manifest and must not be replaced below another one: facts of an earlier attempt
 * that died before its manifest are replaced, facts of a later attempt or of a committed backup are not.
 */
export const placeFacts = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number,
  bytes: Uint8Array
) {
  const key = BackupKeys.facts(backupId)
  for (;;) {
    const isWritten = yield* store.put(key, [bytes], { ifAbsent: true }).pipe(
      Effect.as(true),
      Effect.catchIf(isReason("ObjectExists"), () => Effect.succeed(false))
    )
    if (isWritten) return
    if (yield* isThere(store, BackupKeys.manifest(backupId))) return yield* superseded(backupId, attempt)
    const found = yield* Documents.readIfThere(store, key, SetFacts).pipe(
      // Damaged facts belong to no attempt.
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
    )
    const by = found?.attempt ?? 0
    if (by >= attempt) return yield* superseded(backupId, attempt, by)
    yield* store.delete(key)
  }
})

/**
 * The documents that the manifest lists, by name, with their SHA-256. `written` are those that the caller has written.
 */
export const documents = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId }: RunPlan,
  attempt: number,
  written: Readonly<Record<string, Uint8Array>>
) {
  const stored = [
    BackupKeys.claim(backupId),
    BackupKeys.plan(backupId),
    ...Array.from({ length: attempt }, (_, n) => BackupKeys.attempt(backupId, n + 1))
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

/** After the manifest: the folder still belongs to this run, and the facts in it are those of this attempt. */
export const assertCommitted = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number,
  facts: Uint8Array
) {
  yield* assertStillOurs(store, backupId, attempt)
  const found = yield* store.get(BackupKeys.facts(backupId)).pipe(
    Effect.map(Seal.sha256),
    Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined))
  )
  if (found !== Seal.sha256(facts)) return yield* superseded(backupId, attempt)
})
