import { remembered, type TargetTopic } from "./TargetTopic.ts"

/* How far earlier attempts of the same restore came. Pure. */

/** `proven`: compared, and never written again. `written`: to be compared. `begun`: to be continued there. */
export type TopicStanding = "new" | "begun" | "written" | "proven"

export const ofTopic = (target: TargetTopic): TopicStanding => {
  if ("create" in target || target.remembered === undefined) return "new"
  if (target.remembered.provenMillis !== undefined) return "proven"
  return target.isWritten ? "written" : "begun"
}

/** `complete`: no record is left to write or to compare. */
export type Standing = "new" | "begun" | "complete"

/** What is to be done with each topic. */
export type Targets = ReadonlyArray<TargetTopic>

export const of = (targets: Targets): Standing => {
  const all = targets.map(ofTopic)
  if (all.length > 0 && all.every((one) => one === "proven")) return "complete"
  return all.every((one) => one === "new") ? "new" : "begun"
}

/**
 * Whether an earlier attempt has set the offsets of consumer groups, but for those that it left: a repeat leaves all
 * alone.
 */
export const areGroupsSet = (targets: Targets): boolean =>
  targets.length > 0 && targets.every((target) => remembered(target)?.groupsSetMillis !== undefined)

/** Consumer groups that the earlier attempt did not set, because they had members or refused it. */
export const groupsLeft = (targets: Targets): number =>
  Math.max(0, ...targets.map((target) => remembered(target)?.groupsLeft ?? 0))

/** Whether an earlier attempt has added all ACLs and quotas: a repeat adds none. */
export const isAccessDone = (targets: Targets): boolean =>
  targets.length > 0 && targets.every((target) => remembered(target)?.accessMillis !== undefined)
