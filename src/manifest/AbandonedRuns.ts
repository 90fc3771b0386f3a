import { Clock, Effect, Option, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { digest, type Owner, ownerKey, type RunIdentity } from "../identity/RunIdentity.ts"
import type { ObjectInfo, ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Claims from "./Claims.ts"
import { isMarked, isThere } from "./ObjectsThere.ts"

/** An unfinished run into whose folder nothing has been written for a long time. */
export interface AbandonedRun {
  readonly backupId: BackupId.BackupId
  readonly identity: RunIdentity
}

/** Unfinished runs into whose folders nothing has been written for a long time: no attempt of theirs goes on. */
export interface Quiet {
  readonly folders: ReadonlySet<BackupId.BackupId>
  /** Those whose claim says whose they are: the others stay, but hold nothing back. */
  readonly runs: ReadonlyArray<AbandonedRun>
}

/**
 * How long nothing may be written before a run counts as abandoned, in milliseconds. A run at work writes a checkpoint
 * at least every few minutes, and a failed one is repeated within days or never.
 */
export const graceMillis = 7 * 24 * 3_600_000

/**
 * Now, by the clock of the store where that shows: it dated the lock that the caller took just before. The machine's
 * own clock may be wrong by any amount.
 */
export const storeMillis = (store: ObjectStoreShape, owner: Owner) =>
  store.list(BackupKeys.lockFolder(ownerKey(owner))).pipe(
    Stream.runFold(
      () => 0,
      (newest: number, { modifiedMillis = 0 }: ObjectInfo) => Math.max(newest, modifiedMillis)
    ),
    Effect.flatMap((newest) => (newest > 0 ? Effect.succeed(newest) : Clock.currentTimeMillis))
  )

/** Folders of backups and runs with other names that are not complete. Asks about each folder below the root. */
export const unfinishedElsewhere = Effect.fn("AbandonedRuns.unfinishedElsewhere")(function* (
  store: ObjectStoreShape,
  name: string
) {
  const folders = yield* store.folders.pipe(
    Stream.filter((folder) => folder !== BackupKeys.commonFolder && !BackupId.isOf(name, folder)),
    Stream.map(BackupId.parse),
    Stream.filter((backupId) => backupId !== undefined),
    Stream.runCollect
  )
  return yield* Effect.filter(folders, (backupId) => isUnfinished(store, backupId), {
    concurrency: 8
  })
})

const isUnfinished = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
  if (yield* isThere(store, BackupKeys.manifest(backupId))) return false
  return (
    (yield* isThere(store, BackupKeys.claim(backupId))) && !(yield* isMarked(store, BackupKeys.tombstone(backupId)))
  )
})

/**
 * Those of these unfinished runs that were abandoned, whichever resource made them: one that was deleted cannot remove
 * its own. None while the store does not say when its objects were written.
 */
export const find = Effect.fn("AbandonedRuns.find")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  candidates: ReadonlyArray<BackupId.BackupId>
) {
  if (candidates.length === 0) return { folders: new Set(), runs: [] } satisfies Quiet as Quiet
  const sinceMillis = (yield* storeMillis(store, owner)) - graceMillis
  const found = yield* Effect.forEach(
    candidates,
    Effect.fnUntraced(function* (backupId) {
      const isRecent = ({ modifiedMillis }: ObjectInfo) => modifiedMillis === undefined || modifiedMillis >= sinceMillis
      const recent = yield* store.list(`${backupId}/`).pipe(Stream.filter(isRecent), Stream.runHead)
      if (Option.isSome(recent)) return []
      return [{ backupId, identity: yield* Claims.claimed(store, backupId) }]
    }),
    { concurrency: 4 }
  )
  const quiet = found.flat()
  return {
    folders: new Set(quiet.map(({ backupId }) => backupId)),
    runs: quiet.flatMap(({ backupId, identity }) => (identity === undefined ? [] : [{ backupId, identity }]))
  } satisfies Quiet as Quiet
})

/**
 * True if a run wrote the facts of its set here, which come just before the manifest, or the report, which comes after
 * it: then the folder may be a backup that lost its manifest.
 */
export const hasEnded = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
  const facts = yield* store.list(`${backupId}/kb-meta`).pipe(Stream.runHead)
  return Option.isSome(facts) || (yield* isThere(store, BackupKeys.report(backupId)))
})

/** Removes the record of the run, so that its slot or trigger value may run again. Comes before the folder goes. */
export const forget = (store: ObjectStoreShape, { identity }: AbandonedRun) =>
  store.delete(BackupKeys.runRecord(ownerKey(identity.owner), digest(identity)))

/** For people. */
export const note = ({ backupId, identity: { owner } }: AbandonedRun): string => {
  const name = owner.namespace === undefined ? owner.name : `${owner.namespace}/${owner.name}`
  return `retention removes the unfinished run ${backupId} of ${name}: nothing was written to it for 7 days`
}
