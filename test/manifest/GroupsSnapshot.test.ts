import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as GroupsSnapshot from "../../src/manifest/GroupsSnapshot.ts"
import type { PlannedGroup } from "../../src/manifest/RunPlan.ts"
import { aRequest, attempt, layer, world } from "../backup/world.ts"

const backupId = "nightly-20261123-120000" as never

const groups: ReadonlyArray<PlannedGroup> = [
  {
    groupId: "billing",
    type: "consumer",
    offsets: [
      { topic: "orders", partition: 0, offset: 7, metadata: "checkpoint ä", leaderEpoch: 12 },
      { topic: "orders", partition: 10, offset: 0 },
      { topic: "__proto__", partition: 1, offset: 3, metadata: "m" },
      { topic: "constructor", partition: 0, offset: 4 }
    ]
  },
  { groupId: "older", offsets: [{ topic: "orders", partition: 0, offset: 1 }] }
]

const placed = (text: string | Uint8Array) =>
  Effect.gen(function* () {
    const { store } = yield* world
    yield* store.put(BackupKeys.groups(backupId), [Buffer.from(text)])
    return store
  })

describe("the snapshot of consumer groups", () => {
  it.effect("is read as it was written, whatever topics are named", () =>
    Effect.gen(function* () {
      const store = yield* placed(GroupsSnapshot.encode(groups, 5))
      assert.deepStrictEqual(yield* GroupsSnapshot.read(store, backupId), groups)
    }).pipe(Effect.provide(layer))
  )

  it("keeps the places in which every reader of the format looks for offsets", () => {
    const json = JSON.parse(Buffer.from(GroupsSnapshot.encode(groups.slice(1), 5)).toString("utf8"))
    assert.deepStrictEqual(json, {
      snapshot_time: 5,
      groups: [{ group_id: "older", offsets: { orders: { "0": 1 } } }]
    })
  })

  it.effect("is read without additions, as other tools write it", () =>
    Effect.gen(function* () {
      const text =
        '{"snapshot_time": 1, "tool": "x", "groups": [{"group_id": "g", "offsets": {"t": {"0": 5, "-1": 6}}}]}'
      const store = yield* placed(text)
      const expected = [{ groupId: "g", offsets: [{ topic: "t", partition: 0, offset: 5 }] }]
      assert.deepStrictEqual(yield* GroupsSnapshot.read(store, backupId), expected)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is absent where the run could not read groups, and refused where it is something else", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      assert.isUndefined(yield* GroupsSnapshot.read(store, backupId))
      const error = yield* Effect.flip(GroupsSnapshot.read(yield* placed('{"groups": 1}'), backupId))
      assert.include(error.message, "it is not a snapshot of consumer groups")
    }).pipe(Effect.provide(layer))
  )

  it.effect("has the type of each group, and the metadata and leader epoch of each offset, from now on", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 2 })
      yield* cluster.produce("orders", 0, [{ value: "1" }])
      const offsets = [{ topic: "orders", partition: 0, offset: 1, metadata: "at 1", leaderEpoch: 3 }]
      yield* cluster.commitGroupOffsets("readers", offsets)
      yield* cluster.setGroupType("readers", "consumer")
      yield* attempt(aRequest("2026-11-23T12:00:00Z"))
      assert.deepStrictEqual(yield* GroupsSnapshot.read(store, backupId), [
        { groupId: "readers", type: "consumer", offsets }
      ])
    }).pipe(Effect.provide(layer))
  )
})
