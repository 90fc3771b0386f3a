import type { GroupOutcome } from "../restore/groups/GroupOutcome.ts"
import type { PreparedGroups } from "../restore/groups/Groups.ts"
import type { Strategy } from "../restore/groups/GroupsRequest.ts"
import * as RestoreStanding from "../restore/RestoreStanding.ts"
import * as Format from "../status/Format.ts"

/** What is said of consumer groups before and after their offsets are set. */

const offsetsOf = (strategy: Strategy): string => {
  switch (strategy._tag) {
    case "Exact":
      return "the offsets of the backup"
    case "Earliest":
      return "the start of the log"
    case "Latest":
      return "the end of the log"
    case "Time":
      return `the first record of ${new Date(strategy.timestampMillis).toISOString()} or later`
    case "Offset":
      return `offset ${strategy.offset}`
  }
}

const names = (groups: PreparedGroups["groups"]) => groups.map(({ groupId }) => groupId).join(", ")

const alreadySet = (left: number, of: number): string =>
  left === 0
    ? "Consumer groups: an earlier attempt has set their offsets, and they stay as they are"
    : `Consumer groups: an earlier attempt did not set the offsets of ${left} of ${of}, and all stay as they are. To set those of one group, run kafka-backup offsets reset -f FILE --group GROUP`

/** Before a restore. */
export const planned = (
  groups: PreparedGroups | undefined,
  targets: RestoreStanding.Targets
): ReadonlyArray<string> => {
  if (groups === undefined) return []
  if (RestoreStanding.areGroupsSet(targets)) {
    const left = RestoreStanding.groupsLeft(targets)
    return groups.strategy === undefined ? [] : [alreadySet(left, groups.groups.length)]
  }
  const { snapshotId, strategy } = groups
  return [
    ...(snapshotId === undefined ? [] : [`Offsets of consumer groups are stored first, as snapshot ${snapshotId}`]),
    ...(strategy === undefined
      ? []
      : groups.groups.length === 0
        ? ["Consumer groups: none; the backup has no group that offsetReset names with offsets in these topics"]
        : [`Consumer groups: ${names(groups.groups)} get ${offsetsOf(strategy)}`])
  ]
}

/** The same for programs. */
export const plannedJson = (groups: PreparedGroups | undefined, targets: RestoreStanding.Targets) => ({
  ...(groups?.strategy === undefined
    ? {}
    : {
        offsetReset: RestoreStanding.areGroupsSet(targets)
          ? { groups: [], groupsLeft: RestoreStanding.groupsLeft(targets) }
          : { groups: groups.groups.map(({ groupId }) => groupId) }
      }),
  ...(groups?.snapshotId === undefined ? {} : { rollbackSnapshotId: groups.snapshotId })
})

/** After a restore: the groups that have their offsets. Those that were left as they are have notes. */
export const done = (
  groups: PreparedGroups | undefined,
  offsetReset: GroupOutcome | undefined
): ReadonlyArray<string> => [
  ...(groups?.snapshotId === undefined
    ? []
    : [`The former offsets of consumer groups are in snapshot ${groups.snapshotId}`]),
  ...(offsetReset?.groupsReset.map(
    ({ group, offsets }) =>
      `Consumer group ${group}: ${Format.count(offsets.length)} ${offsets.length === 1 ? "offset was" : "offsets were"} set and read back`
  ) ?? []),
  ...(offsetReset?.groupsSkipped.some(({ active }) => active === true) === true
    ? ["Note: once its consumers have stopped, kafka-backup offsets reset -f FILE --group GROUP sets an active group"]
    : [])
]

/** The same for programs. */
export const doneJson = (groups: PreparedGroups | undefined, offsetReset: GroupOutcome | undefined) => ({
  ...(offsetReset === undefined ? {} : { offsetReset }),
  ...(groups?.snapshotId === undefined ? {} : { rollbackSnapshotId: groups.snapshotId })
})
