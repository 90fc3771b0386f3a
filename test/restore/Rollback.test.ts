import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as OffsetSnapshot from "../../src/manifest/OffsetSnapshot.ts"
import { StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import * as Backup from "../backup/world.ts"
import { aRestore, backUp, inTime, layer, restore, worlds } from "./world.ts"

const groups = { strategy: { _tag: "Exact" as const }, groups: ["billing"] }
const rollback = { snapshotId: "before-restore-1" }
const key = BackupKeys.offsetSnapshot("before-restore-1")

/** A backup with a group, and the same group in the target, which reads another topic there, too. */
const scene = Effect.gen(function* () {
  const { source, store, target } = yield* worlds
  yield* source.createTopic("orders", { partitions: 2 })
  yield* source.produce("orders", 0, [{ value: "1" }, { value: "2" }])
  yield* source.commitGroupOffsets("billing", [{ topic: "orders", partition: 0, offset: 2 }])
  const backupId = yield* backUp
  yield* target.createTopic("orders", { partitions: 2 })
  yield* target.createTopic("elsewhere")
  yield* target.commitGroupOffsets("billing", [
    { topic: "orders", partition: 1, offset: 0, metadata: "before" },
    { topic: "elsewhere", partition: 0, offset: 0 }
  ])
  return { backupId, store, target, memory: (yield* Backup.world).memory }
})

const messageOf = (request: Parameters<typeof restore>[0]) =>
  Effect.map(Effect.flip(inTime(restore(request))), (error) => `${error.message}\n${error.advice}`)

describe("the snapshot for a rollback", () => {
  it.effect("holds what the groups had in the topics of the restore, before anything was written", () =>
    Effect.gen(function* () {
      const { backupId, store, target } = yield* scene
      yield* target.createTopic("later")
      yield* inTime(restore(aRestore(backupId, { groups, rollback })))
      const snapshot = yield* OffsetSnapshot.read(store, "before-restore-1")
      assert.deepInclude(snapshot, {
        snapshotId: "before-restore-1",
        clusterId: "in-memory",
        owner: { uid: "restore-1", namespace: "kafka", name: "back" },
        topics: ["orders"],
        groups: [
          {
            groupId: "billing",
            type: "classic" as const,
            offsets: [{ topic: "orders", partition: 1, offset: 0, metadata: "before" }]
          }
        ]
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("stays as it is when the same restore goes on, and is refused to another one before it writes", () =>
    Effect.gen(function* () {
      const { backupId, store, target } = yield* scene
      yield* inTime(restore(aRestore(backupId, { groups, rollback })))
      const first = yield* store.get(key)
      yield* inTime(restore(aRestore(backupId, { groups, rollback })))
      assert.deepStrictEqual(yield* store.get(key), first)
      const owner = { uid: "restore-2", namespace: "kafka", name: "other" }
      const topicMapping = new Map([["orders", "second"]])
      const refused = yield* messageOf(aRestore(backupId, { groups, rollback, owner, topicMapping }))
      assert.include(refused, "snapshot before-restore-1 in")
      assert.include(refused, "belongs to kafka/back")
      assert.notInclude(
        (yield* target.wire.metadata("all")).topics.map(({ name }) => name),
        "second"
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is refused to the same resource for another selection, whose offsets it does not have", () =>
    Effect.gen(function* () {
      const { backupId, store, target } = yield* scene
      yield* inTime(restore(aRestore(backupId, { groups, rollback })))
      const first = yield* store.get(key)
      const { produceRequests } = yield* target.counters
      const another = { groups: { strategy: { _tag: "Latest" as const }, groups: ["mail"] }, rollback }
      for (const changes of [another, { groups, rollback, topicMapping: new Map([["orders", "second"]]) }]) {
        const refused = yield* messageOf(aRestore(backupId, changes))
        assert.match(refused, /snapshot before-restore-1 exists in .*: it was stored at .* for another backup,/)
        assert.include(refused, "choose another snapshotId: a snapshot is never overwritten")
      }
      assert.strictEqual((yield* target.counters).produceRequests, produceRequests)
      yield* inTime(restore(aRestore(backupId, { rollback })))
      assert.deepStrictEqual(yield* store.get(key), first)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is stored once for every resource, under a name of its own, also for groups that are not set", () =>
    Effect.gen(function* () {
      const { backupId, store } = yield* scene
      const restored = yield* inTime(restore(aRestore(backupId, { rollback: {} })))
      assert.strictEqual(restored.groups?.snapshotId, "back-restore-")
      assert.isUndefined(restored.offsetReset)
      const snapshot = yield* OffsetSnapshot.read(store, "back-restore-")
      assert.lengthOf(snapshot!.groups, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is refused with the permission that is missing where the store is read-only", () =>
    Effect.gen(function* () {
      const { backupId, memory, target } = yield* scene
      const reason = new StorageAuthorizationFailed({ detail: "permission denied to write", advice: "grant it" })
      yield* memory.disturb({ _tag: "Fail", operation: "put", times: Infinity, reason })
      const refused = yield* messageOf(aRestore(backupId, { groups, rollback }))
      assert.include(refused, "the offsets for a rollback cannot be stored")
      assert.include(refused, "grant permission to write objects below _kafka-backup/")
      assert.strictEqual((yield* target.counters).produceRequests, 0)
      yield* inTime(restore(aRestore(backupId, { groups })))
    }).pipe(Effect.provide(layer))
  )

  it.effect("is noticed when it was changed, and leaves no test object behind", () =>
    Effect.gen(function* () {
      const { backupId, memory, store } = yield* scene
      yield* inTime(restore(aRestore(backupId, { groups, rollback })))
      assert.deepStrictEqual(
        (yield* memory.keys).filter((each) => each.startsWith(BackupKeys.preflightFolder)),
        []
      )
      yield* memory.tamper(key, (bytes) => Buffer.from(Buffer.from(bytes).toString().replace('"1": 0', '"1": 7')))
      const error = yield* Effect.flip(OffsetSnapshot.read(store, "before-restore-1"))
      assert.include(error.message, "its checksum is wrong")
    }).pipe(Effect.provide(layer))
  )
})
