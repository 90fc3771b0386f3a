import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as VerifyMark from "../../src/cli/VerifyMark.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import * as SetIndex from "../../src/manifest/SetIndex.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as DamagedBackup from "../../src/restore/DamagedBackup.ts"
import { aRestore } from "../restore/world.ts"
import { aRequest, attempt, fill, layer, world } from "./world.ts"

const slot = (hour: number) => `2026-11-23T0${hour}:00:00Z`
const idOf = (hour: number) => BackupId.forSlot("nightly", Date.parse(slot(hour)))
const { owner } = aRequest(slot(1)).identity
const run = (hour: number) => attempt(aRequest(slot(hour), { incremental: {}, percentPerRun: 2 }))

const stray = `${idOf(1)}/topics/orders/partition=0.segment-1`
const place = { topic: "orders", partition: 0, firstOffset: 0, lastOffset: 9 }

/** Two backups; of the second one an object is recorded as damaged that no manifest ever named, and one that it has. */
const believed = Effect.gen(function* () {
  const { cluster, store } = yield* world
  yield* fill(cluster)
  for (const hour of [1, 2]) yield* run(hour)
  const [first] = Verification.locatedSegments(yield* Catalogue.openById(store, idOf(2)))
  const named = first!.segment.key
  yield* store.delete(ObjectKey.make(named))
  const objects = [stray, named].map((key) => ({ ...place, key, detail: "is missing", sinceMillis: 1 }))
  yield* Damage.record(store, idOf(2), { found: objects, right: new Set() })
  yield* SetIndex.removeAll(store, owner)
  return { store, named }
})

const recorded = (store: ObjectStoreShape, hour = 2) =>
  Effect.map(Damage.read(store, idOf(hour)), (objects) => objects.map(({ key }) => key))

const verifyAndMark = Effect.fnUntraced(function* (store: ObjectStoreShape) {
  const set = yield* Catalogue.openById(store, idOf(2))
  const verified = yield* Verification.verify(store, set, "records")
  return yield* VerifyMark.mark(store, owner, set, "records", verified)
})

const editManifest = Effect.fnUntraced(function* (store: ObjectStoreShape, change: (text: string) => string) {
  const key = BackupKeys.manifest(idOf(2))
  const bytes = yield* store.get(key)
  const [before, after] = [Buffer.from(bytes).toString("utf8"), change(Buffer.from(bytes).toString("utf8"))]
  assert.notStrictEqual(after, before)
  yield* store.put(key, [Buffer.from(after)])
  return Effect.andThen(store.put(key, [bytes]), Effect.void)
})

describe("An object that is recorded as damaged of a backup that does not name it", () => {
  it.live("is cleared by verify --mark, and only by the manifest that was committed", () =>
    Effect.gen(function* () {
      const { named, store } = yield* believed
      const putBack = yield* editManifest(store, (text) => text.replaceAll(/"created_at":\d/g, '"created_at":9'))
      yield* verifyAndMark(store)
      assert.includeMembers([...(yield* recorded(store))], [stray, named])
      yield* putBack
      assert.include(yield* verifyAndMark(store), idOf(2))
      assert.deepStrictEqual(yield* recorded(store), [named])
    }).pipe(Effect.provide(layer))
  )

  it.live("is cleared by the next run, however little that reads", () =>
    Effect.gen(function* () {
      const { named, store } = yield* believed
      const { retention } = yield* run(3)
      assert.notInclude(yield* recorded(store), stray)
      assert.notInclude(JSON.stringify(retention.damaged), stray)
      assert.isDefined(named)
    }).pipe(Effect.provide(layer))
  )

  it.live("is no reason to refuse a restore; one that it names is", () =>
    Effect.gen(function* () {
      const { named, store } = yield* believed
      const set = yield* Catalogue.openById(store, idOf(2))
      const { objections } = yield* DamagedBackup.find(store, set, aRestore(idOf(2)))
      assert.lengthOf(objections, 1)
      assert.include(objections[0]!.message, named)
    }).pipe(Effect.provide(layer))
  )
})

describe("An altered manifest", () => {
  const marked = Effect.fnUntraced(function* (change: (text: string) => string) {
    const { cluster, store } = yield* world
    yield* fill(cluster)
    for (const hour of [1, 2]) yield* run(hour)
    const first = yield* Catalogue.openById(store, idOf(1))
    const [located] = Verification.locatedSegments(first)
    yield* editManifest(store, (text) => change(text.replace(/"created_at":\d/, '"created_at":9')))
    yield* store.delete(ObjectKey.make(located!.segment.key))
    const found = [DamageMarking.foundIn(located!, "is missing", 1)]
    yield* DamageMarking.mark(store, owner, { found, right: new Set() })
    assert.deepStrictEqual(yield* recorded(store, 1), [located!.segment.key])
    return (yield* recorded(store)).length
  })

  it.live("is believed that it names an object only where it says what a sound one says of it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* marked((text) => text).pipe(Effect.provide(layer)), 1)
      const otherHashes = (text: string) => text.replaceAll(/"sha256":"../g, '"sha256":"zz')
      assert.strictEqual(yield* marked(otherHashes).pipe(Effect.provide(layer)), 0)
    })
  )
})
