import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Formats from "../../src/segment/Formats.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { damageOf, ids, keysOf, lose, segmentsOf, slots } from "./stories.ts"
import {
  aRequest,
  assertHoldsAll,
  attempt,
  fill,
  layer,
  settingsOf,
  someTopics,
  storedRecords,
  world
} from "./world.ts"

const batches = (slot: string, compression: "zstd" | "lz4" | "none" = "zstd") =>
  aRequest(slot, { settings: settingsOf("batches", compression), incremental: {} })

const records = (slot: string) => aRequest(slot, { incremental: {} })

const values = (count: number, key: (n: number) => string | null = (n) => `k${n}`) =>
  Array.from({ length: count }, (_, n) => ({ key: key(n), value: `value ${n}` }))

/** The whole batches of a partition of `orders` in a set. */
const batchesOf = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const segments = yield* segmentsOf(store, backupId)
  const found = yield* Effect.forEach(segments, (segment) =>
    Stream.runCollect(Formats.batches(segment, store.read(ObjectKey.make(segment.key)))!)
  )
  return found.flat(2)
})

const committed = (cluster: InMemoryCluster, from = 0) =>
  Effect.map(cluster.committed("orders", 0), (all) =>
    all.map(({ offset }) => offset).filter((offset) => offset >= from)
  )

