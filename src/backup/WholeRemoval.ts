import { Clock, Effect } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import * as AbandonedRuns from "../manifest/AbandonedRuns.ts"
import * as Adoption from "../manifest/Adoption.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Claims from "../manifest/Claims.ts"
import * as Ledger from "../manifest/Ledger.ts"
import type * as Needs from "../manifest/Needs.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as Pins from "../manifest/Pins.ts"
import * as Readers from "../manifest/Readers.ts"
import * as Remains from "../manifest/Remains.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import { isSameOwner, type Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as AbandonedFolders from "./AbandonedFolders.ts"
import * as Collecting from "./Collecting.ts"
import * as InUse from "./InUse.ts"
import * as FailedRuns from "./FailedRuns.ts"
import * as RetentionPlan from "./RetentionPlan.ts"
import * as RetentionOutcome from "./RetentionOutcome.ts"
import * as RetentionWords from "./RetentionWords.ts"
import * as RetentionRemoval from "./RetentionRemoval.ts"

/** Folders that hold no proven set, but that a run of these owners claimed: unfinished, damaged or partly removed. */
const claimed = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  owns: (owner: Owner) => boolean,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>
) {
  const candidates = entries.filter(
    (entry) => entry._tag !== "Retired" && (entry._tag !== "Complete" || entry.facts === undefined)
  )
  const found = yield* Effect.forEach(
    candidates,
    ({ backupId }) =>
      Effect.map(Claims.claimant(store, backupId), (claimant) =>
        claimant !== undefined && owns(claimant) ? [backupId] : []
      ),
    { concurrency: 8 }
  )
  return found.flat()
})

/**
 * The earlier resources whose backups go, too, and why others stay. A resource in a cluster removes adopted backups
 * only after it has made one itself, and not those of a resource that may still be at work in another cluster.
 */
const removable = (
  resource: Adoption.Resource,
  { earlier }: Adoption.Adoption,
  hasOwn: boolean,
  nowMillis: number
): { readonly earlier: ReadonlyArray<Adoption.Earlier>; readonly notes: ReadonlyArray<string> } => {
  const { adopting, uid } = resource
  if (adopting === undefined || uid === undefined) return { earlier, notes: [] }
  const goes = (one: Adoption.Earlier) => hasOwn && Adoption.isQuiet(one, adopting, nowMillis)
  const staying = earlier.filter((one) => !goes(one)).flatMap(({ sets }) => sets)
  const why = hasOwn
    ? "it may still be at work in another cluster"
    : "this resource has not made a backup itself, so it may not be its successor"
  return {
    earlier: earlier.filter(goes),
    notes:
      staying.length === 0
        ? []
        : [
            `${staying.length} backups of an earlier resource of this name stay, among them ${staying[0]!.backupId}: ${why}`
          ]
  }
}

/**
 * What becomes of the unfinished runs of other resources of this name, and the sets that those build on that are not
 * abandoned. A run that was is removed whoever made it: its resource may be gone, and no pass may have come since.
 */
const unfinishedOfOthers = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  own: ReadonlyArray<BackupId.BackupId>
) {
  const staying = entries.filter(({ backupId }) => BackupId.isOf(resource.name, backupId) && !own.includes(backupId))
  const unfinished = staying.flatMap(({ _tag, backupId }) => (_tag === "Incomplete" ? [backupId] : []))
  const quiet = yield* AbandonedRuns.find(store, Adoption.ownerOf(resource), unfinished)
  const active = unfinished.filter((backupId) => !quiet.folders.has(backupId))
  const inUse = yield* InUse.ofRuns(store, active)
  const pins = yield* Pins.of(store, undefined)
  const known = { sets: [], others: staying }
  return { inUse, abandoned: yield* AbandonedFolders.decide(store, resource, known, inUse, quiet, pins) }
})

/** The sets that name objects of others: those that are removed, and those that stay. */
const naming = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  removed: ReadonlySet<BackupId.BackupId>
): readonly [leaving: ReadonlyArray<Needs.Need>, staying: ReadonlyArray<Needs.Need>] => {
  const all = entries.flatMap((entry) => (entry._tag === "Complete" && entry.references.length > 0 ? [entry] : []))
  return [all.filter(({ backupId }) => removed.has(backupId)), all.filter(({ backupId }) => !removed.has(backupId))]
}

