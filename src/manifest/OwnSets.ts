import * as BackupId from "../identity/BackupId.ts"
import { Effect, Stream } from "effect"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Catalogue from "./Catalogue.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { SetDigest } from "./SetFacts.ts"

/** A complete, proven set of one resource. */
export interface OwnSet {
  readonly backupId: BackupId.BackupId
  readonly completedMillis: number
  readonly facts: SetDigest
}

/** The proven sets of this owner, in the order of the entries. */
export const of = (entries: ReadonlyArray<Catalogue.CatalogueEntry>, owner: Owner): ReadonlyArray<OwnSet> =>
  entries.flatMap((entry) =>
    entry._tag === "Complete" && entry.facts !== undefined && isSameOwner(entry.facts.identity.owner, owner)
      ? [{ backupId: entry.backupId, completedMillis: entry.facts.completedMillis, facts: entry.facts }]
      : []
  )

/** The summary of these sets for the history, the one completed last first. */
export const summary = (sets: ReadonlyArray<OwnSet>): CatalogueSummary => ({
  total: sets.length,
  sets: sets
    .toSorted((a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1))
    .map(({ backupId, facts }) => ({
      backupId,
      startedMillis: facts.startedMillis,
      completedMillis: facts.completedMillis,
      size: facts.totals.storedBytes,
      records: facts.totals.records
    }))
})

/** How many candidates are read at most: unfinished runs and backups of other owners with this name come first. */
const mostLookedAt = 20

/**
 * The facts of this owner's newest complete backup other than `except` that was planned before `plannedMillis`, by the
 * slot in its id: a run that resumes late is not compared with backups of later offsets. Reads the facts of one
 * or two backups, however many exist. `undefined` if there is none.
 */
export const newestBefore = Effect.fn("OwnSets.newestBefore")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  except: BackupId.BackupId,
  plannedMillis: number
) {
  const folders = yield* Stream.runCollect(store.folders)
  const candidates = folders
    .filter((folder) => BackupId.isOf(owner.name, folder))
    .flatMap((folder) => BackupId.parse(folder) ?? [])
    .filter((backupId) => backupId !== except)
    .toSorted((a, b) => (a < b ? 1 : -1))
    .slice(0, mostLookedAt)
  for (const backupId of candidates) {
    if (!(yield* Catalogue.isComplete(store, backupId))) continue
    const facts = yield* Catalogue.factsOf(store, backupId).pipe(
      // Unreadable or foreign: it cannot be compared; retention reports it.
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
    )
    const isOwn = facts?.backupId === backupId && isSameOwner(facts.identity.owner, owner)
    if (isOwn && facts.startedMillis <= plannedMillis) return facts
  }
  return undefined
})
