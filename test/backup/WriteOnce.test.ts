import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Option, Stream } from "effect"
import * as Pruning from "../../src/backup/Pruning.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, type Operation, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import { kafkaBackup } from "../../src/testing/KafkaBackupBuilder.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, someTopics, world } from "./world.ts"

const slots = ["2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", "2026-11-23T14:00:00Z"]

/** A bucket with a retention policy: nothing that is there is removed or replaced until the lock ends. */
const writeOnce = (store: ObjectStoreShape) => {
  const state = { isLocked: true, refused: [] as Array<string> }
  const refusal = (operation: Operation, key: string) => {
    state.refused.push(`${operation} ${key}`)
    return new ObjectStoreError({
      operation,
      location: store.location,
      reason: new StorageAuthorizationFailed({
        detail: `${key} is locked`,
        advice: "align the policy",
        locked: { untilMillis: Date.UTC(2027, 0, 1) }
      })
    })
  }
  const isKept = (key: Parameters<ObjectStoreShape["head"]>[0]) =>
    Effect.map(Effect.exit(store.head(key)), (exit) => state.isLocked && Exit.isSuccess(exit))
  const locked: ObjectStoreShape = {
    ...store,
    put: (key, pieces, options) =>
      Effect.flatMap(isKept(key), (kept) =>
        kept && options?.ifAbsent !== true ? Effect.fail(refusal("put", key)) : store.put(key, pieces, options)
      ),
    delete: (key) =>
      Effect.flatMap(isKept(key), (kept) => (kept ? Effect.fail(refusal("delete", key)) : store.delete(key)))
  }
  return { state, store: locked }
}

const keys = (store: ObjectStoreShape, prefix: string) =>
  Effect.map(Stream.runCollect(store.list(prefix)), (found) => found.map(({ key }) => key))

const complete = (store: ObjectStoreShape) =>
  Effect.map(Catalogue.entries(store), (entries) =>
    entries.filter(({ _tag }) => _tag === "Complete").map(({ backupId }) => backupId)
  )

describe("A write-once bucket", () => {
  it.effect("takes runs, one after the other, and keeps whole what retention may not remove yet", () =>
    Effect.gen(function* () {
      const { cluster, store: plain } = yield* world
      yield* fill(cluster)
      const { state, store } = writeOnce(plain)
      const ids = []
      for (const slot of slots) {
        const { facts, retention } = yield* attempt(aRequest(slot, { retainedBackups: 1 }), { store })
        assert.deepStrictEqual(retention.notes, [])
        assert.deepStrictEqual(retention.removed, [])
        assert.deepStrictEqual(
          retention.locked.map(({ backupId, why }) => [backupId, why]),
          ids.map((id) => [id, "locked until 2027-01-01T00:00:00.000Z"])
        )
        ids.push(facts.backupId)
        for (const id of ids) yield* assertHoldsAll(cluster, store, id, someTopics)
      }
      assert.deepStrictEqual(yield* complete(store), ids)
      assert.isFalse((yield* keys(store, "")).some((key) => key.endsWith("tombstone.json")))
      assert.strictEqual((yield* keys(store, "_kafka-backup/preflight/")).length, 1, "one test object, used again")
      assert.isFalse(
        state.refused.some((request) => request.startsWith("put")),
        "nothing is ever replaced"
      )
      const index = yield* store.get((yield* keys(store, "_kafka-backup/index/")).at(-1)!)
      for (const id of ids) assert.include(Buffer.from(index).toString("utf8"), `"backupId":"${id}"`)

      state.isLocked = false
      const { facts, retention } = yield* attempt(aRequest("2026-11-23T15:00:00Z", { retainedBackups: 1 }), { store })
      assert.deepStrictEqual([retention.removed, retention.locked], [ids, []])
      assert.deepStrictEqual(yield* complete(store), [facts.backupId])
      assert.deepStrictEqual(yield* keys(store, "_kafka-backup/preflight/"), [])
      assert.deepStrictEqual(yield* keys(store, "_kafka-backup/locks/"), [])
      assert.strictEqual((yield* keys(store, "_kafka-backup/index/")).length, 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("lets the next attempt finish what one left at any call", () =>
    Effect.gen(function* () {
      const { cluster, memory, store: plain } = yield* world
      yield* fill(cluster)
      for (let n = 5; n < 200; n += 9) {
        const { store } = writeOnce(plain)
        const slot = new Date(Date.UTC(2026, 10, 24, 0, 0, n)).toISOString().replace(".000", "")
        const died = yield* Effect.exit(attempt(aRequest(slot), { store: dyingAt(store, n, "after").store }))
        const { facts } = yield* attempt(aRequest(slot), { store })
        yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
        if (Exit.isSuccess(died)) break
      }
      yield* memory.calm
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not stop retention with a hold on a few objects of one backup", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const first = (yield* attempt(aRequest(slots[0]!, { retainedBackups: 1 }))).facts.backupId
      const held = writeOnce(store)
      const withHold: ObjectStoreShape = {
        ...store,
        delete: (key) => (key.startsWith(`${first}/topics/orders/`) ? held.store.delete(key) : store.delete(key))
      }
      const ids = [first]
      for (const slot of [slots[1]!, slots[2]!, "2026-11-23T15:00:00Z"]) {
        const { facts, retention } = yield* attempt(aRequest(slot, { retainedBackups: 1 }), { store: withHold })
        assert.deepStrictEqual(retention.notes, [])
        assert.deepStrictEqual(retention.removed, ids.slice(1))
        assert.deepStrictEqual(
          retention.locked.map(({ backupId }) => backupId),
          [first]
        )
        ids.splice(1, 1, facts.backupId)
      }
      held.state.isLocked = false
      const { facts } = yield* attempt(aRequest("2026-11-23T16:00:00Z", { retainedBackups: 1 }), { store: withHold })
      assert.deepStrictEqual(yield* complete(store), [facts.backupId])
      assert.deepStrictEqual(yield* keys(store, `${first}/`), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("tells the one who removes everything that something is left", () =>
    Effect.gen(function* () {
      const { cluster, store: plain } = yield* world
      yield* fill(cluster)
      const { store } = writeOnce(plain)
      const request = aRequest(slots[0]!)
      const { facts } = yield* attempt(request, { store })
      const { namespace, name, uid } = request.identity.owner
      const parsed = yield* Effect.fromResult(ManifestParser.fromServer(kafkaBackup({ name })))
      const backup = { ...parsed, metadata: { ...parsed.metadata, namespace: namespace!, uid: uid! } }
      const exit = yield* Effect.exit(Pruning.prune(store, backup, { _tag: "All" }, "test"))
      const error = Exit.isFailure(exit) ? Option.getOrThrow(Cause.findErrorOption(exit.cause)) : undefined
      assert.instanceOf(error, Pruning.BackupsLocked)
      assert.include(error.message, `${facts.backupId}: locked until 2027-01-01`)
      assert.deepStrictEqual(yield* complete(store), [facts.backupId])
    }).pipe(Effect.provide(layer))
  )
})
