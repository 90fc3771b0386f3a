import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema, Stream } from "effect"
import * as RetentionPass from "../../src/backup/RetentionPass.ts"
import { type Owner, ownerKey } from "../../src/identity/RunIdentity.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import type { ManifestSegment } from "../../src/manifest/Manifest.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as ByReference from "../backup/byReference.ts"
import { dyingAt, layer, world } from "../backup/world.ts"

const owner: Owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }
const start = Date.UTC(2026, 10, 23)
const at = (n: number) => ({ owner, slotMillis: start + n * 3_600_000 })

const damaged = ({ end_offset, key, start_offset }: ManifestSegment): Damage.DamagedObject => ({
  key,
  topic: "orders",
  partition: 0,
  firstOffset: start_offset,
  lastOffset: end_offset,
  detail: "is missing",
  sinceMillis: 1000
})
const found = (...segments: ReadonlyArray<ManifestSegment>): Damage.Reading => ({
  found: segments.map(damaged),
  right: new Set<string>()
})
const right = (...segments: ReadonlyArray<ManifestSegment>): Damage.Reading => ({
  found: [],
  right: new Set(segments.map(({ key }) => key))
})

/** Three sets, each on the one before, and a full one; the third does not name the first segment any more. */
const sets = Effect.gen(function* () {
  const { memory, store } = yield* world
  const first = yield* ByReference.make(store, { ...at(1), own: 3 })
  const second = yield* ByReference.make(store, { ...at(2), base: first, own: 1 })
  const third = yield* ByReference.make(store, { ...at(3), base: second, drop: 1, own: 1 })
  const full = yield* ByReference.make(store, { ...at(4), own: 6 })
  return { memory, store, first, second, third, full }
})

const recorded = (store: ObjectStoreShape, { backupId }: ByReference.MadeSet) =>
  Effect.map(Damage.read(store, backupId), (objects) => objects.map(({ firstOffset }) => firstOffset))

/** Whoever decides on backups by the index knows what their own documents say. */
const assertKnownAsRecorded = Effect.fnUntraced(function* (store: ObjectStoreShape, message: string) {
  const { own } = yield* DamageMarking.known(store, owner)
  for (const { backupId, damage } of own) {
    assert.deepStrictEqual(damage, Damage.summary(yield* Damage.read(store, backupId)), `${message}: ${backupId}`)
  }
})

/** The newest index as a version writes it that knows nothing of damage. */
const rewriteIndexWithoutDamage = Effect.fnUntraced(function* (store: ObjectStoreShape) {
  const { index } = yield* SetIndex.known(store, owner, "index")
  const AsBefore = Schema.Struct({ version: Schema.Literal(1), sets: Schema.Array(SetIndex.IndexedSet) })
  const sets = index.sets.map(({ damage: _damage, ...rest }) => rest)
  const key = BackupKeys.index(ownerKey(owner), index.number + 1)
  yield* store.put(key, [SealedJson.seal(AsBefore, { version: 1, sets })], { ifAbsent: true })
})

const manifestsRead = (store: ObjectStoreShape) => {
  const keys: Array<string> = []
  const counted: ObjectStoreShape = {
    ...store,
    read: (key) => Stream.suspend(() => (keys.push(key), store.read(key)))
  }
  return { store: counted, keys }
}

