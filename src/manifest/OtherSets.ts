import { Effect, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { nearest } from "../resource/Near.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"

/* What to say to somebody who asks for a set that is not there. */

/** How many sets a failure names, and how many of the newest ids are looked at for them. */
const mostNamed = 3
const mostLookedAt = 8

const slotOf = (backupId: string): number => BackupId.slotMillis(backupId) ?? 0

/** For a failure: the set that was probably meant, and the newest ones that are there. */
export interface OtherSets {
  readonly near?: string
  readonly newest?: ReadonlyArray<string>
}

/**
 * The complete set whose id is nearest to a text, and the newest ones: of the resource that the text names, if it has
 * any. A store that cannot be asked only costs the hint.
 */
export const find = (
  store: ObjectStoreShape,
  text: string,
  isComplete: (store: ObjectStoreShape, backupId: BackupId.BackupId) => Effect.Effect<boolean, ObjectStoreError>
): Effect.Effect<OtherSets> =>
  Effect.gen(function* () {
    const folders = yield* Stream.runCollect(store.folders)
    const ids = folders
      .filter((folder) => folder !== BackupKeys.commonFolder)
      .flatMap((folder) => BackupId.parse(folder) ?? [])
    const meant = nearest(text, ids)
    const near = ids.find((id) => id === meant)
    const resource = /^(.+)-\d{8}-\d{6}$/u.exec(text)?.[1] ?? text
    const own = ids.filter((id) => BackupId.isOf(resource, id))
    const newest = (own.length === 0 ? ids : own).toSorted((a, b) => slotOf(b) - slotOf(a)).slice(0, mostLookedAt)
    const complete = yield* Effect.filter(newest, (id) => isComplete(store, id), { concurrency: mostLookedAt })
    return {
      ...(near !== undefined && (yield* isComplete(store, near)) ? { near } : {}),
      // Those that were looked at may all be unfinished, and older ones be there.
      ...(complete.length === 0 && newest.length === mostLookedAt ? {} : { newest: complete.slice(0, mostNamed) })
    }
  }).pipe(Effect.orElseSucceed(() => ({})))
