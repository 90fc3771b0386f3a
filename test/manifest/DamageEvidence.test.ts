import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as ByReference from "../backup/byReference.ts"
import { layer, world } from "../backup/world.ts"

const owner: Owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const object = (detail: string, sinceMillis: number): Damage.DamagedObject => ({
  key: "a/topics/orders/partition=0/segment-1",
  topic: "orders",
  partition: 0,
  firstOffset: 0,
  lastOffset: 9,
  detail,
  sinceMillis
})
const then = (before: ReadonlyArray<Damage.DamagedObject>, found: Damage.DamagedObject) =>
  Damage.merged(before, { found: [found], right: new Set() })

describe("What is recorded of a damaged object", () => {
  it("stays as it was found first, and since then, until it is found right", () => {
    const first = object("is missing", 1000)
    assert.deepStrictEqual(then([first], object("cannot be decompressed", 2000)), [first])
    assert.deepStrictEqual(then([first], object(Damage.vague, 2000)), [first])
    const right = Damage.merged([first], { found: [], right: new Set([first.key]) })
    assert.deepStrictEqual(then(right, object(Damage.vague, 3000)), [object(Damage.vague, 3000)])
  })

  it("makes room for a more precise detail, and keeps the time", () => {
    assert.deepStrictEqual(then([object(Damage.vague, 1000)], object("is missing", 2000)), [object("is missing", 1000)])
  })

  it.effect("has the time at which a look at the backup noticed it first, however often it is looked at", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const { backupId, segments } = yield* ByReference.make(store, { owner, slotMillis: 0, own: 2 })
      const pass = RetentionPass.run(store, owner, { keep: 9, checkedPercent: 100 }, "run")
      const check = Effect.map(SetIndex.indexed(store, owner), ([set]) => set?.check)
      yield* pass
      const [segment] = segments
      const key = ObjectKey.make(segment!.key)
      const content = yield* store.get(key)
      yield* store.delete(key)
      yield* TestClock.setTime(5000)
      yield* pass
      yield* TestClock.setTime(9000)
      yield* pass
      const known = yield* check
      assert.deepStrictEqual([known?.atMillis, SetIndex.noticedMillis(known!)], [9000, 5000])
      const found = DamageMarking.foundIn({ topic: "orders", partition: 0, segment: segment! }, Damage.vague, 9500)
      yield* DamageMarking.mark(store, owner, { found: [found], right: new Set() })
      const [recorded] = yield* Damage.read(store, backupId)
      assert.strictEqual(recorded?.sinceMillis, 5000)
      yield* store.put(key, [content])
      yield* DamageMarking.mark(store, owner, { found: [], right: new Set([segment!.key]) })
      yield* pass
      yield* store.delete(key)
      yield* TestClock.setTime(20_000)
      yield* pass
      assert.strictEqual(SetIndex.noticedMillis((yield* check)!), 20_000, "it was right in between")
    }).pipe(Effect.provide(layer))
  )
})
