import * as BackupId from "../identity/BackupId.ts"
import { Effect, Stream } from "effect"
import { given } from "../resource/Json.ts"
import { isSameOwner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Adoption from "./Adoption.ts"
import * as Catalogue from "./Catalogue.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type * as Damage from "./Damage.ts"
import type { SetDigest } from "./SetFacts.ts"

/** A complete, proven set of one resource. */
export interface OwnSet {
  readonly backupId: BackupId.BackupId
  readonly completedMillis: number
  readonly facts: SetDigest
  /** An earlier resource of the same name made it. */
  readonly isAdopted: boolean
  /** What is recorded of it as damaged; absent where nothing is. */
  readonly damage?: Damage.Summary
}

/** A complete set of any owner. */
export interface AnySet {
  readonly backupId: BackupId.BackupId
  readonly facts: SetDigest
  readonly damage?: Damage.Summary
}

/** The proven sets among the entries, whoever owns them. */
export const all = (entries: ReadonlyArray<Catalogue.CatalogueEntry>): ReadonlyArray<AnySet> =>
  entries.flatMap((entry) =>
    entry._tag === "Complete" && entry.facts !== undefined
      ? [given({ backupId: entry.backupId, facts: entry.facts, damage: entry.damage })]
      : []
  )

/** Those of this resource, the ones that it adopts included, in the same order. */
export const among = <S extends AnySet>(
  sets: ReadonlyArray<S>,
  resource: Adoption.Resource,
  { earlier }: Adoption.Adoption
): ReadonlyArray<S & OwnSet> => {
  const adopted = new Set(earlier.flatMap((one) => one.sets.map(({ backupId }) => backupId)))
  return sets.flatMap((set) => {
    const isAdopted = adopted.has(set.backupId)
    return isAdopted || isSameOwner(set.facts.identity.owner, resource)
      ? [{ ...set, completedMillis: set.facts.completedMillis, isAdopted }]
      : []
  })
}

/** The proven sets of this resource, those that it adopts included, in the order of the entries. */
export const of = (
  entries: ReadonlyArray<Catalogue.CatalogueEntry>,
  resource: Adoption.Resource
): ReadonlyArray<OwnSet> => {
  const sets = all(entries)
  return among(sets, resource, Adoption.of(sets, resource))
}

/** The summary of these sets for the history, the one completed last first. */
export const summary = (sets: ReadonlyArray<OwnSet>, pins: ReadonlySet<string> = new Set()): CatalogueSummary => ({
  total: sets.length,
  sets: sets
    .toSorted((a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1))
    .map(({ backupId, facts }) => ({
      backupId,
      startedMillis: facts.startedMillis,
      completedMillis: facts.completedMillis,
      size: facts.totals.storedBytes,
      records: facts.totals.records
    })),
  ...adoptedCount(sets),
  ...pinnedCount(sets, pins)
})

const pinnedCount = (sets: ReadonlyArray<OwnSet>, pins: ReadonlySet<string>): { readonly pinned?: number } => {
  const pinned = sets.filter(({ backupId }) => pins.has(backupId)).length
  return pinned === 0 ? {} : { pinned }
}

const adoptedCount = (sets: ReadonlyArray<OwnSet>): { readonly adopted?: number } => {
  const adopted = sets.filter(({ isAdopted }) => isAdopted).length
  return adopted === 0 ? {} : { adopted }
}

/** The facts of how many complete backups are read at most, beside those in the index: they are of namesakes. */
const mostRead = 20

/** What is known of the sets of a resource. */
export interface Hints {
  /** They are not looked at. */
  readonly passedOver: ReadonlySet<string>
  /** They are in the index, and looked at however many others are newer. */
  readonly indexed: ReadonlySet<string>
}

const noHints: Hints = { passedOver: new Set(), indexed: new Set() }

/**
 * The facts of this resource's newest complete backup other than `except` that was planned before `plannedMillis`, by
 * the slot in its id: a run that resumes late is not compared with backups of later offsets. Reads the facts of one or
 * two backups, however many exist, and asks whether each folder of a failed run before them is complete. `undefined` if
 * there is none. `isPassedOver`: a newer one was planned later than `plannedMillis`.
 */
export const newest = Effect.fn("OwnSets.newest")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  except: BackupId.BackupId,
  plannedMillis: number,
  { indexed, passedOver }: Hints = noHints
) {
  const folders = yield* Stream.runCollect(store.folders)
  const candidates = folders
    .filter((folder) => BackupId.isOf(resource.name, folder))
    .flatMap((folder) => BackupId.parse(folder) ?? [])
    .filter((backupId) => backupId !== except && !passedOver.has(backupId))
    .toSorted((a, b) => (a < b ? 1 : -1))
  let unknownRead = 0
  let isPassedOver = false
  for (const backupId of candidates) {
    const isIndexed = indexed.has(backupId)
    if (!isIndexed && unknownRead >= mostRead) continue
    if (!(yield* Catalogue.isComplete(store, backupId))) continue
    if (!isIndexed) unknownRead++
    const facts = yield* Catalogue.factsOf(store, backupId).pipe(
      // Unreadable or foreign: it cannot be compared; retention reports it.
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
    )
    const isOwn = facts?.backupId === backupId && Adoption.mayBeOf(resource, facts)
    if (!isOwn) continue
    if (facts.startedMillis <= plannedMillis) return { facts, isPassedOver }
    isPassedOver = true
  }
  return { facts: undefined, isPassedOver }
})

/** The facts of `newest`. */
export const newestBefore = (...of: Parameters<typeof newest>) => Effect.map(newest(...of), ({ facts }) => facts)
