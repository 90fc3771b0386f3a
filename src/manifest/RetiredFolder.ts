import { Clock, Effect, Schema } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import { Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isLocked } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Documents from "./Documents.ts"
import * as SealedJson from "./SealedJson.ts"

/**
 * `retired.json`, in the folder of a set that was removed while other sets name objects in it. It is written before the
 * manifest of the set goes, and removed after everything else in the folder: as long as there is something in the
 * folder, it says whose that is.
 */
const Retired = Schema.Struct({
  version: Schema.Literal(1),
  /** Whose retention removed the set, and collects the rest. */
  owner: Owner,
  sinceMillis: Schema.Int,
  /** How many objects stayed, and their stored bytes, when the folder was last looked at. */
  objects: Schema.Int,
  bytes: Schema.Int
})

/** What is left of a removed set. */
export interface RetiredFolder {
  readonly backupId: BackupId
  readonly owner: Owner
  readonly sinceMillis: number
  readonly objects: number
  readonly bytes: number
}

/** What stays in a folder. */
export type Rest = Pick<RetiredFolder, "objects" | "bytes">

/** The retired folder of this set; undefined if there is none. Fails with `DocumentUnreadable`. */
export const read = (store: ObjectStoreShape, backupId: BackupId) =>
  Effect.map(
    Documents.readIfThere(store, BackupKeys.retired(backupId), Retired),
    (document): RetiredFolder | undefined => {
      if (document === undefined) return undefined
      const { version: _version, ...rest } = document
      return { backupId, ...rest }
    }
  )

/** Says that so much of the set stays. One that says so already stays as it is, a damaged one is replaced. */
export const create = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  owner: Owner,
  rest: Rest
) {
  const sinceMillis = yield* Clock.currentTimeMillis
  const document = { version: 1, owner, sinceMillis, ...rest } as const
  if (yield* Documents.create(store, BackupKeys.retired(backupId), Retired, document)) return
  yield* read(store, backupId).pipe(
    Effect.catchTag("CatalogueError", () => update(store, { backupId, owner, sinceMillis, ...rest }, rest))
  )
})

/** Says that less stays than before. A write-once bucket keeps the older figures. */
export const update = (store: ObjectStoreShape, { backupId, owner, sinceMillis }: RetiredFolder, rest: Rest) =>
  store.put(BackupKeys.retired(backupId), [SealedJson.seal(Retired, { version: 1, owner, sinceMillis, ...rest })]).pipe(
    Effect.asVoid,
    Effect.catchIf(isLocked, () => Effect.void)
  )
