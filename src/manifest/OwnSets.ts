import type { BackupId } from "../identity/BackupId.ts"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import type { CatalogueEntry } from "./Catalogue.ts"
import type { CatalogueSummary } from "../outcome/RunSummary.ts"
import type { SetFacts } from "./SetFacts.ts"

/** A complete, proven set of one resource. */
export interface OwnSet {
  readonly backupId: BackupId
  readonly slotMillis: number
  readonly facts: SetFacts
}

/** The proven sets of this owner, in the order of the entries. */
export const of = (entries: ReadonlyArray<CatalogueEntry>, owner: Owner): ReadonlyArray<OwnSet> =>
  entries.flatMap((entry) =>
    entry._tag === "Complete" && entry.facts !== undefined && isSameOwner(entry.facts.identity.owner, owner)
      ? [{ backupId: entry.backupId, slotMillis: Date.parse(entry.facts.identity.slot), facts: entry.facts }]
      : []
  )

/** The summary of these sets for the history, newest slot first. */
export const summary = (sets: ReadonlyArray<OwnSet>): CatalogueSummary => ({
  total: sets.length,
  sets: sets
    .toSorted((a, b) => b.slotMillis - a.slotMillis || (a.backupId < b.backupId ? 1 : -1))
    .map(({ backupId, facts }) => ({
      backupId,
      startedMillis: facts.startedMillis,
      completedMillis: facts.completedMillis,
      size: facts.totals.storedBytes,
      records: facts.totals.records
    }))
})
