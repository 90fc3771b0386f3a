import { type GroupOutcome, type GroupReset, type GroupSkipped, outcomeOf } from "./GroupOutcome.ts"

/** What is known of groups while they are set: what there is to tell of work that is stopped in between. */
export interface GroupLog {
  /** Groups of which offsets may have been set. */
  readonly begun: Set<string>
  readonly ended: Map<string, GroupReset | GroupSkipped>
}

export const make = (): GroupLog => ({ begun: new Set(), ended: new Map() })

const inBetween = "the work was stopped while its offsets were set, and they may be set already"
const untouched = "the work was stopped before its turn"

/** What became of all groups of work that was stopped. */
export const stopped = ({ begun, ended }: GroupLog, groupIds: ReadonlyArray<string>): GroupOutcome =>
  outcomeOf(groupIds.map((group) => ended.get(group) ?? { group, reason: begun.has(group) ? inBetween : untouched }))
