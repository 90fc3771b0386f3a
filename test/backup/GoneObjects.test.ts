import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Damage from "../../src/manifest/Damage.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import { type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import { ids, incremental, keysOf, resource, slots } from "./stories.ts"
import { attempt, fill, layer, world } from "./world.ts"

/** Two backups of a compacted topic, the second on the first. */
const compacted = Effect.gen(function* () {
  const { cluster, store } = yield* world
  yield* cluster.createTopic("orders", { configs: { "cleanup.policy": "compact" } })
  const produce = (n: number) => cluster.produce("orders", 0, [{ key: `k${n}`, value: `value ${n} `.repeat(20) }])
  for (let n = 0; n < 60; n++) yield* produce(n)
  yield* attempt(incremental(slots[0]))
  yield* produce(60)
  yield* attempt(incremental(slots[1]))
  return { cluster, store }
})

describe("An object that is missing of a partition that is read in full because of it", () => {
  it.live("is recorded in every backup that names it, and retention does not count them", () =>
    Effect.gen(function* () {
      const { store } = yield* compacted
      const [, lost] = yield* keysOf(store, ids[0])
      assert.include(yield* keysOf(store, ids[1]), lost)
      yield* store.delete(lost!)
      const { facts, retention } = yield* attempt(incremental(slots[2]))
      assert.strictEqual(facts.topics[0]!.partitions[0]!.full, "DamagedCompacted")
      for (const backupId of [ids[0], ids[1]]) {
        const recorded = yield* Damage.read(store, backupId)
        assert.deepStrictEqual(
          recorded.map(({ detail, key }) => `${key} ${detail}`),
          [`${lost} is missing, or has another size`]
        )
      }
      assert.deepStrictEqual(yield* Damage.read(store, ids[2]), [])
      assert.strictEqual(retention.damaged?.sets, 2)
      assert.isTrue(
        facts.notes.some((note) =>
          note.startsWith(
            "1 object of earlier backups is missing or damaged, and the partition was read in full: orders[0] offsets "
          )
        ),
        facts.notes.join("\n")
      )
      const { own } = yield* DamageMarking.known(store, resource)
      assert.deepStrictEqual(
        own.flatMap(({ backupId, damage }) => (damage === undefined ? [] : [backupId])),
        [ids[0], ids[1]]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("does not fail the run where the store refuses to record it", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const [first] = yield* keysOf(store, ids[0])
      yield* store.delete(first!)
      const refusal = new ObjectStoreError({
        operation: "put",
        location: store.location,
        reason: new StorageAuthorizationFailed({ detail: "the store says no", advice: "ask for more" })
      })
      const refusing: ObjectStoreShape = {
        ...store,
        put: (key, ...rest) => (key.startsWith(`${ids[0]}/`) ? Effect.fail(refusal) : store.put(key, ...rest))
      }
      const { facts, healed } = yield* attempt(incremental(slots[1]), { store: refusing })
      assert.deepStrictEqual(
        healed?.map(({ isPutBack, key }) => [key, isPutBack]),
        [[first!, false]]
      )
      assert.isTrue(
        facts.notes.some((note) =>
          note.startsWith("it is not recorded which earlier backups are damaged, because the store refused a request: ")
        ),
        facts.notes.join("\n")
      )
    }).pipe(Effect.provide(layer))
  )
})
