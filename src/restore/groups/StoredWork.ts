import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { KafkaOffsetRollback } from "../../resource/OffsetResource.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import * as SpecRequest from "../SpecRequest.ts"
import * as ClusterGroups from "./ClusterGroups.ts"
import { refused } from "./OffsetErrors.ts"
import * as Snapshots from "./Snapshots.ts"
import * as StoredOffsets from "./StoredOffsets.ts"

/** What a KafkaOffsetRollback does with a snapshot. */

interface Systems {
  readonly sink: KafkaSinkShape
  readonly store: ObjectStoreShape
}

/** Why nothing is set for a group. */
export const nothingStored = "it had no offset in the topics of the snapshot, and has none"

/** The groups and topics of a snapshot that are meant; absent: all. */
export interface Part {
  readonly snapshotId: string
  readonly groups: ReadonlyArray<string> | undefined
  readonly topics: ReadonlyArray<string> | undefined
}

/** The part of a stored snapshot. A group that is named and not in it is refused. */
export const part = Effect.fn("StoredWork.part")(function* (systems: Systems, { groups, snapshotId, topics }: Part) {
  const stored = StoredOffsets.select(yield* Snapshots.read(systems, snapshotId), groups, topics)
  if (stored.unknown.length === 0) return stored
  return yield* refused(
    stored.unknown.map((group) => ({
      message: `snapshot ${snapshotId} has no consumer group ${group}`,
      advice: "correct spec.consumerGroups; remove it for all groups of the snapshot"
    }))
  )
})

/** Stores the present offsets of the groups and topics that the manifest names. */
export const store = Effect.fn("StoredWork.store")(function* (
  systems: Systems,
  { metadata, spec }: Pick<KafkaOffsetRollback, "metadata" | "spec">
) {
  const groupIds = yield* ClusterGroups.select(systems.sink, spec.consumerGroups ?? [])
  const committed = yield* Effect.forEach(groupIds, systems.sink.committedOffsets, { concurrency: 8 })
  const all = [...new Set(committed.flatMap((offsets) => offsets.map(({ topic }) => topic)))]
  const topics = spec.topics === undefined ? all.toSorted() : ClusterGroups.named(spec.topics, all)
  const owner = SpecRequest.owner({ metadata })
  // A pod that comes after one that was lost finds the snapshot that this one took.
  const plan = metadata.uid === undefined ? {} : { plan: `${metadata.uid}/${metadata.generation ?? 0}` }
  yield* Snapshots.take(systems, spec.snapshotId, { owner, ...plan, groupIds }, topics)
  return { groupIds, topics }
})
