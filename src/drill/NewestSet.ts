import { Effect } from "effect"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { CatalogueError } from "../manifest/CatalogueError.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { BackupDamaged, DrillError, NothingToDrill } from "./DrillError.ts"

/**
 * The newest complete backup of the resource, found anew each time. Unfinished runs, and backups of others with this
 * name, are passed over. A newer backup of the resource that cannot be read is not: it fails.
 */
export const open = Effect.fn("NewestSet.open")(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const { others, sets } = yield* SetIndex.known(store, Adoption.ownerOf(resource), "index")
  const own = OwnSets.among(sets, resource, Adoption.of(sets, resource))
  // Ids of one name are in the order of their slots.
  const newest = own.reduce((last, { backupId }) => (backupId > last ? backupId : last), "")
  for (const entry of others) {
    if (entry._tag !== "Unreadable" || entry.isForeign || entry.backupId < newest) continue
    if (entry.owner === undefined || !Adoption.mayNeed(resource, entry.owner)) continue
    const reason = new BackupDamaged({ backupId: entry.backupId, problems: [entry.detail] })
    return yield* new DrillError({ reason })
  }
  const damaged = (detail: string): Effect.Effect<never, CatalogueError | DrillError> =>
    Effect.fail(new DrillError({ reason: new BackupDamaged({ backupId: newest, problems: [detail] }) }))
  if (newest !== "") {
    // It was complete: the index, or its manifest, said so.
    return yield* Catalogue.open(store, newest).pipe(
      Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ message }) => damaged(message)),
      Effect.catchReason("CatalogueError", "SetIncomplete", (reason) =>
        reason.state === "unfinished"
          ? damaged(`${newest}/manifest.json is missing`)
          : Effect.fail(new CatalogueError({ reason }))
      )
    )
  }
  const named = resource.namespace === undefined ? resource.name : `${resource.namespace}/${resource.name}`
  return yield* new DrillError({ reason: new NothingToDrill({ resource: named, location: store.location }) })
})
