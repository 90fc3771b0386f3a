import type { GroupsSummary } from "../../outcome/RestoreSummary.ts"
import type { GroupOutcome } from "./GroupOutcome.ts"

/** Bytes of each of the two lists as JSON: a summary has 4096 bytes for everything. */
const room = 600

/** As many of the first items as fit. */
const fitting = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> => {
  let left = room
  const end = items.findIndex((item) => (left -= Buffer.byteLength(JSON.stringify(item)) + 1) < 0)
  return end < 0 ? items : items.slice(0, end)
}

/** What became of consumer groups, short enough for a summary. */
export const of = ({ groupsReset, groupsSkipped }: GroupOutcome): GroupsSummary => ({
  reset: groupsReset.length,
  skipped: groupsSkipped.length,
  groupsReset: fitting(groupsReset.map(({ group }) => group)),
  groupsSkipped: fitting(groupsSkipped.map(({ group, reason }) => ({ group, reason })))
})
