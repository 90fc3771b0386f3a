import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Catalogue from "./Catalogue.ts"
import { CatalogueError, SetIncomplete } from "./CatalogueError.ts"
import * as Claims from "./Claims.ts"
import * as SetCheck from "./SetCheck.ts"
import * as SetIndex from "./SetIndex.ts"

/*
 * A folder without a manifest is a run that has not finished, or a backup that has lost its manifest. An index tells:
 * it names complete sets alone, and a set leaves it before its removal begins.
 */

/** True if the index of this owner, or of the one that made the set, names it. */
const wasComplete = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, backupId: BackupId) {
  const isIn = (of: Owner) =>
    Effect.map(SetIndex.indexed(store, of), (sets) => sets.some((set) => set.backupId === backupId))
  if (yield* isIn(owner)) return true
  const maker = yield* Claims.claimant(store, backupId)
  return maker !== undefined && (yield* isIn(maker))
})

/** Opens the set whose id somebody wrote, and says of one that has lost its manifest that it was complete. */
export const open = (store: ObjectStoreShape, owner: Owner, text: string) =>
  Catalogue.open(store, text).pipe(
    Effect.catchReason("CatalogueError", "SetIncomplete", (reason) =>
      Effect.gen(function* () {
        const isLost = reason.state === "unfinished" && (yield* wasComplete(store, owner, reason.backupId as BackupId))
        return yield* new CatalogueError({
          reason: isLost ? new SetIncomplete({ backupId: reason.backupId, state: "manifestLost" }) : reason
        })
      })
    )
  )

/** What is known to be damaged of a folder, and since when, if that is known. */
export interface Noticed {
  readonly sinceMillis?: number
  readonly text: string
}

/** By a reading, since retention compared it with storage, or because it was complete and is not now. Pure. */
export const damageOf = (
  entry: Catalogue.CatalogueEntry,
  indexed: SetIndex.IndexedSet | undefined
): Noticed | undefined => {
  if (entry._tag === "Complete" && entry.damage !== undefined) return entry.damage
  if (indexed === undefined || (entry._tag !== "Complete" && !Catalogue.isLost(entry))) return undefined
  const { check } = indexed
  if (check?.damage !== undefined) return { sinceMillis: SetIndex.noticedMillis(check), text: check.damage }
  if (entry._tag === "Incomplete") return { text: SetCheck.lostManifest(entry.backupId) }
  return entry._tag === "Unreadable" ? { text: entry.detail } : undefined
}
