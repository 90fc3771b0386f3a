import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { ObjectStoreError, StorageAuthorizationFailed } from "../../src/storage/ObjectStoreError.ts"
import * as WholeRemoval from "../../src/backup/WholeRemoval.ts"
import * as ByReference from "../backup/byReference.ts"
import { aRequest, attempt, fill, layer, storedRecords, world } from "../backup/world.ts"

const owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const slotMillis = Date.UTC(2026, 10, 23)

const damaged = (firstOffset: number, sinceMillis = 1000): Damage.DamagedObject => ({
  key: `nightly-20261123-000000/topics/orders/partition=0/segment-${firstOffset}`,
  topic: "orders",
  partition: 0,
  firstOffset,
  lastOffset: firstOffset + 9,
  detail: "is missing",
  sinceMillis
})
const found = (...objects: ReadonlyArray<Damage.DamagedObject>): Damage.Reading => ({
  found: objects,
  right: new Set<string>()
})
const right = (...objects: ReadonlyArray<Damage.DamagedObject>): Damage.Reading => ({
  found: [],
  right: new Set(objects.map(({ key }) => key))
})

const aSet = Effect.gen(function* () {
  const { memory, store } = yield* world
  const { backupId } = yield* ByReference.make(store, { owner, slotMillis })
  const documents = Effect.map(memory.keys, (keys) =>
    keys.filter((key) => key.startsWith(BackupKeys.damageFolder(backupId)))
  )
  return { memory, store, backupId, documents }
})

/** Nothing that is there is removed or replaced. */
const writeOnce = (store: ObjectStoreShape): ObjectStoreShape => ({
  ...store,
  delete: (key) =>
    Effect.fail(
      new ObjectStoreError({
        operation: "delete",
        location: store.location,
        reason: new StorageAuthorizationFailed({ detail: `${key} is locked`, advice: "wait", locked: {} })
      })
    )
})

