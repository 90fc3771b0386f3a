import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, References, Schema, Stream } from "effect"
import * as BackupId from "../../src/identity/BackupId.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as ObjectSizes from "../../src/manifest/ObjectSizes.ts"
import * as ObjectsThere from "../../src/manifest/ObjectsThere.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"

const layer = Layer.mergeAll(StorageBackends.layer, Layer.succeed(References.MinimumLogLevel, "None"))

const hour = 3_600_000
const start = Date.parse("2026-01-01T00:00:00Z")

const setAt = (n: number) => BackupId.forSlot("nightly", start + n * hour)

const segment = (backupId: BackupId.BackupId, n: number) => ({
  key: BackupKeys.segment(backupId, "orders", n, 0, 1, ".kbs"),
  start_offset: n,
  end_offset: n,
  start_timestamp: 0,
  end_timestamp: 0,
  record_count: 1,
  compressed_size: 10
})

/** Requests, a thousand listed objects each one more. */
const counted = (store: ObjectStoreShape) => {
  const requests = { lists: 0, heads: 0 }
  const counting: ObjectStoreShape = {
    ...store,
    head: (key) => Effect.suspend(() => (requests.heads++, store.head(key))),
    list: (prefix) =>
      Stream.suspend(() => {
        let listed = 0
        return Stream.tap(store.list(prefix), () => Effect.sync(() => void (listed++ % 1000 === 0 && requests.lists++)))
      })
  }
  return { store: counting, requests }
}

/** Sets of a year, one each hour: `objects` in each, of which the first `named` are named, and `documents` beside. */
const stored = Effect.fnUntraced(function* (sets: number, objects: number, named: number, documents = 12) {
  const { store } = yield* (yield* InMemoryObjectStores).named("backups")
  const segments = []
  for (let n = 0; n < sets; n++) {
    const backupId = setAt(n)
    for (let d = 0; d < documents; d++)
      yield* store.put(ObjectKey.make(`${backupId}/document-${d}`), [Buffer.from("x")])
    for (let o = 0; o < objects; o++) {
      const one = segment(backupId, o)
      yield* store.put(ObjectKey.make(one.key), [Buffer.alloc(10)])
      if (o < named) segments.push(one)
    }
  }
  return { segments, ...counted(store) }
})

const missing = (store: ObjectStoreShape, segments: Parameters<typeof ObjectsThere.missing>[1]) =>
  Effect.map(ObjectsThere.missing(store, segments), (found) => [...found])

describe("whether the objects of a manifest are there", () => {
  it.effect.each([
    ["few objects are asked for by name", 6, 8, 8, { lists: 0, heads: 48 }],
    // Twelve documents and four objects each: 12 answers for January and 5 for February, not a list for each of 1,000.
    ["backups of which each has a little are listed by the month", 1000, 4, 2, { lists: 17, heads: 0 }],
    // The list of the month ends after two answers.
    ["full folders are listed one by one", 16, 1100, 1100, { lists: 2 + 16 * 2, heads: 0 }]
  ] as const)("%s", ([, sets, objects, named, most]) =>
    Effect.gen(function* () {
      const { requests, segments, store } = yield* stored(sets, objects, named)
      assert.deepStrictEqual(yield* missing(store, segments), [])
      assert.isAtMost(requests.lists, most.lists)
      assert.isAtMost(requests.heads, most.heads)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a second look at the same objects costs nothing", () =>
    Effect.gen(function* () {
      const { requests, segments, store } = yield* stored(100, 4, 2)
      const sizes: ObjectSizes.Sizes = new Map()
      yield* ObjectSizes.look(store, segments, sizes)
      const before = { ...requests }
      yield* ObjectSizes.look(store, segments, sizes)
      assert.deepStrictEqual(requests, before)
      assert.strictEqual(sizes.size, 400, "with what other backups may name")
    }).pipe(Effect.provide(layer))
  )

  it.effect("what a list lacks, or says otherwise, is asked for by name", () =>
    Effect.gen(function* () {
      const { segments, store } = yield* stored(40, 4, 3)
      const [first, second, third] = segments
      const lagging: ObjectStoreShape = {
        ...store,
        list: (prefix) =>
          store.list(prefix).pipe(
            Stream.filter(({ key }) => key !== first!.key),
            Stream.map((info) => (info.key === second!.key ? { ...info, size: 7 } : info))
          )
      }
      assert.deepStrictEqual(yield* missing(lagging, segments), [])
      yield* store.delete(ObjectKey.make(first!.key))
      yield* store.put(ObjectKey.make(third!.key), [Buffer.alloc(11)])
      assert.deepStrictEqual(yield* missing(lagging, segments), [first!.key, third!.key])
    }).pipe(Effect.provide(layer))
  )

  const Drawn = Schema.Struct({
    sets: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
    objects: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })),
    namedShare: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })),
    lost: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 799 }))).check(Schema.isMaxLength(5)),
    altered: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 799 }))).check(Schema.isMaxLength(5))
  })
  it.effect.prop(
    "is told right, however the objects lie",
    [Drawn],
    ([{ altered, lost, namedShare, objects, sets }]) =>
      Effect.gen(function* () {
        const named = Math.max(1, Math.floor((objects * namedShare) / 100))
        const { segments, store } = yield* stored(sets, objects, named, 3)
        const expected = new Set<string>()
        for (const n of [...lost, ...altered]) {
          const { key } = segments[n % segments.length]!
          expected.add(key)
          yield* lost.includes(n)
            ? store.delete(ObjectKey.make(key))
            : store.put(ObjectKey.make(key), [Buffer.alloc(1 + (n % 9))])
        }
        assert.deepStrictEqual(new Set(yield* missing(store, segments)), expected)
      }).pipe(Effect.provide(layer)),
    { arbitrary: { runs: 30 } }
  )
})

describe("the months that are listed together", () => {
  it("are those with many backups, an eighth of a list for each", () => {
    const folders = [...Array.from({ length: 800 }, (_, n) => setAt(n)), "orders-20260101-000000", "by-another-tool"]
    assert.deepStrictEqual(ObjectSizes.months(folders), [
      { prefix: "nightly-202601", mostObjects: 93_000 },
      { prefix: "nightly-202602", mostObjects: 7_000 }
    ])
  })
})
