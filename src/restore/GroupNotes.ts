import { Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as GroupsSnapshot from "../manifest/GroupsSnapshot.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { groupPrefix } from "./Attempt.ts"
import type { PreparedGroups } from "./groups/Groups.ts"
import * as SetOffsets from "./groups/SetOffsets.ts"
import { isSelected } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/** Most groups that the note names. */
const mostNamed = 5

/** Groups of restores and drills hold what they remember, no positions of consumers. */
const isOurs = (groupId: string): boolean => groupId.startsWith(groupPrefix)

/**
 * The groups of the backup with offsets in the restored topics, where the restore is not asked to set them: brokers
 * forget offsets together with a topic, so these groups begin anew. A list of groups that cannot be read is no reason
 * not to restore records.
 */
const withoutReset = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  request: RestoreRequest,
  { backupId }: BackupSet
) {
  const snapshot = yield* GroupsSnapshot.read(store, backupId).pipe(
    Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
  )
  const names = (snapshot ?? [])
    .filter(
      ({ groupId, offsets }) =>
        !isOurs(groupId) && offsets.some(({ partition, topic }) => isSelected(request, topic, partition))
    )
    .map(({ groupId }) => groupId)
    .toSorted()
  if (names.length === 0) return []
  const named =
    names.length <= mostNamed
      ? names.join(", ")
      : `${names.slice(0, mostNamed).join(", ")} and ${names.length - mostNamed} more`
  return [
    `the backup holds offsets of consumer groups in these topics: ${named}. Without offsetReset the restore does not set them`
  ]
})

/** The groups that could not be set now. A group may lose its members, or get some, until its turn comes. */
const notNow = (sink: KafkaSinkShape, groups: PreparedGroups) =>
  Effect.map(SetOffsets.obstacles(sink, groups.groups), (found) =>
    found.map(({ group, reason }) => `consumer group ${group} would be left as it is now: ${reason}`)
  )

/** What is to be known beforehand of the consumer groups of a backup. */
export const beforehand = (
  { sink, store }: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape },
  request: RestoreRequest,
  set: BackupSet,
  groups: PreparedGroups | undefined
) => {
  if (request.groups === undefined) return withoutReset(store, request, set)
  return groups === undefined ? Effect.succeed([]) : notNow(sink, groups)
}
