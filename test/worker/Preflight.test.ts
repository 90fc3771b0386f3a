import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
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
})