describe("a backup of batches", () => {
  it.live.each(["zstd", "lz4", "none"] as const)(
    "holds exactly what a read_committed consumer sees, whatever codec, transaction or header (%s)",
    (compression) =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* fill(cluster)
        const { facts } = yield* attempt(batches(slots[0], compression))
        yield* assertHoldsAll(cluster, store, facts.backupId, someTopics)
        assert.deepStrictEqual(yield* damageOf(store, facts.backupId), [])
        const keys = yield* keysOf(store, facts.backupId)
        assert.isAbove(keys.length, 3)
        for (const key of keys) assert.match(key, /\.log(\.zst|\.lz4)?$/u)
        assert.strictEqual(
          keys.some((key) => !key.endsWith(".log")),
          compression !== "none"
        )
        const { manifest } = yield* Catalogue.open(store, facts.backupId)
        assert.deepStrictEqual([facts.settings.format, manifest.kb_format], ["batches", "batches"])
      }).pipe(Effect.provide(layer))
  )

  it.live("leaves out markers and what was rolled back, and keeps producers' ids", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1 })
      const producers: Array<number> = []
      for (const fate of ["commit", "abort", "commit"] as const) {
        const transaction = yield* cluster.beginTransaction()
        yield* transaction.produce("orders", 0, values(4), { codec: "zstd" })
        yield* transaction[fate]
        if (fate === "commit") producers.push(transaction.producerId)
      }
      yield* attempt(batches(slots[0]))
      const found = yield* batchesOf(store, ids[0])
      assert.deepStrictEqual(
        found.map(({ bytes, start }) => Number(bytes.readBigInt64BE(start + 43))),
        producers
      )
      assert.deepStrictEqual(
        found.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset]),
        [
          [0, 3],
          [10, 13]
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("begins inside of a batch where the log does, and says how many records it holds of it", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1 })
      for (const codec of ["zstd", "none"] as const) yield* cluster.produce("orders", 0, values(10), { codec })
      yield* cluster.deleteRecordsBefore("orders", 0, 7)
      const { facts } = yield* attempt(batches(slots[0]))
      assert.strictEqual(facts.totals.records, 13)
      const [segment] = yield* segmentsOf(store, ids[0])
      assert.deepStrictEqual([segment!.start_offset, segment!.end_offset, segment!.record_count], [7, 19, 13])
      assert.strictEqual((yield* batchesOf(store, ids[0]))[0]!.baseOffset, 0)
      yield* assertHoldsAll(cluster, store, ids[0], { orders: 1 })
      assert.deepStrictEqual(yield* damageOf(store, ids[0]), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("holds what compaction left, and its segments begin and end with records", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1, configs: { "cleanup.policy": "compact" } })
      for (let n = 0; n < 30; n++) {
        const codec = (["none", "gzip", "zstd"] as const)[n % 3]!
        yield* cluster.produce(
          "orders",
          0,
          values(20, (at) => `k${(n * 7 + at * at) % 97}`),
          { codec }
        )
      }
      yield* cluster.compact("orders", 0)
      const { facts } = yield* attempt(batches(slots[0]), { segmentBytes: 1024 })
      yield* assertHoldsAll(cluster, store, facts.backupId, { orders: 1 })
      assert.deepStrictEqual(yield* damageOf(store, facts.backupId), [])
      const offsets = new Set(yield* committed(cluster))
      const segments = yield* segmentsOf(store, ids[0])
      assert.isAbove(segments.length, 1)
      for (const { end_offset, start_offset } of segments) {
        assert.isTrue(offsets.has(start_offset) && offsets.has(end_offset), `${start_offset}-${end_offset}`)
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("builds on one of batches, and is read in full behind one of records, and the other way round", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(records(slots[0]))
      const second = yield* attempt(batches(slots[1]))
      assert.deepStrictEqual([second.facts.base, second.facts.full], [undefined, "OtherFormat"])
      yield* cluster.produce("orders", 0, values(10))
      const third = yield* attempt(batches(slots[2]))
      assert.deepStrictEqual([third.facts.base?.backupId, third.facts.totals.newRecords], [ids[1], 10])
      const fourth = yield* attempt(records("2026-11-23T15:00:00Z"))
      assert.strictEqual(fourth.facts.full, "OtherFormat")
      for (const id of [...ids, fourth.facts.backupId]) assert.deepStrictEqual(yield* damageOf(store, id), [])
      for (const id of [ids[2], fourth.facts.backupId]) yield* assertHoldsAll(cluster, store, id, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("names what the one before it holds below the log's start, and whole batches stay whole", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { partitions: 1 })
      yield* cluster.produce("orders", 0, values(10), { codec: "zstd" })
      yield* attempt(batches(slots[0]))
      yield* cluster.deleteRecordsBefore("orders", 0, 4)
      yield* cluster.produce("orders", 0, values(5))
      const { facts } = yield* attempt(batches(slots[1]))
      const partition = facts.topics[0]!.partitions[0]!
      assert.deepStrictEqual([partition.from, partition.logStart, partition.records], [0, 4, 15])
      assert.lengthOf(yield* storedRecords(store, ids[1], "orders", 0), 15)
    }).pipe(Effect.provide(layer))
  )

  it.live("puts back a lost object with the very bytes that it had", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(batches(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      for (const segment of segments) yield* lose(store, segment)
      const { healed } = yield* attempt(batches(slots[1]))
      assert.deepStrictEqual(
        healed?.map(({ isPutBack }) => isPutBack),
        segments.map(() => true)
      )
      for (const id of [ids[0], ids[1]]) assert.deepStrictEqual(yield* damageOf(store, id), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("has a plan that versions without batches refuse, and goes on as it was planned", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const dies = {
        ...store,
        put: (...args: Parameters<ObjectStoreShape["put"]>) =>
          args[0].includes("/checkpoint/") ? Effect.die("killed") : store.put(...args)
      }
      yield* Effect.exit(attempt(batches(slots[0]), { store: dies }))
      const plan = JSON.parse(Buffer.from(yield* store.get(BackupKeys.plan(ids[0]))).toString()).content
      assert.deepStrictEqual([plan.version, plan.settings.format], [3, "batches"])
      // The resource was edited meanwhile: the attempt that continues the run writes what the run began with.
      const { facts } = yield* attempt(records(slots[0]))
      assert.strictEqual(facts.settings.format, "batches")
      for (const key of yield* keysOf(store, ids[0])) assert.match(key, /-000002\.log/u)
      yield* assertHoldsAll(cluster, store, ids[0], someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live.each(["zstd", "lz4", "none"] as const)(
    "fails a reader that knows the page on KBAK and nothing else by name, before its first record (%s)",
    (compression) =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* fill(cluster)
        yield* attempt(batches(slots[0], compression))
        const error = yield* Effect.flip(readAsKbak(store, ids[0]))
        const [first] = yield* keysOf(store, ids[0])
        assert.strictEqual(error.message, `${first} is no KBAK segment: it does not begin with KBAK`)
        // The same reader reads a backup of records.
        yield* attempt(records(slots[1]))
        assert.isAbove(yield* readAsKbak(store, ids[1]), 700)
      }).pipe(Effect.provide(layer))
  )
})

/** Steps 1 and 2 of docs/storage-format.md, "Reading a backup", and the header of "A segment"; gives the records. */
const readAsKbak = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: (typeof ids)[number]) {
  const manifest = JSON.parse(Buffer.from(yield* store.get(BackupKeys.manifest(backupId))).toString())
  let found = 0
  for (const { partitions } of manifest.topics) {
    for (const { segments } of partitions) {
      for (const { key } of segments) {
        const file = Buffer.from(yield* store.get(ObjectKey.make(key)))
        const wrong = (what: string) => Effect.fail(new Error(`${key} is no KBAK segment: ${what}`))
        if (file.toString("latin1", 0, 4) !== "KBAK") return yield* wrong("it does not begin with KBAK")
        if (file[4] !== 1) return yield* wrong(`it is of version ${file[4]}`)
        if (file.toString("latin1", file.length - 4) !== "BKAE") return yield* wrong("it does not end with BKAE")
        found += Number(file.readBigUInt64LE(8))
      }
    }
  }
  return found
})
