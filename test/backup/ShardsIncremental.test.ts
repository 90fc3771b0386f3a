import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { backupId, clocked, madeBy, seated, together } from "./shards.ts"
import { incremental, keysOf, markAltered, more, segmentsOf } from "./stories.ts"
import { assertHoldsAll, attempt, dyingAt, fill, layer, shardAttempt, someTopics, world } from "./world.ts"

const eleven = "2026-11-23T11:00:00Z"
const base = "nightly-20261123-110000"

/** A backup of eleven o'clock, and ten records more in each partition of `orders` since. */
const withBase = Effect.gen(function* () {
  const it = yield* world
  yield* fill(it.cluster)
  yield* clocked(attempt(incremental(eleven)))
  for (const partition of [0, 1, 2]) yield* more(it.cluster, partition)
  return it
})

const changes = { incremental: {} }

describe("an incremental run of several shards", () => {
  it.effect("takes over what the earlier backup holds, and reads in each shard what is new of its partitions", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* withBase
      const [made] = madeBy(yield* together(3, undefined, changes))
      assert.strictEqual(made!.facts.base?.backupId, base)
      assert.strictEqual(made!.facts.totals.newRecords, 30)
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
      const { broken, problems } = yield* Verification.verify(store, yield* Catalogue.open(store, backupId), "records")
      assert.deepStrictEqual([...broken, ...problems], [])
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["before", "after"] as const)(
    "loses and doubles nothing when one of its processes dies %s any call to storage",
    (when) =>
      Effect.gen(function* () {
        for (const victim of [0, 2]) {
          for (let n = 1; ; n += 2) {
            const calls = yield* Effect.gen(function* () {
              const { cluster, store } = yield* withBase
              const dying = dyingAt(store, n, when)
              const options = (index: number, start: number) =>
                index === victim && start === 1 ? { store: dying.store } : {}
              yield* together(3, options, changes)
              yield* assertHoldsAll(cluster, store, backupId, someTopics)
              assert.lengthOf(yield* Catalogue.entries(store), 2, `shard ${victim}, ${when} call ${n}`)
              return dying.calls()
            }).pipe(Effect.provide(layer))
            if (calls < n) break
          }
        }
      }),
    300_000
  )

  it.effect("reads in full what was removed of the earlier backup when all shards but the last had ended", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* withBase
      yield* clocked(shardAttempt(seated(0, 3, changes)))
      yield* clocked(shardAttempt(seated(1, 3, changes)))
      for (const key of yield* keysOf(store, base)) yield* store.delete(key)
      yield* store.delete(ObjectKey.make(`${base}/manifest.json`))
      const exit = yield* clocked(Effect.exit(shardAttempt(seated(2, 3, changes))))
      assert.isTrue(Exit.isSuccess(exit), String(exit))
      const { facts } = yield* Catalogue.open(store, backupId)
      assert.include(facts!.notes.join("; "), "read in full")
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.effect("heals a damaged object of the earlier backup in whichever shard has its partition", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* withBase
      const [damaged] = yield* segmentsOf(store, base)
      yield* markAltered({ memory, store }, damaged!)
      const [made] = madeBy(yield* together(3, undefined, changes))
      assert.deepStrictEqual(
        made!.healed?.map(({ isPutBack, key }) => [key, isPutBack]),
        [[damaged!.key, true]]
      )
      yield* assertHoldsAll(cluster, store, backupId, someTopics)
      yield* assertHoldsAll(cluster, store, base, { payments: 1 })
    }).pipe(Effect.provide(layer))
  )
})
