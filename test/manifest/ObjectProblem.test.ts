import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Damage from "../../src/manifest/Damage.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as ObjectProblem from "../../src/manifest/ObjectProblem.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import { ids, incremental, ofTheFuture, resource, slots } from "../backup/stories.ts"
import { attempt, fill, layer, world } from "../backup/world.ts"

/** Two backups that name the same objects, the first of which is of a format of the future now. */
const future = Effect.gen(function* () {
  const { cluster, store } = yield* world
  yield* fill(cluster)
  for (const slot of slots.slice(0, 2)) yield* attempt(incremental(slot))
  const [located] = Verification.locatedSegments(yield* Catalogue.open(store, ids[0]))
  const key = ObjectKey.make(located!.segment.key)
  const bytes = ofTheFuture(yield* store.get(key))
  yield* store.put(key, [bytes])
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  return { key, located: located!, sha256, store }
})

describe("An object of a format of the future", () => {
  it.effect("is right with the SHA-256 of its entry in the manifest, and wrong with another one or without", () =>
    Effect.gen(function* () {
      const { located, sha256, store } = yield* future
      const of = (segment: typeof located.segment) => ObjectProblem.find(store, { ...located, segment })
      assert.isUndefined(yield* of({ ...located.segment, sha256 }))
      assert.match((yield* of(located.segment))!, /version 99/)
      const { sha256: _none, ...without } = located.segment
      assert.match((yield* of(without))!, /version 99/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is no damage of a backup whose manifest says so, whatever that of another one says", () =>
    Effect.gen(function* () {
      const { located, sha256, store } = yield* future
      const manifest = BackupKeys.manifest(ids[1])
      const text = Buffer.from(yield* store.get(manifest)).toString()
      yield* store.put(manifest, [Buffer.from(text.replace(located.segment.sha256!, sha256))])
      yield* DamageMarking.mark(store, resource, {
        found: [DamageMarking.foundIn(located, "its format is unknown", 1)],
        right: new Set()
      })
      const [first, second] = [yield* Damage.read(store, ids[0]), yield* Damage.read(store, ids[1])]
      assert.deepStrictEqual(
        first.map(({ key }) => key),
        [located.segment.key]
      )
      assert.deepStrictEqual(second, [])
    }).pipe(Effect.provide(layer))
  )
})
