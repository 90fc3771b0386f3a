import { Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as ClusterGroups from "./groups/ClusterGroups.ts"
import * as Groups from "./groups/Groups.ts"
import { refused } from "./groups/OffsetErrors.ts"
import { type Choose, noTopics } from "./groups/ResetWork.ts"
import * as SetOffsets from "./groups/SetOffsets.ts"
import * as WantedOffsets from "./groups/WantedOffsets.ts"
import * as Restore from "./Restore.ts"
import * as SpecRequest from "./SpecRequest.ts"

/**
 * Prepares the last step of a restore by itself, for groups that were active when it completed: everything is asked,
 * and nothing changed.
 */
export const prepare = Effect.fn("GroupStep.prepare")(function* <E>(
  systems: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape },
  resource: KafkaRestore,
  choose: Choose<E>,
  options: SetOffsets.Options = {}
) {
  const { sink, store } = systems
  const request = SpecRequest.request(resource)
  const { plan, set: backup } = yield* Restore.planOf(store, request)
  const { missing } = yield* ClusterGroups.existing(
    sink,
    plan.topics.map(({ target }) => target)
  )
  if (missing.length > 0) return yield* noTopics(missing, "restore first: kafka-backup restore -f FILE")
  const { objections, prepared } = yield* Groups.prepare(systems, request, backup, plan)
  if (objections.length > 0) return yield* refused(objections)
  const { groups: selected, snapshotId, strategy } = prepared!
  const wanted = yield* WantedOffsets.of(systems, plan, yield* choose(selected), strategy!)
  const { ends, starts } = yield* SetOffsets.bounds(
    sink,
    wanted.flatMap(({ offsets }) => offsets)
  )
  const groups = wanted.map((group) => ({ ...group, offsets: SetOffsets.clamped(group.offsets, starts, ends) }))
  return {
    groups,
    snapshotId,
    // Groups.prepare has asked it.
    check: Effect.void,
    store: Groups.remember(systems, request, plan, prepared),
    set: SetOffsets.setOffsets(sink, groups, Groups.nothingInBackup, options)
  }
})
