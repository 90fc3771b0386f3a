import { Effect, Schema } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import { KafkaSinks } from "../kafka/KafkaSink.ts"
import * as OffsetSnapshot from "../manifest/OffsetSnapshot.ts"
import type { KafkaClusterSpec } from "../resource/KafkaClusterSpec.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import type { Metadata } from "../resource/Metadata.ts"
import type { KafkaOffsetReset } from "../resource/OffsetResource.ts"
import type { StorageSpec } from "../resource/StorageSpec.ts"
import * as ClusterGroups from "../restore/groups/ClusterGroups.ts"
import * as Groups from "../restore/groups/Groups.ts"
import * as GroupsRequest from "../restore/groups/GroupsRequest.ts"
import * as Rollback from "../restore/groups/Rollback.ts"
import * as SetOffsets from "../restore/groups/SetOffsets.ts"
import * as WantedOffsets from "../restore/groups/WantedOffsets.ts"
import * as Restore from "../restore/Restore.ts"
import * as SpecRequest from "../restore/SpecRequest.ts"
import * as GuardedObjectStore from "../storage/GuardedObjectStore.ts"
import { ObjectStores, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Connections from "../worker/Connections.ts"
import * as Resource from "./Resource.ts"
import * as RestoreSource from "./RestoreSource.ts"
import { UsageError } from "./UsageError.ts"

/** What the offsets commands do, without what they print. */

/** Offsets cannot be set or stored as the manifest says; none was changed. */
export class OffsetsRefused extends Schema.TaggedError<OffsetsRefused>()("OffsetsRefused", {
  problems: Schema.Array(Schema.String),
  advice: Schema.String
}) {
  override get message() {
    return `no offset was changed: ${this.problems.join("; ")}`
  }
  readonly exitCode = exitCodes.targetUnusable
}

/** There is no such snapshot. */
export class SnapshotNotFound extends Schema.TaggedError<SnapshotNotFound>()("SnapshotNotFound", {
  snapshotId: Schema.String,
  location: Schema.String
}) {
  override get message() {
    return `there is no snapshot ${this.snapshotId} in ${this.location}`
  }
  readonly advice = "check snapshotId and the prefix of the storage"
  readonly exitCode = exitCodes.notFound
}

export const refused = (objections: ReadonlyArray<{ readonly message: string; readonly advice: string }>) =>
  new OffsetsRefused({
    problems: objections.map(({ message }) => message),
    advice: objections.map(({ advice }) => advice).join("; ")
  })

export const ownerOf = ({ name, namespace, uid }: Metadata): Owner => ({
  ...(uid === undefined ? {} : { uid }),
  ...(namespace === undefined ? {} : { namespace }),
  name
})

export const openSink = Effect.fnUntraced(function* (cluster: KafkaClusterSpec, directories: Resource.Directories) {
  const target = yield* Connections.kafka(cluster).pipe(Effect.provide(Resource.secretsLayer(directories)))
  return yield* (yield* KafkaSinks).open(target)
})

export const openStore = Effect.fnUntraced(function* (storage: StorageSpec, directories: Resource.Directories) {
  yield* Resource.assertDirectories({ spec: { storage } }, directories)
  const target = yield* Connections.storage(storage, directories.volumes).pipe(
    Effect.provide(Resource.secretsLayer(directories))
  )
  return GuardedObjectStore.make(yield* (yield* ObjectStores).open(target), GuardedObjectStore.bounded)
})

/** Reads a snapshot that must be there, and that was taken of this cluster. */
export const readSnapshot = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  store: ObjectStoreShape,
  snapshotId: string
) {
  const snapshot = yield* OffsetSnapshot.read(store, snapshotId)
  if (snapshot === undefined) return yield* new SnapshotNotFound({ snapshotId, location: store.location })
  const clusterId = yield* sink.clusterId
  if (snapshot.clusterId !== undefined && clusterId !== undefined && snapshot.clusterId !== clusterId) {
    return yield* new OffsetsRefused({
      problems: [`snapshot ${snapshotId} was taken of cluster ${snapshot.clusterId}, and this is cluster ${clusterId}`],
      advice: "give the bootstrap servers of the cluster that the snapshot was taken of"
    })
  }
  return snapshot
})

