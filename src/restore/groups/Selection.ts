import type { BackupSet } from "../../manifest/Catalogue.ts"
import type { PlannedGroup } from "../../manifest/RunPlan.ts"
import { nearest } from "../../resource/Near.ts"
import * as TopicGlob from "../../resource/TopicGlob.ts"
import { groupPrefix } from "../Attempt.ts"
import type { Objection } from "../RestorePlan.ts"
import type { GroupsRequest } from "./GroupsRequest.ts"

/** A group that was asked for, with what the backup knows of it. */
export interface SelectedGroup {
  readonly groupId: string
  /** Absent: the backup has no such group. */
  readonly inBackup: PlannedGroup | undefined
}

/** The cluster that a backup names as its source: by the name in its spec, or by its id. */
const sources = ({ facts, manifest }: BackupSet): ReadonlyArray<string> => [
  ...new Set(
    [manifest.source_cluster_id, facts?.settings.sourceClusterId, facts?.clusterId].filter(
      (name): name is string => typeof name === "string" && name !== ""
    )
  )
]

/** A backup of another cluster is refused; one that names no cluster is not. */
const sourceObjections = (set: BackupSet, sourceCluster: string | undefined): ReadonlyArray<Objection> => {
  const known = sources(set)
  if (sourceCluster === undefined || known.length === 0 || known.includes(sourceCluster)) return []
  return [
    {
      reason: "OtherSourceCluster",
      message: `backup ${set.backupId} is of cluster ${known[0]}, and offsetReset.sourceCluster is ${sourceCluster}`,
      advice: `choose a backup of ${sourceCluster}, or write ${known[0]} as sourceCluster`
    }
  ]
}

/**
 * The groups that a request names, in alphabetical order, and what stands against it. `snapshot`: the groups of the
 * backup, undefined if it has none because the run could not read them.
 */
export const select = (
  set: BackupSet,
  snapshot: ReadonlyArray<PlannedGroup> | undefined,
  request: GroupsRequest
): { readonly groups: ReadonlyArray<SelectedGroup>; readonly objections: ReadonlyArray<Objection> } => {
  const objections: Array<Objection> = [...sourceObjections(set, request.sourceCluster)]
  const isExact = request.strategy._tag === "Exact"
  const known = new Map((snapshot ?? []).map((group) => [group.groupId, group]))
  const needsSnapshot = isExact || request.groups.some(TopicGlob.isWildcard)
  if (snapshot === undefined && needsSnapshot) {
    objections.push({
      reason: "GroupsNotInBackup",
      message: `backup ${set.backupId} has no offsets of consumer groups: its run was not allowed to read them`,
      advice: "choose another backup, or name the groups and choose another strategy of offsetReset"
    })
    return { groups: [], objections }
  }
  const selected = new Map<string, SelectedGroup>()
  for (const pattern of request.groups) {
    const found = TopicGlob.isWildcard(pattern)
      ? [...known.keys()].filter((id) => TopicGlob.matches(pattern, id) && !id.startsWith(groupPrefix))
      : [pattern]
    for (const groupId of found) selected.set(groupId, { groupId, inBackup: known.get(groupId) })
    if (TopicGlob.isWildcard(pattern) || known.has(pattern) || !isExact) continue
    const near = nearest(pattern, [...known.keys()])
    objections.push({
      reason: "GroupsNotInBackup",
      message: `backup ${set.backupId} has no offsets of consumer group ${pattern}`,
      advice:
        near === undefined
          ? `choose groups of the backup: ${listed([...known.keys()])}`
          : `did you mean ${near}? Groups of the backup: ${listed([...known.keys()])}`
    })
  }
  const groups = [...selected.values()].toSorted((a, b) => (a.groupId < b.groupId ? -1 : 1))
  return { groups, objections }
}

const listed = (names: ReadonlyArray<string>) =>
  names.length === 0
    ? "it has none"
    : names.length <= 10
      ? names.join(", ")
      : `${names.slice(0, 10).join(", ")} and ${names.length - 10} more`
