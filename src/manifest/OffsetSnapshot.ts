import { createHash } from "node:crypto"
import { Effect, Result, Schema } from "effect"
import { Owner } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import * as GroupsSnapshot from "./GroupsSnapshot.ts"
import type { PlannedGroup } from "./RunPlan.ts"

/**
 * `_kafka-backup/offset-snapshots/{id}.json`: the offsets that groups had in a cluster before they were changed, in the
 * open format of group snapshots with additions.
 */
export interface OffsetSnapshot {
  readonly snapshotId: string
  readonly takenMillis: number
  /** The resource that it was taken for: it alone may rely on it when it goes on. */
  readonly owner: Owner
  /** Digest of the restore's plan; absent where it was not taken for a restore. */
  readonly plan?: string
  /** The id of the cluster, where it has one. */
  readonly clusterId?: string
  /**
   * The topics whose offsets it holds. Where a group has none in one of them, it had none, and going back means to
   * forget what it has by then.
   */
  readonly topics: ReadonlyArray<string>
  readonly groups: ReadonlyArray<PlannedGroup>
}

const Document = Schema.fromJsonString(
  Schema.Struct({
    snapshot_id: Schema.String,
    snapshot_time: Schema.Int,
    owner: Owner,
    plan: Schema.optionalKey(Schema.String),
    cluster_id: Schema.optionalKey(Schema.String),
    topics: Schema.Array(Schema.String),
    groups: GroupsSnapshot.GroupList,
    content_sha256: Schema.String
  })
)
const decodeDocument = Schema.decodeUnknownResult(Document)

/** Over what going back relies on, so that no changed digit becomes an offset. */
const fingerprint = ({ groups, topics }: Pick<OffsetSnapshot, "groups" | "topics">) =>
  createHash("sha256")
    .update(JSON.stringify([topics, groups]))
    .digest("hex")

const encode = (snapshot: OffsetSnapshot) => {
  const groups = GroupsSnapshot.toList(snapshot.groups)
  return Buffer.from(
    JSON.stringify(
      {
        snapshot_id: snapshot.snapshotId,
        snapshot_time: snapshot.takenMillis,
        owner: snapshot.owner,
        ...(snapshot.plan === undefined ? {} : { plan: snapshot.plan }),
        ...(snapshot.clusterId === undefined ? {} : { cluster_id: snapshot.clusterId }),
        topics: snapshot.topics,
        groups,
        content_sha256: fingerprint({ ...snapshot, groups: GroupsSnapshot.fromList(groups) })
      },
      null,
      2
    )
  )
}

/** Undefined if there is none. Fails with `DocumentUnreadable` if it is something else, or was changed. */
export const read = Effect.fn("OffsetSnapshot.read")(function* (store: ObjectStoreShape, snapshotId: string) {
  const key = BackupKeys.offsetSnapshot(snapshotId)
  const bytes = yield* store
    .get(key)
    .pipe(Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined)))
  if (bytes === undefined) return undefined
  const unreadable = (detail: string) => new CatalogueError({ reason: new DocumentUnreadable({ key, detail }) })
  const decoded = decodeDocument(Buffer.from(bytes).toString("utf8"))
  if (Result.isFailure(decoded)) return yield* unreadable("it is not a snapshot of offsets")
  const { cluster_id, content_sha256, groups, owner, plan, snapshot_id, snapshot_time, topics } = decoded.success
  const snapshot: OffsetSnapshot = {
    snapshotId: snapshot_id,
    takenMillis: snapshot_time,
    owner,
    ...(plan === undefined ? {} : { plan }),
    ...(cluster_id === undefined ? {} : { clusterId: cluster_id }),
    topics,
    groups: GroupsSnapshot.fromList(groups)
  }
  if (fingerprint(snapshot) !== content_sha256) return yield* unreadable("its checksum is wrong")
  return snapshot
})

/** Stores it; false if one of that id is there already, which stays as it is. */
export const create = (store: ObjectStoreShape, snapshot: OffsetSnapshot) =>
  store.put(BackupKeys.offsetSnapshot(snapshot.snapshotId), [encode(snapshot)], { ifAbsent: true, role: "data" }).pipe(
    Effect.as(true),
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.succeed(false))
  )
