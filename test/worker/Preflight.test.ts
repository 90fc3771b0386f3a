import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import {
  Misconfigured,
  ObjectStoreError,
  type ObjectStoreReason,
  StorageAuthorizationFailed
} from "../../src/storage/ObjectStoreError.ts"
import * as Preflight from "../../src/worker/Preflight.ts"

const owner = { uid: "uid-1", name: "nightly" }

describe("Preflight.assertStorage", () => {
  it.effect("passes and leaves nothing behind where an earlier test object has another content", () =>
    Effect.gen(function* () {
      const { keys, store } = yield* (yield* InMemoryObjectStores).named("backups")
      // One attempt stood still before it tried to overwrite its object, and another one had removed it meanwhile.
      yield* store.put(ObjectKey.make("_kafka-backup/preflight/uid-1/left"), [Buffer.from("written twice")])
      yield* Preflight.assertStorage(store, owner)
      assert.deepStrictEqual(yield* keys, [])
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect(
    "tries an object as data where the target says how data is stored, and nothing more where it does not",
    () =>
      Effect.gen(function* () {
        const { keys, store } = yield* (yield* InMemoryObjectStores).named("backups")
        const roles: Array<string> = []
        const noticing: ObjectStoreShape = {
          ...store,
          put: (key, pieces, options) => {
            if (options?.role !== undefined) roles.push(`${options.role} ${key}`)
            return store.put(key, pieces, options)
          }
        }
        yield* Preflight.assertStorage(noticing, owner)
        assert.deepStrictEqual(roles, [])
        yield* Preflight.assertStorage({ ...noticing, storing: "storageClass GLACIER_IR" }, owner)
        assert.deepStrictEqual(roles, ["trial _kafka-backup/preflight/uid-1/stored-as-data"])
        assert.deepStrictEqual(yield* keys, [])
        const results = yield* Preflight.checkStorage(
          { ...noticing, storing: "storageClass GLACIER_IR" },
          owner,
          1024,
          () => undefined
        )
        assert.include(
          results.map(({ name }) => name),
          "stores data as the resource says (storageClass GLACIER_IR)"
        )
      }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )

  it.effect("leaves the test object of data to its lock, and fails where the store refuses to take it so", () =>
    Effect.gen(function* () {
      const { store } = yield* (yield* InMemoryObjectStores).named("backups")
      const failing = (reason: ObjectStoreReason, operation: "put" | "delete") =>
        Effect.fail(new ObjectStoreError({ operation, location: store.location, reason }))
      const locked = new StorageAuthorizationFailed({ detail: "locked", advice: "wait", locked: {} })
      const isTrial = (key: string) => key.endsWith("stored-as-data")
      const storing = "objectLock GOVERNANCE for 1 day"
      yield* Preflight.assertStorage(
        { ...store, storing, delete: (key) => (isTrial(key) ? failing(locked, "delete") : store.delete(key)) },
        owner
      )
      const refused = new Misconfigured({ detail: "no object lock", advice: "enable object lock" })
      const error = yield* Effect.flip(
        Preflight.assertStorage(
          {
            ...store,
            storing,
            put: (key, ...rest) => (isTrial(key) ? failing(refused, "put") : store.put(key, ...rest))
          },
          owner
        )
      )
      assert.strictEqual(error.advice, "enable object lock")
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )
})
