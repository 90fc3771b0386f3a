import { Effect, Option, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectInfo, ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { Protection } from "../storage/Protection.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"

/*
 * What keeps the objects of a set from being removed. A removal looks first and marks the set afterwards: a set that
 * the store does not let go stays whole, and a backup.
 */

/** Objects of a set that are looked at at a time, where the store has to be asked for each of them. */
const atOnce = 16

/** True for what lies in a set's folder and comes and goes: it goes as the store lets it go, locked or not. */
const isBookkeeping = (backupId: BackupId, key: ObjectKey): boolean =>
  key === BackupKeys.tombstone(backupId) ||
  key === BackupKeys.retired(backupId) ||
  key.startsWith(BackupKeys.checkpointFolder(backupId))

/** Of two protections both last: the later end counts, and any hold. */
const longer = (a: Protection | undefined, b: Protection | undefined): Protection | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  const ends = [a, b].flatMap(({ untilMillis }) => (untilMillis === undefined ? [] : [untilMillis]))
  return {
    ...(ends.length === 0 ? {} : { untilMillis: Math.max(...ends) }),
    ...(a.isHeld === true || b.isHeld === true ? { isHeld: true } : {})
  }
}

/**
 * What protects the set as a whole, by its youngest objects: report and manifest. Undefined: nothing, or the store does
 * not say. Costs two requests where the store may lock objects.
 */
export const ofYoungest = Effect.fn("SetLocks.ofYoungest")(function* (store: ObjectStoreShape, backupId: BackupId) {
  const { protection } = store
  if (protection === undefined) return undefined
  const youngest = [BackupKeys.report(backupId), BackupKeys.manifest(backupId)]
  const found = yield* Effect.forEach(youngest, (key) => protection({ key }), { concurrency: 2 })
  return found.reduce(longer)
})

/** An object that is protected, and by what. */
export interface Protected {
  readonly key: ObjectKey
  readonly protection: Protection
}

/**
 * What keeps a removal from taking the set's folder: its youngest objects first, since one look at them answers for
 * all of a set under one lock; then every other one but those in `stillNamed`, which stay anyhow. Ends at the first.
 */
export const find = Effect.fn("SetLocks.find")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  stillNamed: ReadonlySet<string>
): Effect.fn.Return<Protected | undefined, ObjectStoreError> {
  const { protection } = store
  if (protection === undefined) return undefined
  const youngest = yield* ofYoungest(store, backupId)
  if (youngest !== undefined) return { key: BackupKeys.report(backupId), protection: youngest }
  const first = yield* store.list(`${backupId}/`).pipe(
    Stream.filter(({ key }) => !stillNamed.has(key) && !isBookkeeping(backupId, key)),
    Stream.mapEffect(
      (info: ObjectInfo) =>
        Effect.map(protection(info), (found) =>
          found === undefined ? undefined : { key: info.key, protection: found }
        ),
      { concurrency: atOnce, unordered: true }
    ),
    Stream.filter((found) => found !== undefined),
    Stream.runHead
  )
  return Option.getOrUndefined(first)
})
