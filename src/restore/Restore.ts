import { Clock, Effect } from "effect"
import * as Finishing from "./Finishing.ts"
import * as Groups from "./groups/Groups.ts"
import * as Making from "./Making.ts"
import * as Proving from "./Proving.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import type { Options, Prepared, Restored, Systems } from "./RestoreWork.ts"
import * as RetentionHold from "./RetentionHold.ts"

export { planOf, prepare } from "./Preparation.ts"
export type { Options, Systems } from "./RestoreWork.ts"

/**
 * Carries out what was prepared: creates topics, writes every partition, reads all of it back and compares, then gives
 * the topics their own configuration and the consumer groups their offsets. Completes only if every record was found as
 * the backup has it. What an earlier attempt has proven is neither read nor written again.
 */
export const run = Effect.fn("Restore.run")(function* (
  systems: Systems,
  request: RestoreRequest,
  prepared: Prepared,
  options: Options
) {
  yield* storeFormerOffsets(systems, request, prepared, options)
  const underway = yield* Making.begin(systems, request, prepared, options)
  const proven = yield* Proving.prove(underway)
  const configured = yield* Finishing.configure(underway)
  const groupsSet = yield* Finishing.setGroups(underway, prepared.groups)
  const { journal, plan, targets, unproven } = underway
  const hold = yield* RetentionHold.advance(
    systems.sink,
    systems.source,
    request.owner,
    journal.memory(),
    request.retentionHold
  )
  const accessAdded = yield* Finishing.addAccess(underway, prepared.access)
  return {
    ...prepared,
    ...configured,
    ...groupsSet,
    ...accessAdded,
    plan,
    targets,
    wanted: request.configs,
    // What became of groups that were to be set is known by now.
    groupNotes: request.groups === undefined ? prepared.groupNotes : [],
    records: RestorePlan.records(plan),
    proven,
    wasProven: unproven.length === 0,
    hold,
    isRemembered: journal.isKept(),
    endedMillis: yield* Clock.currentTimeMillis
  } satisfies Restored
}, Effect.scoped)

/** What consumer groups had in the target comes first: the deletion of a topic would forget it. */
const storeFormerOffsets = Effect.fnUntraced(function* (
  systems: Systems,
  request: RestoreRequest,
  { groups, plan }: Prepared,
  options: Options
) {
  yield* Groups.remember(systems, request, plan, groups)
  if (groups?.snapshotId !== undefined) options.onOffsetsStored?.(groups.snapshotId)
})
