import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { OffsetSnapshot } from "../../manifest/OffsetSnapshot.ts"
import type { KafkaOffsetReset } from "../../resource/OffsetResource.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import * as SpecRequest from "../SpecRequest.ts"
import * as ClusterGroups from "./ClusterGroups.ts"
import * as GroupsRequest from "./GroupsRequest.ts"
import { OffsetsRefused } from "./OffsetErrors.ts"
import type { WantedGroup } from "./GroupOutcome.ts"
import * as Rollback from "./Rollback.ts"
import * as SetOffsets from "./SetOffsets.ts"
import * as Snapshots from "./Snapshots.ts"

/** Prepares the reset of a KafkaOffsetReset: everything is asked, and nothing changed. */

/** Takes some of the groups that a manifest selects. */
export type Choose<E> = <A extends { readonly groupId: string }>(
  groups: ReadonlyArray<A>
) => Effect.Effect<ReadonlyArray<A>, E>

/** Topics that are named, and that do not exist. */
export const noTopics = (missing: ReadonlyArray<string>, advice: string) =>
  new OffsetsRefused({ problems: missing.map((topic) => `topic ${topic} does not exist`), advice })

/** Attempts of one resource and one spec share a snapshot. Without a uid nobody knows whether it is the same one. */
const planOf = ({ metadata: { uid }, spec }: KafkaOffsetReset) => {
  const { dryRun: _dryRun, job: _job, podTemplate: _pod, resources: _resources, ...rest } = spec
  return uid === undefined
    ? {}
    : {
        plan: createHash("sha256")
          .update(JSON.stringify([uid, rest]))
          .digest("hex")
      }
}

/** A group whose former offsets a kept snapshot does not have, so that nothing could bring them back, is left. Pure. */
export const withoutUnstored = (
  groups: ReadonlyArray<ClusterGroups.ChangedGroup>,
  { groups: stored, snapshotId, topics }: OffsetSnapshot
): ReadonlyArray<ClusterGroups.ChangedGroup> => {
  const known = new Set(stored.map(({ groupId }) => groupId))
  const remedy = "reset it with a KafkaOffsetReset of another name, which stores a snapshot of its own"
  const left = ({ groupId, offsets }: ClusterGroups.ChangedGroup): string | undefined => {
    if (!known.has(groupId)) return `snapshot ${snapshotId} was stored without the group: ${remedy}`
    const other = offsets.find(({ topic }) => !topics.includes(topic))?.topic
    return other === undefined
      ? undefined
      : `snapshot ${snapshotId} was stored before the group had offsets in topic ${other}: ${remedy}`
  }
  return groups.map((group) => {
    const reason = left(group)
    return reason === undefined ? group : { ...group, offsets: [], left: reason }
  })
}

/**
 * The reset of a KafkaOffsetReset: what the groups are to have, and how it is checked, stored and set. `store` is
 * undefined where no snapshot is asked for.
 */
export const ofCluster = Effect.fn("ResetWork.ofCluster")(function* <E>(
  { sink, store }: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape | undefined },
  resource: KafkaOffsetReset,
  choose: Choose<E>,
  options: SetOffsets.Options = {}
) {
  const { metadata, spec } = resource
  const strategy = GroupsRequest.clusterStrategy(spec)
  const selected = yield* ClusterGroups.select(sink, spec.consumerGroups)
  const groupIds = (yield* choose(selected.map((groupId) => ({ groupId })))).map(({ groupId }) => groupId)
  const { groups: wanted, missing } = yield* ClusterGroups.wanted(sink, groupIds, spec.topics, strategy)
  if (missing.length > 0) return yield* noTopics(missing, "correct spec.topics, or create the topics")
  const nothing = "it has no committed offsets, and spec.topics names no topic for it"
  const set = (groups: ReadonlyArray<WantedGroup>) =>
    SetOffsets.setOffsets(sink, groups, nothing, { concurrency: spec.parallelism, ...options })
  if (!spec.createSnapshot || store === undefined) {
    return { groups: wanted, snapshotId: undefined, check: Effect.void, store: Effect.void, set: set(wanted) }
  }
  const owner = SpecRequest.owner({ metadata })
  const snapshotId = Rollback.snapshotIdOf(spec.snapshotId === undefined ? {} : { snapshotId: spec.snapshotId }, owner)
  const work = { owner, ...planOf(resource) }
  const kept = yield* Snapshots.ofSameWork({ sink, store }, snapshotId, work)
  const groups = kept === undefined ? wanted : withoutUnstored(wanted, kept)
  const topics = [...new Set(groups.flatMap(({ offsets }) => offsets.map(({ topic }) => topic)))]
  const stored = groups.filter(({ left }) => left === undefined)
  const purpose = { ...work, groupIds: stored.map(({ groupId }) => groupId) }
  return {
    groups,
    snapshotId,
    check: Snapshots.assertFree({ sink, store }, snapshotId, purpose),
    store: Snapshots.take({ sink, store }, snapshotId, purpose, topics),
    set: set(groups)
  }
})
