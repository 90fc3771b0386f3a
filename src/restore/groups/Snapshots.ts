import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import * as BackupKeys from "../../manifest/BackupKeys.ts"
import * as OffsetSnapshot from "../../manifest/OffsetSnapshot.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import { OffsetsRefused, refused, SnapshotNotFound } from "./OffsetErrors.ts"
import * as Rollback from "./Rollback.ts"

/** Snapshots of offsets in storage, outside of a restore. */

interface Systems {
  readonly sink: KafkaSinkShape
  readonly store: ObjectStoreShape
}

const found = Effect.fnUntraced(function* (store: ObjectStoreShape, snapshotId: string) {
  const snapshot = yield* OffsetSnapshot.read(store, snapshotId)
  if (snapshot === undefined) return yield* new SnapshotNotFound({ snapshotId, location: store.location })
  return snapshot
})

/** Reads a snapshot that must be there, and that was taken of this cluster. */
export const read = Effect.fnUntraced(function* ({ sink, store }: Systems, snapshotId: string) {
  const snapshot = yield* found(store, snapshotId)
  const clusterId = yield* sink.clusterId
  if (snapshot.clusterId !== undefined && clusterId !== undefined && snapshot.clusterId !== clusterId) {
    return yield* new OffsetsRefused({
      problems: [`snapshot ${snapshotId} was taken of cluster ${snapshot.clusterId}, and this is cluster ${clusterId}`],
      advice: "give the bootstrap servers of the cluster that the snapshot was taken of"
    })
  }
  return snapshot
})

/** What a snapshot is taken for, without the cluster. */
export type Purpose = Omit<Rollback.Purpose, "clusterId">

/** The snapshot that an earlier attempt of the same work has stored; undefined: there is none, or another one. */
export const ofSameWork = Effect.fnUntraced(function* (
  { sink, store }: Systems,
  snapshotId: string,
  purpose: Omit<Purpose, "groupIds">
) {
  const snapshot = yield* OffsetSnapshot.read(store, snapshotId)
  if (snapshot === undefined) return undefined
  return Rollback.isOfSameWork(snapshot, { ...purpose, clusterId: yield* sink.clusterId }) ? snapshot : undefined
})

const existing = Effect.fnUntraced(function* (systems: Systems, snapshotId: string, purpose: Purpose) {
  const whole = { ...purpose, clusterId: yield* systems.sink.clusterId }
  const objections = yield* Rollback.objections(systems.store, snapshotId, whole)
  if (objections.length > 0) return yield* refused(objections)
  const snapshot = yield* OffsetSnapshot.read(systems.store, snapshotId)
  return snapshot !== undefined && Rollback.isKept(snapshot, whole)
})

/** Fails for what stands against storing the snapshot. Stores a test object for a moment, and no snapshot. */
export const assertFree = (systems: Systems, snapshotId: string, purpose: Purpose) =>
  Effect.asVoid(existing(systems, snapshotId, purpose))

/**
 * Stores the offsets of groups. An existing snapshot is refused, also one of the same resource, unless it was taken for
 * the same work (`purpose.plan`): that is from before its first change, and stays.
 */
export const take = Effect.fnUntraced(function* (
  systems: Systems,
  snapshotId: string,
  purpose: Purpose,
  topics: ReadonlyArray<string>
) {
  if (yield* existing(systems, snapshotId, purpose)) return
  if (yield* Rollback.take(systems, snapshotId, purpose, purpose.groupIds, topics)) return
  return yield* new OffsetsRefused({
    problems: [`snapshot ${snapshotId} exists in ${systems.store.location}`],
    advice: "choose another snapshotId: a snapshot is never overwritten"
  })
})

/** Deletes a snapshot that must be there. */
export const remove = Effect.fnUntraced(function* (store: ObjectStoreShape, snapshotId: string) {
  yield* found(store, snapshotId)
  yield* store.delete(BackupKeys.offsetSnapshot(snapshotId), { role: "data" })
})
