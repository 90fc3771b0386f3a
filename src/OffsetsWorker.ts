import { Clock, Deferred, Effect, Exit, type Scope } from "effect"
import * as OffsetSpec from "./identity/OffsetSpec.ts"
import type { KafkaError } from "./kafka/KafkaError.ts"
import { KafkaSinks, type KafkaSinkShape } from "./kafka/KafkaSink.ts"
import type { KafkaClusterSpec } from "./resource/KafkaClusterSpec.ts"
import type { KafkaOffsetRollback } from "./resource/OffsetResource.ts"
import type { StorageSpec } from "./resource/StorageSpec.ts"
import type { GroupOutcome, WantedGroup } from "./restore/groups/GroupOutcome.ts"
import { OffsetsDiffer } from "./restore/groups/OffsetErrors.ts"
import * as OffsetReporting from "./restore/groups/OffsetReporting.ts"
import * as GroupStep from "./restore/GroupStep.ts"
import * as ResetWork from "./restore/groups/ResetWork.ts"
import * as SetOffsets from "./restore/groups/SetOffsets.ts"
import * as Snapshots from "./restore/groups/Snapshots.ts"
import * as StoredOffsets from "./restore/groups/StoredOffsets.ts"
import * as StoredWork from "./restore/groups/StoredWork.ts"
import * as UnknownGroups from "./restore/groups/UnknownGroups.ts"
import type * as RestoreProgress from "./restore/RestoreProgress.ts"
import type { Secrets } from "./secrets/MountedSecrets.ts"
import * as GuardedObjectStore from "./storage/GuardedObjectStore.ts"
import { ObjectStores, type ObjectStoreShape } from "./storage/ObjectStore.ts"
import type { ObjectStoreError } from "./storage/ObjectStoreError.ts"
import * as Connections from "./worker/Connections.ts"
import * as SecretPatience from "./worker/SecretPatience.ts"
import type { WorkerError } from "./worker/WorkerError.ts"

/* What a pod does that works on the offsets of consumer groups, without a process. Ports come from the context. */

export interface OffsetsOptions {
  /** Claims are mounted as `{volumes}/{claim name}`. */
  readonly volumes: string | undefined
  /** How long the work waits for a Secret that is missing or unusable, in milliseconds; 0 fails at once. */
  readonly secretPatienceMillis: number
}

/** Opens the cluster whose groups are meant, for as long as the scope lasts. */
export const openSink = Effect.fnUntraced(function* (
  cluster: KafkaClusterSpec
): Effect.fn.Return<KafkaSinkShape, KafkaError | WorkerError, Secrets | KafkaSinks | Scope.Scope> {
  return yield* (yield* KafkaSinks).open(yield* Connections.kafka(cluster))
})

/** Opens the store of snapshots, for as long as the scope lasts. */
export const openStore = Effect.fnUntraced(function* (
  storage: StorageSpec,
  volumes: string | undefined
): Effect.fn.Return<ObjectStoreShape, ObjectStoreError | WorkerError, Secrets | ObjectStores | Scope.Scope> {
  const target = yield* Connections.storage(storage, volumes)
  return GuardedObjectStore.make(yield* (yield* ObjectStores).open(target), GuardedObjectStore.bounded)
})

/** A manifest as the API server accepts it, or the operator completes it, names both. */
const named = <A>(value: A | undefined, field: string): Effect.Effect<A> =>
  value === undefined ? Effect.die(new Error(`the resource has no ${field}`)) : Effect.succeed(value)

/** Waits until the Secrets of both can be used. */
const awaitSecrets = (
  cluster: KafkaClusterSpec | undefined,
  storage: StorageSpec | undefined,
  progress: RestoreProgress.RestoreProgress,
  { secretPatienceMillis, volumes }: OffsetsOptions
) =>
  SecretPatience.untilUsable(
    Effect.gen(function* () {
      if (cluster !== undefined) yield* Connections.kafka(cluster)
      if (storage !== undefined) yield* Connections.storage(storage, volumes)
    }),
    progress,
    secretPatienceMillis
  )

/** From here on offsets or snapshots change. */
const begin = (context: OffsetReporting.OffsetContext) =>
  Effect.map(Clock.currentTimeMillis, (nowMillis) => {
    context.progress.startedWritingMillis = nowMillis
    context.progress.step = "writing"
  })

/** Failures of single groups stay theirs: a pod that repeated the whole would set groups that have read on. */
const options = ({ log }: OffsetReporting.OffsetContext): SetOffsets.Options => ({ isolatesFailures: true, log })

/** The former offsets are stored first, where they are to be. */
const storing = (
  context: OffsetReporting.OffsetContext,
  { snapshotId }: { readonly snapshotId: string | undefined }
) => {
  if (snapshotId !== undefined) context.snapshotChange = { snapshotId, what: "stored" }
}

interface Prepared<E> {
  readonly groups: ReadonlyArray<WantedGroup>
  readonly snapshotId: string | undefined
  readonly check: Effect.Effect<void, E>
  readonly store: Effect.Effect<void, E>
  readonly set: Effect.Effect<GroupOutcome, E>
}

