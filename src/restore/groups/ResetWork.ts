import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { KafkaOffsetReset } from "../../resource/OffsetResource.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import * as SpecRequest from "../SpecRequest.ts"
import * as ClusterGroups from "./ClusterGroups.ts"
import * as GroupsRequest from "./GroupsRequest.ts"
import { OffsetsRefused } from "./OffsetErrors.ts"
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
  const { groups, missing } = yield* ClusterGroups.wanted(sink, groupIds, spec.topics, strategy)
  if (missing.length > 0) return yield* noTopics(missing, "correct spec.topics, or create the topics")
  const nothing = "it has no committed offsets, and spec.topics names no topic for it"
  const set = SetOffsets.setOffsets(sink, groups, nothing, { concurrency: spec.parallelism, ...options })
  if (!spec.createSnapshot || store === undefined) {
    return { groups, snapshotId: undefined, check: Effect.void, store: Effect.void, set }
  }
  const owner = SpecRequest.owner({ metadata })
  const snapshotId = Rollback.snapshotIdOf(spec.snapshotId === undefined ? {} : { snapshotId: spec.snapshotId }, owner)
  const topics = [...new Set(groups.flatMap(({ offsets }) => offsets.map(({ topic }) => topic)))]
  const purpose = { owner, ...planOf(resource), groupIds }
  return {
    groups,
    snapshotId,
    check: Snapshots.assertFree({ sink, store }, snapshotId, purpose),
    store: Snapshots.take({ sink, store }, snapshotId, purpose, topics),
    set
  }
})