describe("The record of damage", () => {
  it.effect("adds what is found, takes away what is right, and writes only what changes", () =>
    Effect.gen(function* () {
      const { backupId, documents, store } = yield* aSet
      const [first, second, third] = [damaged(0), damaged(10), damaged(20)]
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [])
      assert.deepStrictEqual(yield* Damage.record(store, backupId, right(first)), [])
      assert.deepStrictEqual(yield* documents, [])
      assert.deepStrictEqual(yield* Damage.record(store, backupId, found(second)), [second])
      assert.deepStrictEqual(yield* Damage.record(store, backupId, found(first, third)), [first, second, third])
      assert.deepStrictEqual(yield* documents, [BackupKeys.damage(backupId, 2)])
      yield* Damage.record(store, backupId, found(damaged(10, 5000)))
      assert.deepStrictEqual(yield* documents, [BackupKeys.damage(backupId, 2)], "known since the first time")
      const both = { found: [second], right: new Set([second.key, third.key]) }
      assert.deepStrictEqual(yield* Damage.record(store, backupId, both), [first, second])
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [first, second])
      assert.deepStrictEqual(yield* Damage.record(store, backupId, right(first, second)), [])
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [])
      assert.deepStrictEqual(yield* documents, [], "the folder is as the run left it")
    }).pipe(Effect.provide(layer))
  )

  it.effect("counts the highest number in a bucket that keeps them all, beyond six digits, too", () =>
    Effect.gen(function* () {
      const { backupId, documents, store: plain } = yield* aSet
      const store = writeOnce(plain)
      yield* Damage.record(store, backupId, found(damaged(0)))
      yield* Damage.record(store, backupId, found(damaged(10)))
      yield* Damage.record(store, backupId, right(damaged(0)))
      assert.lengthOf(yield* documents, 3)
      yield* Damage.record(store, backupId, right(damaged(10)))
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [])
      yield* Damage.record(store, backupId, found(damaged(10)))
      assert.lengthOf(yield* documents, 5)
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [damaged(10)])
      // A later one says what the first one said.
      const text = yield* plain.get(BackupKeys.damage(backupId, 1))
      yield* plain.put(BackupKeys.damage(backupId, 1_000_000), [text])
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [damaged(0)])
    }).pipe(Effect.provide(layer))
  )

  it.effect("merges what another writer recorded at the same time, and what it exchanged while it was read", () =>
    Effect.gen(function* () {
      const { backupId, store } = yield* aSet
      let isFirst = true
      const raced: ObjectStoreShape = {
        ...store,
        put: (key, pieces, options) =>
          Effect.suspend(() => {
            if (!isFirst || !key.includes("/damage/")) return store.put(key, pieces, options)
            isFirst = false
            return Effect.andThen(
              Effect.orDie(Damage.record(store, backupId, found(damaged(10)))),
              store.put(key, pieces, options)
            )
          })
      }
      assert.deepStrictEqual(yield* Damage.record(raced, backupId, found(damaged(0))), [damaged(0), damaged(10)])
      assert.isFalse(isFirst)
      let exchanges = 0
      const exchanged: ObjectStoreShape = {
        ...store,
        get: (key) =>
          exchanges++ > 0
            ? store.get(key)
            : Effect.andThen(Effect.orDie(Damage.record(store, backupId, found(damaged(20)))), store.get(key))
      }
      assert.lengthOf(yield* Damage.read(exchanged, backupId), 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("falls back to the older document where the newest one cannot be read, and goes on from there", () =>
    Effect.gen(function* () {
      const { backupId, memory, store } = yield* aSet
      yield* Damage.record(writeOnce(store), backupId, found(damaged(0)))
      yield* Damage.record(writeOnce(store), backupId, found(damaged(10)))
      yield* memory.tamper(BackupKeys.damage(backupId, 2), (bytes) => bytes.slice(1))
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [damaged(0)])
      assert.deepStrictEqual(yield* Damage.record(store, backupId, found(damaged(20))), [damaged(0), damaged(20)])
      assert.deepStrictEqual(yield* Damage.read(store, backupId), [damaged(0), damaged(20)])
    }).pipe(Effect.provide(layer))
  )

  it.effect("leaves nothing behind where the set was removed meanwhile, and goes with the set", () =>
    Effect.gen(function* () {
      const { backupId, memory, store } = yield* aSet
      yield* Damage.record(store, backupId, found(damaged(0)))
      yield* WholeRemoval.run(store, owner)
      assert.deepStrictEqual(yield* memory.keys, [])
      assert.deepStrictEqual(yield* Damage.record(store, backupId, found(damaged(0))), [])
      assert.deepStrictEqual(yield* memory.keys, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is bounded, and its summary names the first place, since when, and how many more", () =>
    Effect.gen(function* () {
      const { backupId, store } = yield* aSet
      const many = Array.from({ length: Damage.mostRecorded + 5 }, (_, n) => damaged(n * 10, 9000 - (n % 2)))
      const recorded = yield* Damage.record(store, backupId, found(...many))
      assert.lengthOf(recorded, Damage.mostRecorded)
      assert.deepStrictEqual(Damage.summary(recorded), {
        objects: Damage.mostRecorded,
        sinceMillis: 8999,
        text: `orders[0] offsets 0-9: the object is missing, and ${Damage.mostRecorded - 1} more objects are damaged`
      })
      assert.strictEqual(
        Damage.summary(recorded.slice(0, 2))?.text,
        "orders[0] offsets 0-9: the object is missing, and 1 more object is damaged"
      )
      assert.isUndefined(Damage.summary([]))
    }).pipe(Effect.provide(layer))
  )

  it.live("belongs to the backup: verify finds nothing strange, and every record is read as before", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const { facts } = yield* attempt(aRequest("2026-11-23T12:00:00Z"))
      const before = yield* storedRecords(store, facts.backupId, "orders", 0)
      yield* Damage.record(store, facts.backupId, found(damaged(0)))
      const set = yield* Catalogue.open(store, facts.backupId)
      const verified = yield* Verification.verify(store, set, "records")
      assert.isTrue(Verification.isWhole(verified), JSON.stringify([verified.problems, verified.broken]))
      assert.deepStrictEqual(verified.leftovers, [])
      assert.deepStrictEqual(yield* storedRecords(store, facts.backupId, "orders", 0), before)
      yield* store.put(ObjectKey.make(`${facts.backupId}/damage/notes.txt`), [Buffer.from("x")])
      assert.lengthOf((yield* Verification.verify(store, set, "objects")).broken, 1, "another file there is strange")
    }).pipe(Effect.provide(layer))
  )
})
