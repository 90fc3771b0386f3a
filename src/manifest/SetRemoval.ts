import { Clock, Effect, Schema, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { Owner } from "../identity/RunIdentity.ts"
import type { DeleteOptions, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import type * as Catalogue from "./Catalogue.ts"
import * as Claims from "./Claims.ts"
import * as Documents from "./Documents.ts"
import { isMarked } from "./ObjectsThere.ts"
import * as RetiredFolder from "./RetiredFolder.ts"

/**
 * In a set's folder while the set is being removed: it is no backup from then on, and only its owner removes the rest.
 */
const Tombstone = Schema.Struct({ version: Schema.Literal(1), owner: Owner, sinceMillis: Schema.Int })

/** Objects in the folder of a removed set that other sets name: they stay. */
export type StillNamed = ReadonlySet<string>

/**
 * The first step of a removal: writes the tombstone, before any object that this set or another one names is removed.
 * False if somebody had written it before. The caller has looked for locks (`SetLocks.find`): a set that the store
 * protects is not condemned. What the set is whole without goes first: the report, its youngest object, and checkpoints
 * that were left. Where a store that says nothing of locks keeps those, it keeps the others too, and the failure
 * (`isLocked`) leaves the set whole.
 */
export const condemn = Effect.fn("SetRemoval.condemn")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  owner: Owner
) {
  yield* store.delete(BackupKeys.report(backupId))
  yield* store.list(BackupKeys.checkpointFolder(backupId)).pipe(Stream.runForEach((info) => store.delete(info.key)))
  return yield* Documents.create(store, BackupKeys.tombstone(backupId), Tombstone, {
    version: 1,
    owner,
    sinceMillis: yield* Clock.currentTimeMillis
  })
})

/** True while a removal of the set is on, or was interrupted: each of its objects may go at any time. */
export const isCondemned = (store: ObjectStoreShape, backupId: BackupId) =>
  isMarked(store, BackupKeys.tombstone(backupId))

/** Takes the tombstone back that this process has just written: nothing of the set was removed. */
export const spare = (store: ObjectStoreShape, backupId: BackupId) => store.delete(BackupKeys.tombstone(backupId))

/**
 * Removes everything in the folder but `last` and what sets name, and returns how much stays for these. Locks were
 * looked for before, unless each object is looked at now.
 */
const sweep = (
  store: ObjectStoreShape,
  backupId: BackupId,
  last: ReadonlyArray<string>,
  stillNamed: StillNamed,
  options?: DeleteOptions
): Effect.Effect<RetiredFolder.Rest, ObjectStoreError> =>
  store.list(`${backupId}/`).pipe(
    Stream.filter((info) => !last.includes(info.key)),
    Stream.mapEffect(
      (info) =>
        stillNamed.has(info.key) ? Effect.succeed(info.size) : Effect.as(store.delete(info.key, options), undefined),
      { concurrency: 8, unordered: true }
    ),
    Stream.runFold(
      () => ({ objects: 0, bytes: 0 }),
      (rest, kept: number | undefined) =>
        kept === undefined ? rest : { objects: rest.objects + 1, bytes: rest.bytes + kept }
    )
  )

/**
 * Removes one set for good: the tombstone is written, then the objects, the manifest and the tombstone go. Objects in
 * `stillNamed` stay, in a folder that is retired before the manifest goes. Each step can be repeated, so the next
 * removal finishes an interrupted one.
 */
export const remove = Effect.fn("SetRemoval.remove")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  owner: Owner,
  stillNamed: StillNamed
) {
  yield* condemn(store, backupId, owner)
  const [manifest, tombstone, retired] = [
    BackupKeys.manifest(backupId),
    BackupKeys.tombstone(backupId),
    BackupKeys.retired(backupId)
  ]
  const rest = yield* sweep(store, backupId, [manifest, tombstone, retired], stillNamed)
  if (rest.objects > 0) yield* RetiredFolder.create(store, backupId, owner, rest)
  yield* store.delete(manifest)
  yield* store.delete(tombstone)
  if (rest.objects === 0) yield* store.delete(retired)
})

/** Removes what no set names any more of a retired folder; with the last object, the folder. Can be repeated. */
export const collect = Effect.fn("SetRemoval.collect")(function* (
  store: ObjectStoreShape,
  folder: RetiredFolder.RetiredFolder,
  stillNamed: StillNamed
) {
  const retired = BackupKeys.retired(folder.backupId)
  const rest = yield* sweep(store, folder.backupId, [retired], stillNamed, { role: "data" })
  if (rest.objects === 0) yield* store.delete(retired)
  else yield* RetiredFolder.update(store, folder, rest)
})

/** A removal that was interrupted, and who had begun it. */
export interface Unfinished {
  readonly backupId: BackupId
  readonly owner: Owner
}

/**
 * The sets whose removal was interrupted, where one of these owners had begun it, or made the set. A tombstone that
 * cannot be read leaves it to the claim to say whose the folder is.
 */
export const unfinished = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owns: (owner: Owner) => boolean,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
) {
  const candidates = entries.filter((entry) => entry._tag === "BeingRemoved")
  const owned = yield* Effect.forEach(
    candidates,
    Effect.fnUntraced(function* ({ backupId }) {
      const tombstone = yield* Documents.readIfThere(store, BackupKeys.tombstone(backupId), Tombstone).pipe(
        Effect.catchTag("CatalogueError", () => Effect.succeed("unreadable" as const))
      )
      // Somebody has removed the rest since.
      if (tombstone === undefined) return []
      const named = tombstone === "unreadable" ? undefined : tombstone.owner
      const owner = named !== undefined && owns(named) ? named : yield* Claims.claimant(store, backupId)
      return owner !== undefined && owns(owner) ? [{ backupId, owner }] : [] // else not provably theirs: left alone
    })
  )
  return owned.flat() satisfies ReadonlyArray<Unfinished> as ReadonlyArray<Unfinished>
})
