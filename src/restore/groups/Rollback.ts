import { createHash } from "node:crypto"
import { Clock, Effect } from "effect"
import { isSameOwner, type Owner, ownerKey } from "../../identity/RunIdentity.ts"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import * as BackupKeys from "../../manifest/BackupKeys.ts"
import * as OffsetSnapshot from "../../manifest/OffsetSnapshot.ts"
import type { PlannedGroup } from "../../manifest/RunPlan.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import * as Cut from "../Cut.ts"
import type { Objection } from "../RestorePlan.ts"
import type { RollbackRequest } from "./GroupsRequest.ts"

/** The id of a snapshot that has no name of its own: one for each resource. */
export const snapshotIdOf = ({ snapshotId }: RollbackRequest, owner: Owner): string => {
  if (snapshotId !== undefined) return snapshotId
  const unique = owner.uid ?? createHash("sha256").update(ownerKey(owner)).digest("hex")
  return `${owner.name}-${unique.slice(0, 8)}`
}

/** What a snapshot is taken for. */
export interface Purpose {
  readonly owner: Owner
  /** Digest of the restore's plan; absent where it is not for a restore. */
  readonly plan?: string
  /** The groups that are going to be changed. */
  readonly groupIds: ReadonlyArray<string>
  /** Of the cluster whose offsets they are, where it has one. */
  readonly clusterId: string | undefined
}

/** Whether an earlier attempt of the same work has stored it: it is then from before the first change. */
export const isOfSameWork = (
  snapshot: OffsetSnapshot.OffsetSnapshot,
  { clusterId, owner, plan }: Omit<Purpose, "groupIds">
): boolean =>
  plan !== undefined &&
  snapshot.plan === plan &&
  isSameOwner(snapshot.owner, owner) &&
  (snapshot.clusterId === undefined || clusterId === undefined || snapshot.clusterId === clusterId)

/**
 * Whether an earlier attempt of the same work has stored it, with all of the groups: it stays. For anything else it is
 * too old, or of other groups: going back to it would not give what there is now.
 */
export const isKept = (snapshot: OffsetSnapshot.OffsetSnapshot, purpose: Purpose): boolean => {
  const stored = new Set(snapshot.groups.map(({ groupId }) => groupId))
  return isOfSameWork(snapshot, purpose) && purpose.groupIds.every((groupId) => stored.has(groupId))
}

const taken = (
  { owner, takenMillis }: OffsetSnapshot.OffsetSnapshot,
  snapshotId: string,
  location: string,
  purpose: Purpose
): Objection => {
  if (!isSameOwner(owner, purpose.owner)) {
    return {
      reason: "SnapshotTaken",
      message: `snapshot ${snapshotId} in ${location} belongs to ${ownerName(owner)}`,
      advice: "choose another snapshotId"
    }
  }
  const whatFor =
    purpose.plan === undefined
      ? ""
      : " for another backup, cluster, groups or topics, or for other settings of the topics"
  return {
    reason: "SnapshotTaken",
    message: `snapshot ${snapshotId} exists in ${location}: it was stored at ${Cut.time(takenMillis)}${whatFor}`,
    advice: "choose another snapshotId: a snapshot is never overwritten"
  }
}

const ownerName = ({ name, namespace }: Owner) => (namespace === undefined ? name : `${namespace}/${name}`)

/**
 * What stands against storing the snapshot: another one of that id is there, or the store takes none. A test object is
 * written and removed, unless the snapshot of an earlier attempt is there.
 */
export const objections = Effect.fnUntraced(function* (store: ObjectStoreShape, snapshotId: string, purpose: Purpose) {
  const existing = yield* OffsetSnapshot.read(store, snapshotId)
  if (existing !== undefined) {
    return isKept(existing, purpose) ? [] : [taken(existing, snapshotId, store.location, purpose)]
  }
  const test = BackupKeys.preflight(ownerKey(purpose.owner), "offset-snapshot")
  return yield* store.put(test, [Buffer.from("kafka-backup was here\n")]).pipe(
    // A store may protect its objects from removal. The next test then replaces this one, or meets it.
    Effect.andThen(
      Effect.catchIf(
        store.delete(test),
        ({ isRetryable }) => !isRetryable,
        () => Effect.void
      )
    ),
    Effect.as<ReadonlyArray<Objection>>([]),
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.succeed<ReadonlyArray<Objection>>([])),
    Effect.catchTag("ObjectStoreError", (error) =>
      error.isRetryable
        ? Effect.fail(error)
        : Effect.succeed<ReadonlyArray<Objection>>([
            {
              reason: "SnapshotDenied",
              message: `the offsets for a rollback cannot be stored: ${error.message}`,
              advice: `grant permission to write objects below ${BackupKeys.commonFolder}/, or do without the snapshot`
            }
          ])
    )
  )
})

/** What a group has committed in `topics`. */
export const offsetsIn = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  groupId: string,
  topics: ReadonlySet<string>
) {
  const committed = yield* sink.committedOffsets(groupId)
  return committed
    .filter(({ topic }) => topics.has(topic))
    .map(({ metadata, ...offset }) => ({ ...offset, ...(metadata === "" ? {} : { metadata }) }))
})

/**
 * Stores what the groups have committed in `topics` now. False: a snapshot of that id is there, and stays as it is.
 */
export const take = Effect.fn("Rollback.take")(function* (
  { sink, store }: { readonly sink: KafkaSinkShape; readonly store: ObjectStoreShape },
  snapshotId: string,
  { owner, plan }: Pick<Purpose, "owner" | "plan">,
  groupIds: ReadonlyArray<string>,
  topics: ReadonlyArray<string>
) {
  const types = new Map((yield* sink.groups).map(({ groupId, type }) => [groupId, type]))
  const wanted = new Set(topics)
  const groups = yield* Effect.forEach(
    groupIds,
    (groupId) =>
      Effect.map(offsetsIn(sink, groupId, wanted), (offsets): PlannedGroup => {
        const type = types.get(groupId)
        return { groupId, ...(type === undefined ? {} : { type }), offsets }
      }),
    { concurrency: 8 }
  )
  const clusterId = yield* sink.clusterId
  return yield* OffsetSnapshot.create(store, {
    snapshotId,
    takenMillis: yield* Clock.currentTimeMillis,
    owner,
    ...(plan === undefined ? {} : { plan }),
    ...(clusterId === undefined ? {} : { clusterId }),
    topics,
    groups
  })
})
