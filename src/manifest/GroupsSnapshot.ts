import { Effect, Result, Schema } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import type { PlannedGroup } from "./RunPlan.ts"

/**
 * Committed offsets of consumer groups in the open format: partitions are strings, times are milliseconds.
 * `group_type`, `metadata` and `leader_epochs` are additions that other readers ignore.
 */

const ByPartition = <S extends Schema.Codec<any, any>>(value: S) =>
  Schema.Record(Schema.String, Schema.Record(Schema.String, value))

const Group = Schema.Struct({
  group_id: Schema.String,
  group_type: Schema.optionalKey(Schema.String),
  offsets: ByPartition(Schema.Int),
  metadata: Schema.optionalKey(ByPartition(Schema.String)),
  leader_epochs: Schema.optionalKey(ByPartition(Schema.Int))
})

/** The groups of a snapshot as JSON. */
export const GroupList = Schema.Array(Group)
export type GroupList = typeof GroupList.Type

const Snapshot = Schema.fromJsonString(Schema.Struct({ snapshot_time: Schema.Int, groups: GroupList }))
const decodeSnapshot = Schema.decodeUnknownResult(Snapshot)

type Offset = PlannedGroup["offsets"][number]

/** The values that `of` finds, by topic and partition. */
const byPartition = <A>(offsets: ReadonlyArray<Offset>, of: (offset: Offset) => A | undefined) => {
  // A topic may be named like something that every ordinary object has: constructor, __proto__.
  const found = Object.create(null) as Record<string, Record<string, A>>
  for (const offset of offsets) {
    const value = of(offset)
    if (value !== undefined) (found[offset.topic] ??= {})[String(offset.partition)] = value
  }
  return found
}

const isEmpty = (map: object) => Object.keys(map).length === 0

/** The groups as the format has them. */
export const toList = (groups: ReadonlyArray<PlannedGroup>): GroupList =>
  groups.map(({ groupId, offsets, type }) => {
    const metadata = byPartition(offsets, (each) => each.metadata)
    const epochs = byPartition(offsets, ({ leaderEpoch }) => leaderEpoch)
    return {
      group_id: groupId,
      ...(type === undefined ? {} : { group_type: type }),
      offsets: byPartition(offsets, ({ offset }) => offset),
      ...(isEmpty(metadata) ? {} : { metadata }),
      ...(isEmpty(epochs) ? {} : { leader_epochs: epochs })
    }
  })

const types = ["classic", "consumer", "share", "streams"] as const

/** The groups of a list; entries that are no partition or no offset are left out. */
export const fromList = (groups: GroupList): ReadonlyArray<PlannedGroup> =>
  groups.map(({ group_id, group_type, leader_epochs, metadata, offsets }) => {
    const type = types.find((known) => known === group_type)
    return {
      groupId: group_id,
      ...(type === undefined ? {} : { type }),
      offsets: Object.entries(offsets).flatMap(([topic, partitions]) =>
        Object.entries(partitions)
          .filter(([partition, offset]) => /^\d{1,9}$/u.test(partition) && Number.isSafeInteger(offset) && offset >= 0)
          .map(([partition, offset]) => {
            const text = metadata?.[topic]?.[partition]
            const leaderEpoch = leader_epochs?.[topic]?.[partition]
            return {
              topic,
              partition: Number(partition),
              offset,
              ...(text === undefined ? {} : { metadata: text }),
              ...(leaderEpoch === undefined ? {} : { leaderEpoch })
            }
          })
      )
    }
  })

/** `consumer-groups-snapshot.json`. */
export const encode = (groups: ReadonlyArray<PlannedGroup>, snapshotMillis: number): Uint8Array =>
  Buffer.from(JSON.stringify({ snapshot_time: snapshotMillis, groups: toList(groups) }, null, 2))

/** The groups of a backup; undefined if it has none, because the run was not allowed to read them. */
export const read = Effect.fn("GroupsSnapshot.read")(function* (store: ObjectStoreShape, backupId: BackupId) {
  const key = BackupKeys.groups(backupId)
  const bytes = yield* store
    .get(key)
    .pipe(Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined)))
  if (bytes === undefined) return undefined
  const decoded = decodeSnapshot(Buffer.from(bytes).toString("utf8"))
  if (Result.isFailure(decoded)) {
    const detail = "it is not a snapshot of consumer groups"
    return yield* new CatalogueError({ reason: new DocumentUnreadable({ key, detail }) })
  }
  return fromList(decoded.success.groups)
})
