import { Effect } from "effect"
import type { KafkaClusterSpec } from "../resource/KafkaClusterSpec.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import type { KafkaOffsetReset, KafkaOffsetRollback } from "../resource/OffsetResource.ts"
import type { StorageSpec } from "../resource/StorageSpec.ts"
import * as GroupStep from "../restore/GroupStep.ts"
import * as ResetWork from "../restore/groups/ResetWork.ts"
import * as Rollback from "../restore/groups/Rollback.ts"
import type * as SetOffsets from "../restore/groups/SetOffsets.ts"
import * as StoredWork from "../restore/groups/StoredWork.ts"
import * as UnknownGroups from "../restore/groups/UnknownGroups.ts"
import * as SpecRequest from "../restore/SpecRequest.ts"
import * as OffsetsWorker from "../OffsetsWorker.ts"
import * as Resource from "./Resource.ts"
import * as RestoreSource from "./RestoreSource.ts"
import { UsageError } from "./UsageError.ts"

/** What the offsets commands do, without what they print. */

export const openSink = (cluster: KafkaClusterSpec, directories: Resource.Directories) =>
  OffsetsWorker.openSink(cluster).pipe(Effect.provide(Resource.secretsLayer(directories)))

export const openStore = Effect.fnUntraced(function* (storage: StorageSpec, directories: Resource.Directories) {
  yield* Resource.assertDirectories({ spec: { storage } }, directories)
  return yield* OffsetsWorker.openStore(storage, directories.volumes).pipe(
    Effect.provide(Resource.secretsLayer(directories))
  )
})

/** Only the operator can look for a KafkaRestore that names the snapshot. */
const storageOf = ({ spec: { snapshotId, storage } }: KafkaOffsetRollback) =>
  storage === undefined
    ? Effect.fail(
        new UsageError({
          detail: `the manifest does not say where snapshot ${snapshotId} is stored`,
          advice: "add spec.storage: that of the KafkaRestore or KafkaOffsetReset that stored the snapshot"
        })
      )
    : Effect.succeed(storage)

export const openStoreOf = (resource: KafkaOffsetRollback, directories: Resource.Directories) =>
  Effect.flatMap(storageOf(resource), (storage) => openStore(storage, directories))

export const openSinkOf = ({ spec: { kafkaCluster } }: KafkaOffsetRollback, directories: Resource.Directories) =>
  kafkaCluster === undefined
    ? Effect.fail(
        new UsageError({
          detail: "the manifest does not say which Kafka cluster the groups are in",
          advice: "add spec.kafkaCluster with bootstrapServers"
        })
      )
    : openSink(kafkaCluster, directories)

/** Fails for what the operator adds to a resource, or a cluster mounts, where a manifest lacks it. */
export const assertWhole = Effect.fnUntraced(function* (
  resource: KafkaOffsetReset | KafkaOffsetRollback,
  directories: Resource.Directories
) {
  if (resource.kind === "KafkaOffsetRollback") yield* storageOf(resource)
  const { storage } = resource.spec
  if (storage !== undefined) yield* Resource.assertDirectories({ spec: { storage } }, directories)
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

/** The reset of a KafkaOffsetReset: what the groups are to have, and how it is stored and set. */
export const resetOf = Effect.fnUntraced(function* (
  resource: KafkaOffsetReset,
  directories: Resource.Directories,
  names: ReadonlyArray<string>,
  options: SetOffsets.Options
) {
  const { consumerGroups, createSnapshot, kafkaCluster, storage } = resource.spec
  const sink = yield* openSink(kafkaCluster, directories)
  const store = createSnapshot && storage !== undefined ? yield* openStore(storage, directories) : undefined
  const prepared = yield* ResetWork.ofCluster({ sink, store }, resource, (groups) => only(groups, names), options)
  return { ...prepared, notes: yield* UnknownGroups.notes(sink, consumerGroups, prepared.groups) }
})

/** The last step of a restore by itself: for groups that were active when it completed. */
export const resetOfRestore = Effect.fnUntraced(function* (
  resource: KafkaRestore,
  directories: Resource.Directories,
  names: ReadonlyArray<string>,
  options: SetOffsets.Options
) {
  yield* RestoreSource.assertNamed(resource)
  const store = yield* openStore(yield* RestoreSource.storageOf(resource), directories)
  const sink = yield* openSink(resource.spec.targetCluster, directories)
  const prepared = yield* GroupStep.prepare({ sink, store }, resource, (groups) => only(groups, names), options)
  return { ...prepared, notes: [] }
})

/** The snapshot that a manifest names, and the part of it that is meant. */
export const storedOf = Effect.fnUntraced(function* (
  resource: KafkaOffsetRollback | KafkaRestore,
  directories: Resource.Directories
) {
  if (resource.kind === "KafkaOffsetRollback") {
    const { consumerGroups: groups, snapshotId, topics } = resource.spec
    const store = yield* openStoreOf(resource, directories)
    const sink = yield* openSinkOf(resource, directories)
    const stored = yield* StoredWork.part({ sink, store }, { snapshotId, groups, topics })
    return { sink, snapshotId, stored }
  }
  const { rollback, targetCluster } = resource.spec
  const snapshotId = Rollback.snapshotIdOf(
    rollback?.snapshotId === undefined ? {} : { snapshotId: rollback.snapshotId },
    SpecRequest.owner(resource)
  )
  const store = yield* openStore(yield* RestoreSource.storageOf(resource), directories)
  const sink = yield* openSink(targetCluster, directories)
  const stored = yield* StoredWork.part({ sink, store }, { snapshotId, groups: undefined, topics: undefined })
  return { sink, snapshotId, stored }
})
