import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import {
  isLocked,
  Misconfigured,
  StorageAuthenticationFailed,
  StorageAuthorizationFailed
} from "../../src/storage/ObjectStoreError.ts"
import * as RotatingObjectStore from "../../src/storage/RotatingObjectStore.ts"
import { objectStoreContract } from "../contract/objectStore.ts"

objectStoreContract(
  "in memory, whose credentials can be renewed",
  Effect.map(InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer)), ({ named }) => ({
    open: (root) =>
      Effect.map(named(root), ({ store }) => RotatingObjectStore.make(store, () => Effect.succeed(undefined)))
  }))
)

describe("RotatingObjectStore", () => {
  for (const Refusal of [StorageAuthenticationFailed, StorageAuthorizationFailed]) {
    it.effect(`tells credentials that have ended from a permission that was never there (${Refusal.name})`, () =>
      Effect.gen(function* () {
        const { named } = yield* InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer))
        const { disturb, store } = yield* named("s")
        const asked: Array<boolean> = []
        const renewed = RotatingObjectStore.make(store, (haveWorked) =>
          Effect.sync(() => {
            asked.push(haveWorked)
            return undefined
          })
        )
        const key = "a" as ObjectKey
        const refused = new Refusal({ detail: "no", advice: "ask" })
        yield* renewed.put(key, [])
        for (const operation of ["delete", "put"] as const) {
          yield* disturb({ _tag: "Fail", operation, times: Infinity, reason: refused })
        }
        assert.strictEqual((yield* Effect.flip(renewed.delete(key))).reason._tag, refused._tag)
        assert.strictEqual((yield* Effect.flip(renewed.put(key, []))).reason._tag, refused._tag)
        assert.deepStrictEqual(asked, [false, true])
      })
    )
  }

  it.effect("asks for no credentials where the store keeps a locked object: none of them would end the lock", () =>
    Effect.gen(function* () {
      const { named } = yield* InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer))
      const { disturb, store } = yield* named("s")
      const renewed = RotatingObjectStore.make(store, () => Effect.die("asked for credentials"))
      const key = "a" as ObjectKey
      yield* renewed.put(key, [])
      const locked = new StorageAuthorizationFailed({ detail: "locked", advice: "wait", locked: { untilMillis: 1 } })
      yield* disturb({ _tag: "Fail", operation: "delete", times: 1, reason: locked })
      assert.isTrue(isLocked(yield* Effect.flip(renewed.delete(key))))
      // Nor would newer ones see what a policy lets nobody see.
      const unseen = new StorageAuthorizationFailed({ detail: "may be locked", advice: "allow it", isUnseen: true })
      yield* disturb({ _tag: "Fail", operation: "delete", times: 1, reason: unseen })
      assert.strictEqual((yield* Effect.flip(renewed.delete(key))).message.includes("may be locked"), true)
    })
  )

  it.effect(
    "asks for newer authorities when the store's certificate is not trusted, and not for any other mistake",
    () =>
      Effect.gen(function* () {
        const { named } = yield* InMemoryObjectStores.pipe(Effect.provide(InMemoryObjectStores.layer))
        const { disturb, store } = yield* named("s")
        const { store: newer } = yield* named("newer")
        const key = "a" as ObjectKey
        yield* newer.put(key, [])
        const renewed = RotatingObjectStore.make(store, () => Effect.succeed(newer))
        const wrong = { detail: "no connection", advice: "look" }
        yield* disturb({ _tag: "Fail", operation: "get", times: 1, reason: new Misconfigured(wrong) })
        assert.strictEqual((yield* Effect.flip(renewed.get(key))).reason._tag, "Misconfigured")
        const untrusted = new Misconfigured({ ...wrong, mayBeRenewed: true })
        yield* disturb({ _tag: "Fail", operation: "get", times: 1, reason: untrusted })
        assert.isEmpty(yield* renewed.get(key))
      })
  )
})
