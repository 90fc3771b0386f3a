import { Effect } from "effect"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as GroupsSnapshot from "../manifest/GroupsSnapshot.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { groupPrefix } from "./Attempt.ts"
import { isSelected } from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"

/** Most groups that the note names. */
const mostNamed = 5

/** Groups of restores and drills hold what they remember, no positions of consumers. */
const isOurs = (groupId: string): boolean => groupId.startsWith(groupPrefix)

/**
 * A note where the backup holds offsets of consumer groups in the restored topics and the restore is not asked to set
 * them: brokers forget offsets together with a topic, so these groups begin anew. A list of groups that cannot be read
 * is no reason not to restore records.
 */
export const notes = Effect.fn("GroupsWithoutReset.notes")(function* (
  store: ObjectStoreShape,
  request: RestoreRequest,
  { backupId }: BackupSet
) {
  if (request.groups !== undefined) return []
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
