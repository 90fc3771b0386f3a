import { Effect, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Claims from "./Claims.ts"
import * as Seal from "./Seal.ts"

/*
 * What a paused attempt writes after its backup was finished by another one and removed by retention: segments and
 * documents in a folder that has neither claim nor manifest. The attempt never completes, and no listing shows them.
 * Also the folder of a removed backup whose `retired.json` was damaged, so that it does not say any more whose it is.
 */

/**
 * Names that an attempt writes before the manifest, that of a document that is not readable where this is asked, and
 * those of documents on the damage of a backup that was removed meanwhile.
 */
const isOfAttempt = (name: string): boolean =>
  Seal.isLeftover(name) ||
  BackupKeys.isDamage(name) ||
  ["plan.json", "consumer-groups-snapshot.json", BackupKeys.clusterMetadataName, "retired.json"].includes(name)

/** True if an attempt wrote everything in the folder: with anything else in it, it is left alone. */
const isOnlyOfAttempts = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  store.list(`${backupId}/`).pipe(
    Stream.filter(({ key }) => !isOfAttempt(key.slice(backupId.length + 1))),
    Stream.take(1),
    Stream.runCount,
    Effect.map((strangers) => strangers === 0)
  )

/** The folders of these that are no remains. Of a foreign one the names in it decide. */
export const known = (
  entries: ReadonlyArray<{ readonly backupId: BackupId.BackupId; readonly isForeign?: boolean }>
): ReadonlySet<string> => new Set(entries.flatMap(({ backupId, isForeign }) => (isForeign === true ? [] : [backupId])))

/**
 * The folders with remains of this owner's removed backups: the record of one of its runs names them. `known` are the
 * folders that hold a backup, a run, or what is left of a removal.
 */
export const of = Effect.fn("Remains.of")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  known: ReadonlySet<string>
) {
  const candidates = yield* store.folders.pipe(
    Stream.filter((folder) => BackupId.isOf(owner.name, folder) && !known.has(folder)),
    Stream.map(BackupId.parse),
    Stream.filter((backupId) => backupId !== undefined),
    Stream.filterEffect((backupId) => isOnlyOfAttempts(store, backupId)),
    Stream.runCollect
  )
  if (candidates.length === 0) return []
  const made = new Set<string>()
  yield* store.list(BackupKeys.runRecordFolder(ownerKey(owner))).pipe(
    Stream.mapEffect(({ key }) => Claims.recordedId(store, key), { concurrency: 8, unordered: true }),
    Stream.runForEach((backupId) => Effect.sync(() => backupId !== undefined && made.add(backupId)))
  )
  return candidates.filter((backupId) => made.has(backupId))
})
