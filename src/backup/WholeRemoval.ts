import { Effect, Stream } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Claims from "../manifest/Claims.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import { isSameOwner, type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as RetentionPass from "./RetentionPass.ts"

/** The folders that are not proven sets, but were claimed by a run of this owner: unfinished, damaged, half removed. */
const claimed = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owner: Owner,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
) {
  const candidates = entries.filter((entry) => entry._tag !== "Complete" || entry.facts === undefined)
  const found = yield* Effect.forEach(
    candidates,
    ({ backupId }) =>
      Effect.map(Claims.claimant(store, backupId), (claimant) =>
        claimant !== undefined && isSameOwner(claimant, owner) ? [backupId] : []
      ),
    { concurrency: 8 }
  )
  return found.flat()
})

const decide = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner) {
  const entries = yield* Catalogue.entries(store)
  const own = [
    ...new Set([
      ...(yield* SetRemoval.unfinished(store, owner, entries)),
      ...(yield* claimed(store, owner, entries)),
      ...OwnSets.of(entries, owner).map(({ backupId }) => backupId)
    ])
  ]
  // A damaged set of this owner goes as well; one of somebody else may need what is here.
  const notes = RetentionPass.unknownNeeds(
    entries.filter(({ backupId }) => !own.includes(backupId)),
    owner
  )
  const removed = notes.length > 0 ? [] : own.toSorted()
  return { entries, outcome: RetentionPass.outcome(entries, owner, removed, notes) } satisfies RetentionPass.Decided
})

/** What `run` would remove now. */
export const preview = Effect.fn("WholeRemoval.preview")(function* (store: ObjectStoreShape, owner: Owner) {
  return (yield* decide(store, owner)).outcome
})

/**
 * Removes every set that is provably this owner's, complete or not, the newest too: what is left of a resource that is deleted for
 * good. Sets of others and foreign files stay. Records of which run had which id go last where the owner has a uid, which never
 * comes back; without one they stay, so that a resource of the same name does not make an old run again. What was cut short is
 * finished by the next call. The caller holds the owner's lock, and no run of the owner is under way.
 */
export const run = Effect.fn("WholeRemoval.run")(function* (store: ObjectStoreShape, owner: Owner) {
  const outcome = yield* RetentionPass.carryOut(store, owner, yield* decide(store, owner))
  if (outcome.notes.length === 0 && owner.uid !== undefined) {
    yield* store.list(BackupKeys.runRecordFolder(ownerKey(owner))).pipe(
      Stream.mapEffect((info) => store.delete(info.key), { concurrency: 8, unordered: true }),
      Stream.runDrain
    )
  }
  return outcome
})