/** Stores the offsets of groups. An existing snapshot is refused, also one of the same resource. */
export const takeSnapshot = Effect.fnUntraced(function* (
  systems: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape },
  snapshotId: string,
  owner: Owner,
  groupIds: ReadonlyArray<string>,
  topics: ReadonlyArray<string>
) {
  const clusterId = yield* systems.sink.clusterId
  const existing = yield* Rollback.objections(systems.store, snapshotId, { owner, groupIds, clusterId })
  if (existing.length > 0) return yield* refused(existing)
  if (yield* Rollback.take(systems, snapshotId, { owner }, groupIds, topics)) return
  return yield* new OffsetsRefused({
    problems: [`snapshot ${snapshotId} exists in ${systems.store.location}`],
    advice: "choose another snapshotId: a snapshot is never overwritten"
  })
})

/** The groups that the command line names, or all of the manifest. */
const only = Effect.fnUntraced(function* <A extends { readonly groupId: string }>(
  groups: ReadonlyArray<A>,
  names: ReadonlyArray<string>
) {
  if (names.length === 0) return groups
  const unknown = names.filter((name) => groups.every(({ groupId }) => groupId !== name))
  if (unknown.length > 0) {
    return yield* new UsageError({
      detail: `consumerGroups of the manifest selects no group ${unknown.join(", ")}`,
      advice:
        "give --group for groups that consumerGroups selects; of a restore, a pattern selects groups with offsets in its topics"
    })
  }
  return groups.filter(({ groupId }) => names.includes(groupId))
})

const noTopics = (missing: ReadonlyArray<string>, advice: string) =>
  new OffsetsRefused({ problems: missing.map((topic) => `topic ${topic} does not exist`), advice })

/** The reset of a KafkaOffsetReset: what the groups are to have, and how it is stored and set. */
export const resetOf = Effect.fnUntraced(function* (
  { metadata, spec }: KafkaOffsetReset,
  directories: Resource.Directories,
  names: ReadonlyArray<string>
) {
  const sink = yield* openSink(spec.kafkaCluster, directories)
  const strategy = GroupsRequest.clusterStrategy(spec)
  const selected = yield* ClusterGroups.select(sink, spec.consumerGroups)
  const groupIds = (yield* only(
    selected.map((groupId) => ({ groupId })),
    names
  )).map(({ groupId }) => groupId)
  const { groups, missing } = yield* ClusterGroups.wanted(sink, groupIds, spec.topics, strategy)
  if (missing.length > 0) return yield* noTopics(missing, "correct spec.topics, or create the topics")
  const owner = ownerOf(metadata)
  const set = SetOffsets.setOffsets(sink, groups, "it has no committed offsets, and spec.topics names no topic for it")
  if (!spec.createSnapshot || spec.storage === undefined) {
    return { groups, snapshotId: undefined, store: Effect.void, set }
  }
  const store = yield* openStore(spec.storage, directories)
  const snapshotId = Rollback.snapshotIdOf(spec.snapshotId === undefined ? {} : { snapshotId: spec.snapshotId }, owner)
  const topics = [...new Set(groups.flatMap(({ offsets }) => offsets.map(({ topic }) => topic)))]
  const take = takeSnapshot({ sink, store }, snapshotId, owner, groupIds, topics)
  return { groups, snapshotId, store: take, set }
})

/** The last step of a restore by itself: for groups that were active when it completed. */
export const resetOfRestore = Effect.fnUntraced(function* (
  resource: KafkaRestore,
  directories: Resource.Directories,
  names: ReadonlyArray<string>
) {
  yield* RestoreSource.assertNamed(resource)
  const request = SpecRequest.request(resource)
  const store = yield* openStore(yield* RestoreSource.storageOf(resource), directories)
  const sink = yield* openSink(resource.spec.targetCluster, directories)
  const systems = { sink, store }
  const { plan, set: backup } = yield* Restore.planOf(store, request)
  const { missing } = yield* ClusterGroups.existing(
    sink,
    plan.topics.map(({ target }) => target)
  )
  if (missing.length > 0) return yield* noTopics(missing, "restore first: kafka-backup restore -f FILE")
  const { objections, prepared } = yield* Groups.prepare(systems, request, backup, plan)
  if (objections.length > 0) return yield* refused(objections)
  const { groups: selected, snapshotId, strategy } = prepared!
  const wanted = yield* WantedOffsets.of(systems, plan, yield* only(selected, names), strategy!)
  const { ends, starts } = yield* SetOffsets.bounds(
    sink,
    wanted.flatMap(({ offsets }) => offsets)
  )
  const groups = wanted.map((group) => ({ ...group, offsets: SetOffsets.clamped(group.offsets, starts, ends) }))
  const kept = Groups.remember(systems, request, plan, prepared)
  return {
    groups,
    snapshotId,
    store: kept,
    set: SetOffsets.setOffsets(sink, groups, Groups.nothingInBackup)
  }
})