describe("An object that is found damaged", () => {
  it.effect("is recorded in every set that names it, and in no other", () =>
    Effect.gen(function* () {
      const { first, full, second, store, third } = yield* sets
      const [oldest, next] = first.segments
      assert.deepStrictEqual(yield* DamageMarking.mark(store, owner, found(oldest!)), [first.backupId, second.backupId])
      assert.deepStrictEqual(
        yield* DamageMarking.mark(store, owner, found(next!, second.segments.at(-1)!)),
        [first, second, third].map(({ backupId }) => backupId)
      )
      assert.deepStrictEqual(yield* recorded(store, first), [0, 10])
      assert.deepStrictEqual(yield* recorded(store, second), [0, 10, 30])
      assert.deepStrictEqual(yield* recorded(store, third), [10, 30])
      assert.deepStrictEqual(yield* recorded(store, full), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is taken away from all of them when it is read and right again", () =>
    Effect.gen(function* () {
      const { first, second, store, third } = yield* sets
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      const [oldest, next] = first.segments
      yield* DamageMarking.mark(store, owner, found(oldest!, next!))
      assert.deepStrictEqual(yield* DamageMarking.mark(store, owner, right(next!)), [first.backupId, second.backupId])
      assert.deepStrictEqual(yield* recorded(store, third), [])
      assert.deepStrictEqual(yield* DamageMarking.mark(store, owner, right(oldest!, next!)), [])
      for (const set of [first, second, third]) assert.deepStrictEqual(yield* recorded(store, set), [])
      const index = yield* SetIndex.indexed(store, owner)
      assert.deepStrictEqual(
        index.map(({ damage }) => damage),
        index.map(() => undefined)
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("is known to the index at once, and to one that begins anew", () =>
    Effect.gen(function* () {
      const { first, memory, second, store } = yield* sets
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      yield* DamageMarking.mark(store, owner, found(first.segments[0]!))
      const inIndex = Effect.map(SetIndex.indexed(store, owner), (all) =>
        all.flatMap(({ backupId, damage }) => (damage === undefined ? [] : [`${backupId} ${damage.text}`]))
      )
      const expected = [first, second].map(({ backupId }) => `${backupId} orders[0] offsets 0-9: the object is missing`)
      assert.deepStrictEqual(yield* inIndex, expected)
      for (const key of (yield* memory.keys).filter((key) => key.startsWith("_kafka-backup/index/"))) {
        yield* store.delete(key)
      }
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      assert.deepStrictEqual(yield* inIndex, expected)
    }).pipe(Effect.provide(layer))
  )

  it.effect("costs no manifest where nothing was found, and writes nothing where nothing changes", () =>
    Effect.gen(function* () {
      const { first, memory, store, third } = yield* sets
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      const before = yield* memory.keys
      const counted = manifestsRead(store)
      assert.deepStrictEqual(yield* DamageMarking.mark(counted.store, owner, right(...first.segments)), [])
      assert.deepStrictEqual(counted.keys, [])
      assert.deepStrictEqual(yield* memory.keys, before)
      yield* DamageMarking.mark(store, owner, found(first.segments[0]!))
      const marked = yield* memory.keys
      yield* DamageMarking.mark(counted.store, owner, found(first.segments[0]!))
      assert.deepStrictEqual(yield* memory.keys, marked)
      const opened = counted.keys.filter((key) => key.endsWith("/manifest.json")).toSorted()
      assert.deepStrictEqual(opened, [BackupKeys.manifest(third.backupId)], "the others are known to name it")
    }).pipe(Effect.provide(layer))
  )

  it.effect("makes a set one that does not count for retention, until it is right again", () =>
    Effect.gen(function* () {
      const { first, full, second, store, third } = yield* sets
      yield* DamageMarking.mark(store, owner, found(full.segments[0]!))
      const kept = (keep: number) => Effect.map(RetentionPass.preview(store, owner, { keep }), ({ removed }) => removed)
      assert.deepStrictEqual(yield* kept(2), [first.backupId])
      yield* DamageMarking.mark(store, owner, right(full.segments[0]!))
      assert.deepStrictEqual(yield* kept(2), [first.backupId, second.backupId])
      assert.isDefined(third)
    }).pipe(Effect.provide(layer))
  )

  it.effect("is recorded in sets of an earlier resource that was adopted, and not in those of another one", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const earlier = yield* ByReference.make(store, { ...at(1), own: 3 })
      const mine: Owner = { uid: "uid-2", namespace: "kafka", name: "nightly" }
      const later = yield* ByReference.make(store, { ...at(3), owner: mine, base: earlier, own: 1 })
      const resource = { ...mine, adopting: { sourceClusterId: undefined, createdMillis: start + 2 * 3_600_000 } }
      const object = found(earlier.segments[0]!)
      assert.deepStrictEqual(yield* DamageMarking.mark(store, mine, object), [later.backupId])
      assert.deepStrictEqual(yield* recorded(store, earlier), [])
      assert.deepStrictEqual(yield* DamageMarking.mark(store, resource, object), [earlier.backupId, later.backupId])
      assert.deepStrictEqual(yield* recorded(store, earlier), [0])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is read again for a set whose manifest says something else of it than the one that it was judged by", () =>
    Effect.gen(function* () {
      const { first, full, second, store } = yield* sets
      const [segment] = first.segments
      const judgedBy = (sha256: string) => ({
        found: [
          DamageMarking.foundIn({ topic: "orders", partition: 0, segment: { ...segment!, sha256 } }, "is wrong", 1000)
        ],
        right: new Set<string>()
      })
      const details = ({ backupId }: ByReference.MadeSet) =>
        Effect.map(Damage.read(store, backupId), (objects) => objects.map(({ detail }) => detail))
      yield* store.delete(ObjectKey.make(segment!.key))
      yield* DamageMarking.mark(store, owner, judgedBy("0".repeat(64)))
      for (const set of [first, second]) assert.deepStrictEqual(yield* details(set), ["is missing"])
      yield* DamageMarking.mark(store, owner, right(segment!))
      yield* DamageMarking.mark(store, owner, judgedBy(segment!.sha256!))
      for (const set of [first, second]) assert.deepStrictEqual(yield* details(set), ["is wrong"])
      assert.deepStrictEqual(yield* details(full), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is known again after a version that knows nothing of damage wrote the index", () =>
    Effect.gen(function* () {
      const { first, second, store } = yield* sets
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      const [oldest] = first.segments
      yield* DamageMarking.mark(store, owner, found(oldest!))
      yield* rewriteIndexWithoutDamage(store)
      yield* assertKnownAsRecorded(store, "after going back")
      const kept = yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      assert.strictEqual(kept.damaged?.sets, 2)
      const damaged = (yield* SetIndex.indexed(store, owner)).filter(({ damage }) => damage !== undefined)
      assert.deepStrictEqual(
        damaged.map(({ backupId }) => backupId),
        [first.backupId, second.backupId]
      )
      yield* rewriteIndexWithoutDamage(store)
      assert.deepStrictEqual(yield* DamageMarking.mark(store, owner, right(oldest!)), [])
      assert.deepStrictEqual(yield* recorded(store, first), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is taken away where the index does not know of it", () =>
    Effect.gen(function* () {
      const { first, second, store } = yield* sets
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      const [oldest] = first.segments
      // As an earlier version left it that was killed before it wrote the index.
      for (const { backupId } of [first, second]) yield* Damage.record(store, backupId, found(oldest!))
      assert.deepStrictEqual(yield* DamageMarking.mark(store, owner, right(oldest!)), [])
      for (const set of [first, second]) assert.deepStrictEqual(yield* recorded(store, set), [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("is recorded in the newest set first, on which the next one is built", () =>
    Effect.gen(function* () {
      const { first, second, store, third } = yield* sets
      yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
      const [, next] = first.segments
      const order: Array<string> = []
      const listening: ObjectStoreShape = {
        ...store,
        put: (key, ...rest) => {
          if (key.includes("/damage/")) order.push(key.split("/", 1)[0]!)
          return store.put(key, ...rest)
        }
      }
      yield* DamageMarking.mark(listening, owner, found(next!))
      assert.deepStrictEqual(
        order,
        [third, second, first].map(({ backupId }) => backupId)
      )
    }).pipe(Effect.provide(layer))
  )

  for (const when of ["before", "after"] as const) {
    it.effect(
      `is recorded or not where the process dies ${when} any call to storage, and a repeat records all of it`,
      () =>
        Effect.gen(function* () {
          let hasEnded = false
          for (let n = 1; !hasEnded; n++) {
            yield* Effect.gen(function* () {
              const { first, second, store, third } = yield* sets
              yield* RetentionPass.run(store, owner, { keep: 9 }, "run")
              const [oldest, next] = first.segments
              yield* DamageMarking.mark(store, owner, found(oldest!))
              const reading = { found: [damaged(next!)], right: new Set([oldest!.key]) }
              const dying = dyingAt(store, n, when)
              hasEnded = Exit.isSuccess(yield* Effect.exit(DamageMarking.mark(dying.store, owner, reading)))
              for (const set of [first, second, third]) {
                const now = yield* recorded(store, set)
                assert.include(set === third ? ["", "10"] : ["0", "10"], now.join(), `${when} call ${n}`)
              }
              yield* assertKnownAsRecorded(store, `${when} call ${n}`)
              assert.lengthOf(yield* DamageMarking.mark(store, owner, reading), 3, `${when} call ${n}`)
              for (const set of [first, second, third]) assert.deepStrictEqual(yield* recorded(store, set), [10])
              const index = yield* SetIndex.indexed(store, owner)
              assert.lengthOf(
                index.filter(({ damage }) => damage !== undefined),
                3,
                `${when} call ${n}`
              )
            }).pipe(Effect.provide(layer))
            assert.isBelow(n, 200)
          }
        })
    )
  }
})
