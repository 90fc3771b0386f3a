import type * as Catalogue from "../manifest/Catalogue.ts"
import type * as Needs from "../manifest/Needs.ts"
import type { RetiredFolder } from "../manifest/RetiredFolder.ts"
import type * as SetIndex from "../manifest/SetIndex.ts"

/* Which objects of removed backups others need, as far as a retention pass must know. Pure. */

/** What the sets need that stay, those of other tools included. */
export const of = (
  sets: ReadonlyArray<SetIndex.IndexedSet>,
  others: ReadonlyArray<Catalogue.CatalogueEntry>
): ReadonlyArray<Needs.Need> =>
  [...sets, ...others.flatMap((entry) => (entry._tag === "Complete" ? [entry] : []))].filter(
    ({ references }) => references.length > 0
  )

/** The retired folders that a pass looks at: in a run those of which something may be free since the last one. */
export const lookedAt = (
  retired: ReadonlyArray<RetiredFolder>,
  needs: ReadonlyArray<Needs.Need>,
  leaving: ReadonlyArray<Needs.Need>
): ReadonlyArray<RetiredFolder> => {
  const [needed, freed] = [needs, leaving].map((all) => new Set(all.flatMap(({ references }) => references)))
  return retired.filter(({ backupId }) => !needed!.has(backupId) || freed!.has(backupId))
}
