import * as DamageMarking from "../manifest/DamageMarking.ts"
import type { IndexedSet } from "../manifest/SetIndex.ts"

type Naming = Pick<IndexedSet, "backupId" | "references"> & { readonly completedMillis: number }

/**
 * The sets that may name one of these objects: first the one in whose folder it lies, then the others, newest
 * first. Their manifests decide. Pure.
 */
export const order = <S extends Naming>(sets: ReadonlyArray<S>, objects: ReadonlySet<string>): ReadonlyArray<S> => {
  const folders = new Set([...objects].map((key) => key.split("/", 1)[0]!))
  const rank = ({ backupId }: Naming): number => (folders.has(backupId) ? 0 : 1)
  return DamageMarking.candidates(sets, folders).toSorted(
    (a, b) => rank(a) - rank(b) || b.completedMillis - a.completedMillis
  )
}
