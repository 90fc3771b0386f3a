import { Clock, Effect } from "effect"
import { hostname } from "node:os"
import type * as Adoption from "../manifest/Adoption.ts"
import { ownerOf } from "../manifest/Adoption.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import * as LedgerReading from "../manifest/LedgerReading.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import * as SetCheck from "../manifest/SetCheck.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as UnnamedDamage from "../manifest/UnnamedDamage.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { UsageError } from "./UsageError.ts"

/* What `verify` finds, for the other backups that name the same objects. */

const idOf = ({ name, namespace }: Adoption.Resource): string =>
  namespace === undefined ? name : `${namespace}/${name}`

/** Fails unless the backup is one of the resource's, or of an earlier one that it adopted. */
export const assertOwn = Effect.fn("VerifyMark.assertOwn")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { backupId, facts }: BackupSet
) {
  const { own } = yield* DamageMarking.known(store, resource)
  // The index may still name a backup whose documents were removed.
  if (facts !== undefined && own.some((set) => set.backupId === backupId)) return
  const whose = facts === undefined ? "another tool made it" : "another resource made it"
  return yield* new UsageError({
    detail: `${backupId} is no backup of ${idOf(resource)}, so nothing can be recorded of it: ${whose}`,
    advice: "verify it without --mark, or with the manifest of the KafkaBackup that made it"
  })
})

/** The other backups of the resource that name one of the damaged objects, ascending. */
export const sharing = Effect.fn("VerifyMark.sharing")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { backupId, damagedObjects }: Pick<Verification.Verification, "backupId" | "damagedObjects">
) {
  if (damagedObjects.length === 0) return []
  const { own } = yield* DamageMarking.known(store, resource)
  const others = own.filter((set) => set.backupId !== backupId)
  const named = yield* DamageMarking.naming(store, others, new Set(damagedObjects.map(({ key }) => key)))
  return [...named.keys()].toSorted()
})

/**
 * Notes whether the manifest of the backup, and the sizes of its objects, are right now, as retention does when it
 * compares it with storage. Returns the backups of the resource of which retention or this has noticed damage.
 */
const noteCheck = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { backupId }: BackupSet,
  atMillis: number
) {
  const found = yield* SetCheck.check(store, backupId)
  const damage = found._tag === "Damaged" ? found.problem : undefined
  const indexed = yield* SetIndex.noteCheck(store, ownerOf(resource), backupId, atMillis, damage)
  return indexed.flatMap((set) => (set.check?.damage === undefined ? [] : [set.backupId]))
})

/**
 * Records what was found in every backup of the resource that names these objects, under the owner's lock: what was
 * damaged is looked at once more, since a run may have healed it meanwhile. Only what was read whole clears earlier
 * damage, and is recorded as read; a backup whose manifest says something else of an object is damaged only if it is
 * wrong by that, too. A manifest that was altered is no witness: nothing is recorded and nothing cleared by it. What is
 * recorded of the backup and its manifest does not name is cleared. Returns the backups of the resource that are known
 * to be damaged then.
 */
export const mark = (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  set: BackupSet,
  reading: Verification.Reading,
  verified: Pick<Verification.Verification, "damagedObjects" | "isManifestSound">
) =>
  OwnerLock.holding(
    store,
    ownerOf(resource),
    `${hostname()}, verify --mark`,
    Effect.gen(function* () {
      const sinceMillis = yield* Clock.currentTimeMillis
      const suspects = new Set(verified.damagedObjects.map(({ key }) => key))
      const still = yield* Verification.recheck(store, set, reading, suspects)
      const entries = new Map(Verification.locatedSegments(set).map((one) => [one.segment.key, one]))
      const found = still.flatMap(({ detail, key }) => {
        const entry = entries.get(key)
        return entry === undefined ? [] : [DamageMarking.foundIn(entry, detail, sinceMillis)]
      })
      const damaged = new Set(found.map(({ key }) => key))
      const read = verified.isManifestSound ? Verification.keysRead(set, reading) : []
      const right = new Set(read.filter((key) => !damaged.has(key)))
      const unnamed = new Map([[set.backupId, yield* UnnamedDamage.ofSet(store, set)]])
      const marked = yield* DamageMarking.mark(store, resource, { found, right, unnamed })
      if (read.length > 0) yield* LedgerReading.enter(store, resource, set, read)
      const noticed = yield* noteCheck(store, resource, set, sinceMillis)
      return [...new Set([...marked, ...noticed])].toSorted()
    }),
    "fiveMinutes"
  )
