import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

/** The kind of an object, from its key. */
const kindOf = (key: string): string => {
  const [folder = "", kind = ""] = key.split("/")
  return folder === "_kafka-backup" ? `${folder}/${kind}` : kind
}

describe("The objects of a backup", () => {
  it.effect("are data where the backup is whole only with them, and bookkeeping where they come and go", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const roles = new Map<string, string>()
      const noticing: ObjectStoreShape = {
        ...store,
        put: (key, pieces, options) => {
          roles.set(kindOf(key), options?.role ?? "bookkeeping")
          return store.put(key, pieces, options)
        }
      }
      yield* attempt(aRequest("2026-11-23T12:00:00Z", { retainedBackups: 1 }), { store: noticing })
      const second = aRequest("2026-11-23T13:00:00Z", { retainedBackups: 1 })
      yield* attempt(second, { store: noticing })
      const having = (role: string) => [...roles].flatMap(([kind, found]) => (found === role ? [kind] : [])).sort()
      assert.deepStrictEqual(having("data"), [
        "attempts",
        "claim.json",
        "consumer-groups-snapshot.json",
        "kb-meta.json",
        "manifest.json",
        "plan.json",
        "topics"
      ])
      const comeAndGo = having("bookkeeping")
      for (const kind of ["_kafka-backup/index", "_kafka-backup/locks", "_kafka-backup/runs", "tombstone.json"]) {
        assert.include(comeAndGo, kind)
      }
    }).pipe(Effect.provide(layer))
  )
})
