import { Effect } from "effect"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import { CatalogueError } from "../manifest/CatalogueError.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { BackupDamaged, DrillError, NothingToDrill } from "./DrillError.ts"

/** What is known to be damaged of a backup, by a reading or since retention compared it with storage. */
const damageOf = ({ check, damage }: SetIndex.IndexedSet): string | undefined => damage?.text ?? check?.damage

/** The newest of ids of one name: they are in the order of their slots. */
const newestOf = (sets: ReadonlyArray<{ readonly backupId: string }>): string =>
  sets.reduce((last, { backupId }) => (backupId > last ? backupId : last), "")

/**
 * The newest complete backup of the resource that is not known to be damaged, found anew each time: the one that a
 * restore would choose by itself. Unfinished runs, and backups of others with this name, are passed over, too. A newer
 * backup of the resource that cannot be read is not: it fails. So does it where all are damaged.
 */
export const open = Effect.fn("NewestSet.open")(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const { others, sets } = yield* SetIndex.known(store, Adoption.ownerOf(resource), "index")
  const own = OwnSets.among(sets, resource, Adoption.of(sets, resource))
  const [last, newest] = [newestOf(own), newestOf(own.filter((set) => damageOf(set) === undefined))]
  for (const entry of others) {
    if (entry._tag !== "Unreadable" || entry.isForeign || entry.backupId < last) continue
    if (entry.owner === undefined || !Adoption.mayNeed(resource, entry.owner)) continue
    const reason = new BackupDamaged({ backupId: entry.backupId, problems: [entry.detail] })
    return yield* new DrillError({ reason })
  }
  const damaged = (detail: string): Effect.Effect<never, CatalogueError | DrillError> =>
    Effect.fail(new DrillError({ reason: new BackupDamaged({ backupId: newest, problems: [detail] }) }))
  if (newest !== "") {
    // It was complete: the index, or its manifest, said so.
    const set = yield* Catalogue.open(store, newest).pipe(
      Effect.catchReason("CatalogueError", "DocumentUnreadable", ({ message }) => damaged(message)),
      Effect.catchReason("CatalogueError", "SetIncomplete", (reason) =>
        reason.state === "unfinished"
          ? damaged(`${newest}/manifest.json is missing`)
          : Effect.fail(new CatalogueError({ reason }))
      )
    )
    const passedOver = own.flatMap(({ backupId }) => (backupId > newest ? [backupId] : []))
    return { set, passedOver: passedOver.toSorted() }
  }
  const damagedOne = own.find(({ backupId }) => backupId === last)
  if (damagedOne !== undefined) {
    const reason = new BackupDamaged({ backupId: damagedOne.backupId, problems: [damageOf(damagedOne) ?? "damaged"] })
    return yield* new DrillError({ reason })
  }
  const named = resource.namespace === undefined ? resource.name : `${resource.namespace}/${resource.name}`
  return yield* new DrillError({ reason: new NothingToDrill({ resource: named, location: store.location }) })
})
