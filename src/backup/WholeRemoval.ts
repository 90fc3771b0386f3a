import { Effect, Stream } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Claims from "../manifest/Claims.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Remains from "../manifest/Remains.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import { isSameOwner, type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as RetentionPass from "./RetentionPass.ts"

/** Folders that hold no proven set, but that a run of this owner claimed: unfinished, damaged or partly removed. */
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
      ...entries.flatMap((entry) =>
        entry._tag === "Unreadable" && entry.owner !== undefined && isSameOwner(entry.owner, owner)
          ? [entry.backupId]
          : []
      ),
      ...OwnSets.of(entries, owner).map(({ backupId }) => backupId)
    ])
  ]
  // A damaged set of this owner is removed, too. A damaged set of another owner may need objects of this owner's sets.
  const blocked = RetentionPass.unknownNeeds(
    entries.filter(({ backupId }) => !own.includes(backupId)),
    owner
  )
  const removed = blocked.length > 0 ? [] : own.toSorted()
  const known = new Set<string>(entries.map(({ backupId }) => backupId))
  const remains = blocked.length > 0 ? [] : yield* Remains.of(store, owner, known)
  const naming = entries.flatMap((entry) =>
    entry._tag === "Complete" && entry.references.length > 0 && !removed.includes(entry.backupId)
      ? [entry.backupId]
      : []
  )
  const sets = OwnSets.of(entries, owner)
  return {
    outcome: RetentionPass.outcome(sets, removed, { blocked, notes: RetentionPass.remainsNotes(remains) }),
    own: sets,
    naming,
    remains
  } satisfies RetentionPass.Decided
})

/** What `run` would remove now. Changes nothing. */
export const preview = Effect.fn("WholeRemoval.preview")(function* (store: ObjectStoreShape, owner: Owner) {
  return (yield* decide(store, owner)).outcome
})

/**
 * Removes every set that is provably this owner's, complete or not, including the newest: for a resource that is
 * deleted for good. Sets of others and foreign files stay. The records of which run had which id are removed last if
 * the owner has a uid, since a uid never returns; without a uid they stay, so that a new resource of the same name does
 * not repeat an old run. The next call finishes an interrupted removal. The caller holds the owner's lock, and no run
 * of the owner is under way.
 */
export const run = Effect.fn("WholeRemoval.run")(function* (store: ObjectStoreShape, owner: Owner) {
  const decided = yield* decide(store, owner)
  // First: a later run must not take a set that is being removed for one that stays.
  if (decided.outcome.blocked.length === 0) yield* SetIndex.empty(store, owner)
  const outcome = yield* RetentionPass.carryOut(store, owner, decided)
  if (outcome.blocked.length + outcome.locked.length > 0) return outcome
  yield* SetIndex.removeAll(store, owner)
  if (owner.uid !== undefined) {
    yield* store.list(BackupKeys.runRecordFolder(ownerKey(owner))).pipe(
      Stream.mapEffect((info) => store.delete(info.key), { concurrency: 8, unordered: true }),
      Stream.runDrain
    )
  }
  return outcome
})
