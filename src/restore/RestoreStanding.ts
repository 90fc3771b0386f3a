import type { TargetTopic } from "./TargetTopic.ts"

/* How far earlier attempts of the same restore came. Pure. */

/** `proven`: compared, and never written again. `written`: to be compared. `begun`: to be continued there. */
export type TopicStanding = "new" | "begun" | "written" | "proven"

export const ofTopic = ({ isWritten, remembered }: Pick<TargetTopic, "isWritten" | "remembered">): TopicStanding => {
  if (remembered === undefined) return "new"
  if (remembered.provenMillis !== undefined) return "proven"
  return isWritten ? "written" : "begun"
}

/** `complete`: no record is left to write or to compare. */
export type Standing = "new" | "begun" | "complete"

/** What is to be done with each topic. */
export type Targets = ReadonlyArray<Pick<TargetTopic, "isWritten" | "remembered">>

export const of = (targets: Targets): Standing => {
  const all = targets.map(ofTopic)
  if (all.length > 0 && all.every((one) => one === "proven")) return "complete"
  return all.every((one) => one === "new") ? "new" : "begun"
}

/** Whether an earlier attempt has set the offsets of consumer groups: a repeat leaves them alone. */
export const areGroupsSet = (targets: Targets): boolean =>
  targets.length > 0 && targets.every(({ remembered }) => remembered?.groupsSetMillis !== undefined)
