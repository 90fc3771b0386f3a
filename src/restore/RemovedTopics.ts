import type { RemovedSummary } from "../outcome/RestoreSummary.ts"
import type { Removed } from "./MadeTopics.ts"

/** Most bytes of names of each kind in a summary, which has room for 4096 bytes in all. */
const namesBytes = 600

/** As many of the names, ascending, as fit. */
const fitting = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  let left = namesBytes
  return names.toSorted().filter((name) => (left -= name.length + 3) >= 0)
}

/** The same for the operator: all as numbers, and as many by name as there is room for. Pure. */
export const summary = ({ deleted, kept }: Removed): RemovedSummary => ({
  deleted: deleted.length,
  kept: kept.length,
  deletedTopics: fitting(deleted),
  keptTopics: fitting(kept)
})
