import { Clock, Effect, Schema, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Documents from "./Documents.ts"

/**
 * In a set's folder while the set is being removed: it is no backup from then on, and only its owner removes the rest.
 */
const Tombstone = Schema.Struct({ version: Schema.Literal(1), owner: Owner, sinceMillis: Schema.Int })

/** Objects in the folder of a set that manifests of other sets name: they stay. */
export type StillNamed = ReadonlySet<string>

/** Every key outside its own folder that one of these complete sets names. */
export const namedElsewhere = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupIds: ReadonlyArray<BackupId>
) {
  const named = new Set<string>()
  yield* Effect.forEach(
    backupIds,
    (backupId) =>
      Catalogue.openById(store, backupId).pipe(
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
 * Removes one set for good: writes the tombstone, then removes the objects, the manifest and the tombstone. Each step
 * can be repeated, so the next removal finishes an interrupted one. Keeps the objects in `stillNamed`. What the set
 * is whole without goes first: the report, its youngest object, and checkpoints that were left. Where a write-once
 * bucket keeps those, it keeps the others too, and the failure (`isLocked`) leaves the set whole.
 */
export const remove = Effect.fn("SetRemoval.remove")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  owner: Owner,
  stillNamed: StillNamed
) {
  yield* store.delete(BackupKeys.report(backupId))
  yield* store.list(BackupKeys.checkpointFolder(backupId)).pipe(Stream.runForEach((info) => store.delete(info.key)))
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

/** The sets whose removal by one of these owners was interrupted. */
export const unfinished = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owns: (owner: Owner) => boolean,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
) {
  const candidates = entries.filter((entry) => entry._tag === "BeingRemoved")
  const owned = yield* Effect.forEach(candidates, (entry) =>
    Documents.readIfThere(store, BackupKeys.tombstone(entry.backupId), Tombstone).pipe(
      Effect.map((tombstone) => (tombstone && owns(tombstone.owner) ? [entry.backupId] : [])),
      Effect.catchTag("CatalogueError", () => Effect.succeed([])) // not provably this owner's: left alone
    )
  )
  return owned.flat()
})
