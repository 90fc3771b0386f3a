import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import type { BackupSet } from "../../manifest/Catalogue.ts"
import * as GroupsSnapshot from "../../manifest/GroupsSnapshot.ts"
import * as OffsetSnapshot from "../../manifest/OffsetSnapshot.ts"
import type { ObjectStoreShape } from "../../storage/ObjectStore.ts"
import { preflightFailed } from "../RestoreError.ts"
import { isSelected, type Objection, type RestorePlan } from "../RestorePlan.ts"
import type { RestoreRequest } from "../RestoreRequest.ts"
import type { GroupsRequest, Strategy } from "./GroupsRequest.ts"
import * as Rollback from "./Rollback.ts"
import * as Selection from "./Selection.ts"
import * as SetOffsets from "./SetOffsets.ts"
import * as WantedOffsets from "./WantedOffsets.ts"

interface Systems {
  readonly sink: KafkaSinkShape
  readonly store: ObjectStoreShape
}

/** What a restore is going to do with consumer groups. */
export interface PreparedGroups {
  readonly groups: ReadonlyArray<Selection.SelectedGroup>
  /** Absent: the groups' offsets are stored, and not changed. */
  readonly strategy: Strategy | undefined
  /** Absent: nothing is stored before the restore. */
  readonly snapshotId: string | undefined
}

/** A rollback without a reset concerns every group of the backup. */
const everyGroup: GroupsRequest = { strategy: { _tag: "Earliest" }, groups: ["*"] }

/** No topic has so many partitions: a commit for it is refused after its permissions were checked. */
const noPartition = 2_147_483_647

/**
 * A group that only a pattern names is meant where it has offsets in the restored topics. One that is named always is.
 */
const withOffsets = (groups: ReadonlyArray<Selection.SelectedGroup>, wanted: GroupsRequest) =>
  groups.filter(
    ({ groupId, inBackup }) => wanted.groups.includes(groupId) || inBackup === undefined || inBackup.offsets.length > 0
  )

/** Asks a broker whether the principal may commit for the group. Nothing is committed. */
const deniedCommit = (sink: KafkaSinkShape, groupId: string, topic: string) =>
  sink.commitOffsets(groupId, [{ topic, partition: noPartition, offset: 0 }]).pipe(
    Effect.as<ReadonlyArray<Objection>>([]),
    Effect.catchTag("KafkaError", (error) => {
      if (error.reason._tag === "KafkaAuthorizationFailed") {
        const { advice } = error
        const message = `offsets of consumer group ${groupId} cannot be set: ${error.reason.message}`
        return Effect.succeed<ReadonlyArray<Objection>>([{ reason: "GroupDenied", message, advice }])
      }
      // Whatever else is wrong with a group is found when its turn comes, and is no reason not to restore records.
      return error.isRetryable ? Effect.fail(error) : Effect.succeed<ReadonlyArray<Objection>>([])
    })
  )

/** Chooses the groups, and asks everything that can be asked beforehand. Changes no group. */
export const prepare = Effect.fn("Groups.prepare")(function* (
  { sink, store }: Systems,
  request: RestoreRequest,
  set: BackupSet,
  plan: RestorePlan
) {
  const { groups: wanted, owner, rollback } = request
  if (wanted === undefined && rollback === undefined) return { objections: [], prepared: undefined }
  const snapshot = yield* GroupsSnapshot.read(store, set.backupId)
  const restored = snapshot?.map((group) => ({
    ...group,
    offsets: group.offsets.filter(({ partition, topic }) => isSelected(request, topic, partition))
  }))
  const { groups: selected, objections } = Selection.select(set, restored, wanted ?? everyGroup)
  const groups = wanted === undefined ? selected : withOffsets(selected, wanted)
  const snapshotId = rollback === undefined ? undefined : Rollback.snapshotIdOf(rollback, owner)
  const [first] = plan.topics
  const denied =
    wanted === undefined || first === undefined
      ? []
      : yield* Effect.forEach(groups, ({ groupId }) => deniedCommit(sink, groupId, first.target), { concurrency: 8 })
  const prepared: PreparedGroups = { groups, strategy: wanted?.strategy, snapshotId }
  const unstorable =
    snapshotId === undefined
      ? []
      : yield* Rollback.objections(store, snapshotId, yield* purposeOf(sink, request, plan, prepared))
  return { objections: [...objections, ...denied.flat(), ...unstorable], prepared }
})

/** Stores the offsets that the groups have in the target, before anything is written there. */
export const remember = Effect.fn("Groups.remember")(function* (
  systems: Systems,
  request: RestoreRequest,
  plan: RestorePlan,
  prepared: PreparedGroups | undefined
) {
  if (prepared?.snapshotId === undefined) return
  const { groups, snapshotId } = prepared
  const groupIds = groups.map(({ groupId }) => groupId)
  const topics = plan.topics.map(({ target }) => target)
  const purpose = yield* purposeOf(systems.sink, request, plan, prepared)
  // An earlier attempt of this restore stored what was there before it wrote: that stays.
  if (yield* hasSnapshot(systems.store, snapshotId, purpose)) return
  if (yield* Rollback.take(systems, snapshotId, purpose, groupIds, topics)) return
  if (yield* hasSnapshot(systems.store, snapshotId, purpose)) return
  return yield* preflightFailed(yield* Rollback.objections(systems.store, snapshotId, purpose))
})

const hasSnapshot = (store: ObjectStoreShape, snapshotId: string, purpose: Rollback.Purpose) =>
  Effect.map(
    OffsetSnapshot.read(store, snapshotId),
    (existing) => existing !== undefined && Rollback.isKept(existing, purpose)
  )

const purposeOf = (
  sink: KafkaSinkShape,
  { owner }: RestoreRequest,
  { digest }: RestorePlan,
  { groups, strategy }: PreparedGroups
) =>
  Effect.map(sink.clusterId, (clusterId): Rollback.Purpose => ({
    owner,
    plan: digest,
    // A restore that sets no group needs no other snapshot once `offsetReset` is removed from it.
    groupIds: strategy === undefined ? [] : groups.map(({ groupId }) => groupId),
    clusterId
  }))

/** Why nothing is set for a group. */
export const nothingInBackup = "the backup has no offsets of it in the topics that were restored"

/** Gives the groups their offsets in the topics that were restored and proven. */
export const reset = Effect.fn("Groups.reset")(function* (
  systems: Systems,
  plan: RestorePlan,
  prepared: PreparedGroups | undefined
) {
  if (prepared?.strategy === undefined) return undefined
  const wanted = yield* WantedOffsets.of(systems, plan, prepared.groups, prepared.strategy)
  return yield* SetOffsets.setOffsets(systems.sink, wanted, nothingInBackup)
})
