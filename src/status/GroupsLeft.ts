import type { GroupChoice } from "../identity/OffsetSpec.ts"
import type { GroupsSummary } from "../outcome/RestoreSummary.ts"
import * as Format from "./Format.ts"

/** What a status says of consumer groups. The totals may count more than the lists name. */
export interface KnownGroups {
  readonly groupsReset?: ReadonlyArray<string>
  readonly groupsResetTotal?: number
  readonly groupsSkipped?: ReadonlyArray<{ readonly group: string; readonly reason: string }>
  readonly groupsSkippedTotal?: number
}

/** Most groups in each list, as its schema says. */
const maxNamed = 1000

/**
 * The groups that a repetition is for: never one that was set, since it may have read on. Everything where nothing is
 * known; groups that no list names where either list is complete; else those that are named as left.
 */
export const choice = (known: KnownGroups): GroupChoice => {
  const { groupsReset = [], groupsSkipped = [] } = known
  const { groupsResetTotal = groupsReset.length, groupsSkippedTotal = groupsSkipped.length } = known
  if (groupsResetTotal + groupsSkippedTotal === 0) return {}
  return groupsSkippedTotal > groupsSkipped.length && groupsResetTotal <= groupsReset.length
    ? { except: groupsReset }
    : { only: groupsSkipped.map(({ group }) => group) }
}

/** How many groups are left that no repetition sets, because no list names them. */
export const unreachable = (known: KnownGroups): number => {
  const { groupsSkipped = [] } = known
  const { groupsSkippedTotal = groupsSkipped.length } = known
  const { only } = choice(known)
  return only === undefined ? 0 : Math.max(0, groupsSkippedTotal - only.length)
}

/** True when groups are left and a repetition sets none of them. */
export const isExhausted = (known: KnownGroups): boolean =>
  unreachable(known) > 0 && (known.groupsSkipped ?? []).length === 0

/** What a person is told about groups that no repetition sets, and what sets them. */
export const beyond = (count: number, remedy: string): string =>
  `Of the consumer groups that were left, the status does not name ${Format.count(count)}: the annotation has no effect on these. ${remedy}`

/** What is known after a Job for the groups of `choice(known)` has reported. */
export const after = (known: KnownGroups, found: GroupsSummary): Required<KnownGroups> => {
  const { groupsReset = [] } = known
  const { groupsResetTotal = groupsReset.length } = known
  return {
    groupsReset: [...new Set([...groupsReset, ...found.groupsReset])].slice(0, maxNamed),
    groupsResetTotal: groupsResetTotal + found.reset,
    groupsSkipped: found.groupsSkipped,
    groupsSkippedTotal: unreachable(known) + found.skipped
  }
}
