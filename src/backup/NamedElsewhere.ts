import type { Ledger } from "../manifest/Ledger.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import type * as OwnSets from "../manifest/OwnSets.ts"
import type * as SetIndex from "../manifest/SetIndex.ts"

/*
 * The ledger knows the newest set that names an object, whose manifest says what the object must be. Where nobody can
 * read that manifest, another set that names the object says it: it depends on the object no less.
 */

export type KeptSets = ReadonlyArray<OwnSets.OwnSet & SetIndex.IndexedSet>

/** The kept sets that may name what lies in the folders of these rows, without the one of this number, newest first. */
export const candidates = (
  kept: KeptSets,
  { entries, sets }: Ledger,
  without: number,
  rows: ReadonlyArray<number>
): KeptSets => {
  const folders = new Set(rows.map((row) => sets[entries.folder[row]!]!.id))
  return DamageMarking.candidates(kept, folders)
    .filter(({ backupId }) => backupId !== sets[without]!.id)
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
}