const decide = Effect.fnUntraced(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const entries = yield* Catalogue.entries(store)
  const all = OwnSets.all(entries)
  const hasOwn = all.some(({ facts }) => isSameOwner(facts.identity.owner, resource))
  const nowMillis = yield* Clock.currentTimeMillis
  const { earlier, notes } = removable(resource, Adoption.of(all, resource), hasOwn, nowMillis)
  const adoption: Adoption.Adoption = { earlier, others: [] }
  const owns = (owner: Owner) => Adoption.owns(resource, adoption, owner)
  const adopted = new Set(earlier.flatMap(({ sets }) => sets.map(({ backupId }) => backupId)))
  const sets = OwnSets.of(entries, resource)
  const unfinished = yield* SetRemoval.unfinished(store, Adoption.isLeftTo(resource, adoption, all), entries)
  const own: ReadonlyArray<BackupId.BackupId> = [
    ...new Set([
      ...unfinished.map(({ backupId }) => backupId),
      ...(yield* claimed(store, owns, entries)),
      ...entries.flatMap((entry) =>
        entry._tag === "Unreadable" && entry.owner !== undefined && owns(entry.owner) ? [entry.backupId] : []
      ),
      ...sets.flatMap(({ backupId, isAdopted }) => (!isAdopted || adopted.has(backupId) ? [backupId] : []))
    ])
  ]
  // A damaged set of this owner is removed, too. One that may be anybody's may need objects of this owner's sets, if it
  // has a name as theirs: a backup names objects of its own resource only.
  const blocked = RetentionWords.unknownNeeds(
    entries.filter(({ backupId }) => BackupId.isOf(resource.name, backupId) && !own.includes(backupId)),
    resource
  )
  // Adopted backups say whose the unfinished runs are, and the own ones that adopted ones may go: in this order, what a
  // removal leaves that is cut off is found again.
  const isOwn = new Set<string>(sets.flatMap(({ backupId, isAdopted }) => (isAdopted ? [] : [backupId])))
  const rank = (backupId: string): number => (isOwn.has(backupId) ? 2 : adopted.has(backupId) ? 1 : 0)
  const ordered = own.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  const readers = yield* Readers.all(store)
  const { abandoned, inUse } = yield* unfinishedOfOthers(store, resource, entries, own)
  const going = blocked.length > 0 ? [] : abandoned.going
  const removed = blocked.length > 0 ? [] : ordered.filter((backupId) => !inUse.has(backupId))
  const locked = [...inUse].flatMap(([backupId, why]) => (own.includes(backupId) ? [{ backupId, why }] : []))
  const known = Remains.known(entries)
  const remains = blocked.length > 0 ? [] : yield* Remains.of(store, Adoption.ownerOf(resource), known)
  const owner = Adoption.ownerOf(resource)
  const records = blocked.length > 0 ? 0 : yield* Claims.staying(store, owner)
  const [leaving, staying] = naming(entries, new Set(removed))
  const retired = entries.flatMap((entry) => (entry._tag === "Retired" ? [entry] : []))
  const demand: Collecting.Demand = {
    going: [...removed, ...remains, ...going.map(({ backupId }) => backupId)],
    retired: blocked.length > 0 ? [] : Collecting.ownOf(retired, resource, adoption, all),
    needs: staying
  }
  const collection = yield* Collecting.plan(store, demand)
  const space = yield* Collecting.space(store, demand, collection)
  const ofOthers = space.flatMap(({ backupId, keptBytes, neededBy }) =>
    keptBytes === 0
      ? []
      : [`${keptBytes} bytes of ${backupId} stay: ${neededBy.join(", ")} of another resource need them`]
  )
  const leavingIds = new Set(removed)
  const read = readers.flatMap(({ live }) =>
    live !== undefined && leavingIds.has(live.backupId)
      ? [`${live.backupId} is removed although ${live.who} reads it`]
      : []
  )
  return {
    outcome: RetentionOutcome.of(sets, removed, {
      blocked,
      locked,
      notes: [
        ...notes,
        ...RetentionWords.remains(remains),
        ...ofOthers,
        ...read,
        ...(blocked.length > 0 ? [] : abandoned.notes),
        ...going.map(AbandonedRuns.note),
        ...RetentionWords.runRecords(records, BackupKeys.runRecordFolder(ownerKey(owner)))
      ],
      space
    }),
    own: sets,
    abandoned: going,
    earlier: RetentionPlan.makersOf(resource, adoption, removed, unfinished, all),
    demand,
    collection,
    leavingNeeds: leaving,
    // Whoever removes everything means backups, too, that are being read.
    heedsReaders: false,
    staleReaders:
      blocked.length > 0
        ? []
        : readers.flatMap(({ backupId, isStale, key }) =>
            isStale || (backupId !== undefined && leavingIds.has(backupId)) ? [key] : []
          ),
    remains
  } satisfies RetentionPlan.Decided
})

/** What `run` would remove now. Changes nothing. */
export const preview = Effect.fn("WholeRemoval.preview")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource
) {
  return yield* RetentionRemoval.preview(store, yield* decide(store, resource))
})

/**
 * Removes every set that is provably this resource's, complete or not, including the newest: for a resource that is
 * deleted for good. Sets of others and foreign files stay. The records of which run had which id are removed last if
 * the owner has a uid, since a uid never returns; without a uid they stay, so that a new resource of the same name does
 * not repeat an old run. The next call finishes an interrupted removal. The caller holds the owner's lock, and no run
 * of the owner is under way.
 */
export const run = Effect.fn("WholeRemoval.run")(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const owner = Adoption.ownerOf(resource)
  const decided = yield* decide(store, resource)
  // First: a later run must not take a set that is being removed for one that stays.
  if (decided.outcome.blocked.length === 0) yield* SetIndex.empty(store, owner)
  const outcome = yield* RetentionRemoval.carryOut(store, resource, decided)
  if (outcome.blocked.length + outcome.locked.length > 0) return outcome
  // A write-once bucket keeps it for now; it names no backup.
  yield* RetentionRemoval.unlessLocked(SetIndex.removeAll(store, owner))
  yield* RetentionRemoval.unlessLocked(Ledger.removeAll(store, owner))
  yield* RetentionRemoval.unlessLocked(FailedRuns.forgetAll(store, owner))
  yield* Claims.forgetAll(store, owner)
  return outcome
})
