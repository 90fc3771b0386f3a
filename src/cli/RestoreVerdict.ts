import type { PreparedGroups } from "../restore/groups/Groups.ts"
import { remembered } from "../restore/TargetTopic.ts"
import * as RestoreStanding from "../restore/RestoreStanding.ts"
import type { Restored } from "../restore/RestoreWork.ts"
import * as Format from "../status/Format.ts"
import { counted } from "./Quantities.ts"

/** The last line of a restore, and of its dry run: what it comes to. Pure. */

/** Most groups that the line names. */
const mostGroups = 5

const topics = (n: number): string => counted(n, "topic")

/** What a repeat of a complete restore would still do. */
const left = (targets: RestoreStanding.Targets, groups: PreparedGroups | undefined): ReadonlyArray<string> => {
  const configs = new Set(targets.map((target) => remembered(target)?.configs))
  return [
    ...(configs.has(undefined) ? ["give the topics their configuration"] : []),
    ...(groups?.strategy === undefined || RestoreStanding.areGroupsSet(targets)
      ? []
      : ["set the offsets of consumer groups"]),
    ...(configs.has("held") ? ["end the retention hold, if its time is over"] : [])
  ]
}

/** Groups that an earlier attempt left. */
const notSet = (n: number): string =>
  n === 0
    ? ""
    : ` ${counted(n, "consumer group")} ${n === 1 ? "was" : "were"} not set at that time: kafka-backup offsets reset can set ${n === 1 ? "it" : "them"}.`

/** What a dry run found out. */
export const ofDryRun = (targets: RestoreStanding.Targets, groups: PreparedGroups | undefined): string => {
  const standing = RestoreStanding.of(targets)
  if (standing === "new") return "Nothing was written. All checks passed."
  if (standing === "begun") {
    const counts = Map.groupBy(targets.map(RestoreStanding.ofTopic), (one) => one)
    const count = (one: RestoreStanding.TopicStanding) => counts.get(one)?.length ?? 0
    const parts = [
      ...(count("proven") > 0 ? [`${topics(count("proven"))} compared already`] : []),
      ...(count("written") > 0 ? [`${topics(count("written"))} to compare`] : []),
      ...(count("begun") > 0 ? [`${topics(count("begun"))} to continue`] : []),
      ...(count("new") > 0 ? [`${topics(count("new"))} to begin`] : [])
    ]
    return `Nothing was written. All checks passed. An earlier attempt was not completed, and the restore would continue it: ${parts.join(", ")}.`
  }
  const provenMillis = Math.max(...targets.map((target) => remembered(target)?.provenMillis ?? 0))
  const more = left(targets, groups)
  const unset = groups?.strategy === undefined ? 0 : RestoreStanding.groupsLeft(targets)
  const next =
    more.length > 0
      ? `A repeat would only ${more.join(", ")}.${notSet(unset)}`
      : unset > 0
        ? `A repeat would do nothing.${notSet(unset)}`
        : "Nothing is left to do."
  return `Nothing was written. The restore is complete: all records were compared until ${Format.time(provenMillis)}, and none is written again. ${next}`
}

/** Groups that were to be set and were not, with the reason of each. */
const groupsLeft = ({ offsetReset }: Pick<Restored, "offsetReset">): string => {
  if (offsetReset === undefined || offsetReset.groupsSkipped.length === 0) return ""
  const { groupsReset, groupsSkipped } = offsetReset
  const of = groupsReset.length + groupsSkipped.length
  const named = groupsSkipped.slice(0, mostGroups).map(({ group, reason }) => `${group}, because ${reason}`)
  const more = groupsSkipped.length - named.length
  const others = more === 0 ? "" : `; and ${more} more`
  const were = groupsSkipped.length === 1 ? "was" : "were"
  return `. ${groupsSkipped.length} of ${counted(of, "consumer group")} ${were} not set: ${named.join("; ")}${others}`
}

/** What a complete restore came to. */
export const ofSuccess = (restored: Restored): string => {
  const { plan, records, wasProven } = restored
  const were = records === 1 ? "was" : "were"
  const done = wasProven
    ? `already restored. ${counted(records, "record")} ${were} compared at that time`
    : `${counted(records, "record")} ${were} written, read back and compared`
  return `OK ${plan.backupId}: ${done}${groupsLeft(restored)}`
}
