import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as ByReference from "./byReference.ts"
import { layer, world } from "./world.ts"

const owner: Owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const start = Date.UTC(2026, 10, 23)
const at = (n: number) => ({ owner, slotMillis: start + n * 3_600_000 })

/** Backups of which each is built on the one before; all name the objects of the oldest. */
const chain = Effect.fnUntraced(function* (length: number) {
  const { store } = yield* world
  const made = [yield* ByReference.make(store, { ...at(0), own: 3 })]
  for (let n = 1; n < length; n++) made.push(yield* ByReference.make(store, { ...at(n), base: made.at(-1), own: 1 }))
  return { store, made, first: made[0]!, lost: ObjectKey.make(made[0]!.segments[0]!.key) }
})

const noticed = (store: ObjectStoreShape) =>
  Effect.map(SetIndex.indexed(store, owner), (all) =>
    all.flatMap(({ backupId, check, damage }) => ((check?.damage ?? damage) === undefined ? [] : [backupId as string]))
  )

const ids = (sets: ReadonlyArray<ByReference.MadeSet>) => sets.map(({ backupId }) => backupId as string)

describe("An object that is lost from the folder of the oldest backup", () => {
  for (const keep of [1, 2]) {
    it.effect(`damages that backup, too, where the rules keep ${keep}: none is called the newest whole one`, () =>
      Effect.gen(function* () {
        const { lost, made, store } = yield* chain(3)
        yield* store.delete(lost)
        const { damaged, notes, removed } = yield* RetentionPass.run(store, owner, { keep })
        assert.deepStrictEqual(removed, [])
        assert.strictEqual(damaged?.sets, 3)
        assert.isUndefined(damaged?.newestWhole)
        assert.deepStrictEqual(yield* noticed(store), ids(made))
        assert.lengthOf(notes, 1)
        assert.include(notes.join(), made[0]!.backupId)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("damages it where retention removes nothing and a run looks at one backup alone", () =>
    Effect.gen(function* () {
      const { lost, made, store } = yield* chain(3)
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      yield* store.delete(lost)
      const { damaged } = yield* RetentionPass.run(store, owner, { keep: 9, checkedPercent: 2 }, "run")
      assert.strictEqual(damaged?.sets, 3)
      assert.deepStrictEqual(yield* noticed(store), ids(made))
    }).pipe(Effect.provide(layer))
  )

  it.effect("is found in all of a long chain, by and by, and never is a damaged one the newest whole one", () =>
    Effect.gen(function* () {
      const { first, lost, made, store } = yield* chain(30)
      const full = yield* ByReference.make(store, { ...at(100), own: 33 })
      const later = yield* ByReference.make(store, { ...at(101), base: full, own: 1 })
      yield* RetentionPass.run(store, owner, { keep: 99 }, "run")
      yield* store.delete(lost)
      const sizes: Array<number> = []
      for (let n = 0; n < 5; n++) {
        const { damaged } = yield* RetentionPass.run(store, owner, { keep: 99, checkedPercent: 2 }, "run")
        sizes.push(damaged?.sets ?? 0)
        assert.strictEqual(damaged?.newestWhole, later.backupId)
        if (n === 0) assert.include(yield* noticed(store), first.backupId)
      }
      assert.isBelow(sizes[0]!, 15, "one run looks at a few")
      assert.strictEqual(sizes.at(-1), 30, sizes.join())
      assert.deepStrictEqual(yield* noticed(store), ids(made))
    }).pipe(Effect.provide(layer))
  )

  it.effect("damages a backup, too, whose manifest was not right when it was recorded", () =>
    Effect.gen(function* () {
      const { lost, made, store } = yield* chain(3)
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      const [oldest, , newest] = made
      const key = BackupKeys.manifest(newest!.backupId)
      const copy = yield* store.get(key)
      yield* store.delete(key)
      yield* RetentionPass.run(store, owner, { keep: 9, checkedPercent: 100 }, "run")
      const { end_offset: lastOffset, start_offset: firstOffset } = oldest!.segments[0]!
      const place = { key: lost, topic: "orders", partition: 0, firstOffset, lastOffset, detail: "SHA-256 differs" }
      yield* DamageMarking.mark(store, owner, { found: [{ ...place, sinceMillis: 0 }], right: new Set<string>() })
      yield* store.put(key, [copy])
      const { damaged } = yield* RetentionPass.run(store, owner, { keep: 9, checkedPercent: 100 }, "run")
      assert.strictEqual(damaged?.sets, 3)
      assert.isUndefined(damaged?.newestWhole)
    }).pipe(Effect.provide(layer))
  )
})
