import { Clock, Effect, Schema, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Documents from "./Documents.ts"

/*
 * `_kafka-backup/pins/{backupId}.json`: somebody wants this backup to stay, whatever retention says. That the object is
 * there is what counts: one that is damaged pins, too.
 */

export const Pin = Schema.Struct({
  version: Schema.Literal(1),
  backupId: BackupId.BackupId,
  /** For people: why it stays. */
  reason: Schema.optionalKey(Schema.String),
  /** For people: who pinned it, and on which machine. */
  who: Schema.String,
  sinceMillis: Schema.Int
})
export type Pin = typeof Pin.Type

/** Pins a backup; false if it is pinned already. The caller holds the lock of its owner, so that no removal is on. */
export const create = Effect.fn("Pins.create")(function* (
  store: ObjectStoreShape,
  backupId: BackupId.BackupId,
  why: { readonly reason: string | undefined; readonly who: string }
) {
  return yield* Documents.create(store, BackupKeys.pin(backupId), Pin, {
    version: 1,
    backupId,
    ...(why.reason === undefined ? {} : { reason: why.reason }),
    who: why.who,
    sinceMillis: yield* Clock.currentTimeMillis
  })
})

/** What is known of the pin; undefined where the backup is not pinned by an object. */
export const read = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  Documents.readIfThere(store, BackupKeys.pin(backupId), Pin)

/** Removes the pin. Succeeds, too, where there is none. */
export const remove = (store: ObjectStoreShape, backupId: BackupId.BackupId) => store.delete(BackupKeys.pin(backupId))

/** The backups that are pinned in storage, whether or not they are there. */
export const all = Effect.fn("Pins.all")(function* (store: ObjectStoreShape) {
  const found = yield* Stream.runCollect(store.list(BackupKeys.pinFolder))
  return new Set<string>(found.flatMap(({ key }) => BackupKeys.pinned(key) ?? []))
})

/** The ids in the annotation of a resource, separated by commas or blanks. */
export const named = (annotation: string | undefined): ReadonlyArray<string> =>
  (annotation ?? "").split(/[\s,]+/u).filter((entry) => entry !== "")

/** Every backup that stays for a resource: pinned in storage, or named in its annotation. */
export const of = (store: ObjectStoreShape, annotation: string | undefined) =>
  Effect.map(all(store), (stored): ReadonlySet<string> => new Set([...stored, ...named(annotation)]))

/** Removes the pins of backups with the names of this resource's of which nothing is left. */
export const removeStray = Effect.fn("Pins.removeStray")(function* (store: ObjectStoreShape, name: string) {
  for (const text of yield* all(store)) {
    const backupId = BackupId.parse(text)
    if (backupId === undefined || !BackupId.isOf(name, backupId)) continue
    const left = yield* store.list(`${backupId}/`).pipe(Stream.take(1), Stream.runCount)
    if (left === 0) yield* remove(store, backupId)
  }
})
