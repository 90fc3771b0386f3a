import { Clock, Effect, Schema, Stream } from "effect"
import { isSameOwner, Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Documents from "./Documents.ts"

/** Left in a set's folder while it is being removed: from then on the set is no backup, and only its owner goes on. */
const Tombstone = Schema.Struct({ version: Schema.Literal(1), owner: Owner, sinceMillis: Schema.Int })

/** Objects that other sets' manifests name although they lie in this set's folder: they stay. */
export type StillNamed = ReadonlySet<string>

/** Every key that a complete set names outside its own folder. */
export const namedElsewhere = Effect.fnUntraced(function* (store: ObjectStoreShape, backupIds: ReadonlyArray<string>) {
  const named = new Set<string>()
  yield* Effect.forEach(
    backupIds,
    (backupId) =>
      Catalogue.open(store, backupId).pipe(
        Effect.map((set) => {
          for (const topic of set.manifest.topics) {
            for (const partition of topic.partitions) {
              for (const segment of partition.segments) {
                if (!segment.key.startsWith(`${backupId}/`)) named.add(segment.key)
              }
            }
          }
        })
      ),
    { concurrency: 8, discard: true }
  )
  return named as StillNamed
})

/**
 * Removes one set for good: tombstone, then its objects, then its manifest, then the tombstone; each step can be
 * repeated, so a removal that was cut short is finished by the next. What `stillNamed` holds is kept.
 */
export const remove = Effect.fn("SetRemoval.remove")(function* (
  store: ObjectStoreShape,
  backupId: string,
  owner: Owner,
  stillNamed: StillNamed
) {
  const last = [BackupKeys.manifest(backupId), BackupKeys.tombstone(backupId)]
  yield* Documents.create(store, BackupKeys.tombstone(backupId), Tombstone, {
    version: 1,
    owner,
    sinceMillis: yield* Clock.currentTimeMillis
  })
  yield* store.list(`${backupId}/`).pipe(
    Stream.filter((info) => !last.includes(info.key) && !stillNamed.has(info.key)),
    Stream.mapEffect((info) => store.delete(info.key), { concurrency: 8, unordered: true }),
    Stream.runDrain
  )
  yield* Effect.forEach(last, store.delete, { discard: true })
})

/** The sets whose removal by this owner was cut short. */
export const unfinished = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owner: Owner,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
) {
  const candidates = entries.filter((entry) => entry._tag === "BeingRemoved")
  const owned = yield* Effect.forEach(candidates, (entry) =>
    Documents.readIfThere(store, BackupKeys.tombstone(entry.backupId), Tombstone).pipe(
      Effect.map((tombstone) => (tombstone && isSameOwner(tombstone.owner, owner) ? [entry.backupId] : [])),
      Effect.catchTag("CatalogueError", () => Effect.succeed([])) // not provably ours: left alone
    )
  )
  return owned.flat()
})