/** Sets the groups, or says in a dry run what would be set. */
const setAll = Effect.fnUntraced(function* <E>(
  context: OffsetReporting.OffsetContext,
  sink: KafkaSinkShape,
  { check, groups, set, snapshotId, store }: Prepared<E>
) {
  if (context.isDryRun) {
    yield* check
    context.notes.push(...OffsetReporting.planned(groups, yield* SetOffsets.obstacles(sink, groups), snapshotId))
    return
  }
  yield* begin(context)
  yield* store
  context.snapshotId = snapshotId
  context.groupIds = groups.map(({ groupId }) => groupId)
  const outcome = yield* set
  context.outcome = outcome
  const { groupsReset, groupsSkipped } = outcome
  if (groupsReset.length + groupsSkipped.length === 0) context.notes.push("no consumer group matches")
  const left = OffsetReporting.left(outcome)
  if (left !== undefined) return yield* left
})

/** Most differences that a message names. */
const maxExamples = 5

const rollback = Effect.fnUntraced(function* (
  resource: KafkaOffsetRollback,
  choice: OffsetSpec.GroupChoice,
  context: OffsetReporting.OffsetContext,
  { volumes }: OffsetsOptions
) {
  const { consumerGroups: groups, operation, parallelism, snapshotId, topics, verify } = resource.spec
  const store = yield* openStore(yield* named(resource.spec.storage, "storage"), volumes)
  context.snapshotId = snapshotId
  if (operation === "delete") {
    context.snapshotChange = { snapshotId, what: "deleted" }
    yield* begin(context)
    return yield* Snapshots.remove(store, snapshotId)
  }
  const sink = yield* openSink(yield* named(resource.spec.kafkaCluster, "kafkaCluster"))
  const systems = { sink, store }
  if (operation === "snapshot") {
    context.snapshotChange = { snapshotId, what: "stored" }
    yield* begin(context)
    const stored = yield* StoredWork.store(systems, resource)
    context.notes.push(OffsetReporting.stored(stored))
    return
  }
  const stored = yield* StoredWork.part(systems, { snapshotId, groups, topics })
  if (operation === "verify") {
    const found = yield* StoredOffsets.differences(sink, stored)
    if (found.length === 0) return
    const differs = new OffsetsDiffer({
      snapshotId,
      differences: found.length,
      examples: found.slice(0, maxExamples).map(OffsetReporting.difference)
    })
    if (verify?.strict !== false) return yield* differs
    context.notes.push(differs.message)
    return
  }
  const wanted = yield* StoredOffsets.wanted(sink, stored)
  context.notes.push(...wanted.missing.map((topic) => `topic ${topic} does not exist any more`))
  const left = OffsetSpec.chosen(choice, wanted.groups)
  const set = SetOffsets.setOffsets(sink, left, StoredWork.nothingStored, {
    concurrency: parallelism,
    ...options(context)
  })
  yield* setAll(context, sink, { groups: left, snapshotId, check: Effect.void, store: Effect.void, set })
})

/** Does what the resource says, for the groups of the choice. Fills `context` as it goes. */
export const attempt = Effect.fn("OffsetsWorker.attempt")(function* (
  { choice, resource }: OffsetSpec.OffsetSpec,
  context: OffsetReporting.OffsetContext,
  given: OffsetsOptions
) {
  const { progress } = context
  const choose: ResetWork.Choose<never> = (groups) => Effect.succeed(OffsetSpec.chosen(choice, groups))
  const cluster = resource.kind === "KafkaRestore" ? resource.spec.targetCluster : resource.spec.kafkaCluster
  const { storage } = resource.spec
  yield* awaitSecrets(cluster, storage, progress, given)
  progress.step = "checking"
  switch (resource.kind) {
    case "KafkaRestore": {
      const systems = {
        sink: yield* openSink(resource.spec.targetCluster),
        store: yield* openStore(yield* named(resource.spec.storage, "storage"), given.volumes)
      }
      const prepared = yield* GroupStep.prepare(systems, resource, choose, options(context))
      storing(context, prepared)
      yield* setAll(context, systems.sink, prepared)
      break
    }
    case "KafkaOffsetReset": {
      context.isDryRun = resource.spec.dryRun
      const sink = yield* openSink(resource.spec.kafkaCluster)
      const isStoring = resource.spec.createSnapshot && storage !== undefined
      const store = isStoring ? yield* openStore(storage, given.volumes) : undefined
      const prepared = yield* ResetWork.ofCluster({ sink, store }, resource, choose, options(context))
      context.notes.push(...(yield* UnknownGroups.notes(sink, resource.spec.consumerGroups, prepared.groups)))
      storing(context, prepared)
      yield* setAll(context, sink, prepared)
      break
    }
    case "KafkaOffsetRollback":
      yield* rollback(resource, choice, context, given)
  }
  progress.step = "done"
}, Effect.scoped)

/** Works on offsets until the end or `stop`, and returns the summary that its pod reports. */
export const run = Effect.fn("OffsetsWorker.run")(function* (
  spec: OffsetSpec.OffsetSpec,
  progress: RestoreProgress.RestoreProgress,
  { stop, ...given }: OffsetsOptions & { readonly stop: Deferred.Deferred<void> }
) {
  const context = OffsetReporting.context(yield* Clock.currentTimeMillis, progress)
  const exit: Exit.Exit<void, unknown> = yield* Effect.exit(
    attempt(spec, context, given).pipe(Effect.raceFirst(Effect.andThen(Deferred.await(stop), Effect.interrupt)))
  )
  const settled = OffsetReporting.settled(context, exit)
  return OffsetReporting.summary(context, yield* Clock.currentTimeMillis, settled)
})
