import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as Claims from "../../src/manifest/Claims.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"

const identity = { owner: { uid: "uid-1", namespace: "kafka", name: "nightly" }, slot: "2026-01-05T00:00:00Z" }

/** Before the n-th call (from 1) something else happens, once. */
const interruptedAt = <E>(store: ObjectStoreShape, n: number, other: Effect.Effect<unknown, E>) => {
  let calls = 0
  const met = <A, F>(call: Effect.Effect<A, F>): Effect.Effect<A, F> =>
    Effect.suspend(() => (++calls === n ? Effect.andThen(Effect.orDie(other), call) : call))
  const interrupted: ObjectStoreShape = {
    ...store,
    put: (key, pieces, options) => met(store.put(key, pieces, options)),
    get: (key) => met(store.get(key)),
    list: (prefix) => Stream.unwrap(met(Effect.succeed(store.list(prefix))))
  }
  return { store: interrupted, calls: () => calls }
}

describe("Claims.take", () => {
  it.effect("gives two attempts of a run one id, wherever the first one stood still while the second one began", () =>
    Effect.gen(function* () {
      const stores = yield* InMemoryObjectStores
      for (let n = 1; ; n++) {
        const { store } = yield* stores.named(`call ${n}`)
        let second: string | undefined
        const beginning = Effect.map(Claims.take(store, identity), (backupId) => (second = backupId))
        const first = interruptedAt(store, n, beginning)
        const backupId = yield* Claims.take(first.store, identity)
        if (first.calls() < n) {
          assert.isAbove(n, 4)
          return
        }
        assert.strictEqual(backupId, "nightly-20260105-000000", `call ${n}`)
        assert.strictEqual(second, backupId, `call ${n}`)
      }
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )
})
