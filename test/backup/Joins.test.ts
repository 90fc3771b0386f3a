import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, formats, layer, settingsOf, world } from "./world.ts"

const topics = { orders: 2 } as const
const slotOf = (n: number) => new Date(Date.parse("2026-11-23T00:00:00Z") + n * 3_600_000).toISOString().slice(0, 19)
const slot = (n: number) => `${slotOf(n)}Z`
const idOf = (n: number) => `nightly-${slotOf(n).replaceAll("-", "").replace("T", "-").replaceAll(":", "")}`
const segmentBytes = 256 * 1024

const produce = (cluster: InMemoryCluster, n: number) =>
  Effect.forEach([0, 1], (partition) =>
    cluster.produce(
      "orders",
      partition,
      Array.from({ length: 5 }, (_, i) => ({ key: `k${i}`, value: `value ${n} ${partition} ${i} `.repeat(20) }))
    )
  )

const request = (
  n: number,
  compression: "zstd" | "lz4" | "none" = "zstd",
  retainedBackups?: number,
  format: "records" | "batches" = "records"
) =>
  aRequest(slot(n), {
    incremental: {},
    settings: settingsOf(format, compression),
    ...(retainedBackups === undefined ? {} : { retainedBackups })
  })

/** So many hourly backups of a topic that grows. */
const hourly = Effect.fnUntraced(function* (
  count: number,
  of: (n: number) => ReturnType<typeof request> = (n) => request(n)
) {
  const { cluster } = yield* world
  yield* cluster.createTopic("orders", { partitions: 2 })
  for (let n = 0; n < count; n++) {
    yield* produce(cluster, n)
    yield* attempt(of(n), { segmentBytes })
  }
})

const segmentsOf = Effect.fnUntraced(function* (store: ObjectStoreShape, n: number) {
  const set = yield* Catalogue.open(store, idOf(n))
  const found = yield* Verification.verify(store, set, "records")
  return {
    segments: set.manifest.topics[0]!.partitions.map((partition) => partition.segments),
    facts: set.facts!,
    damage: [...found.problems.map(({ detail }) => detail), ...found.broken.map(({ detail }) => detail)]
  }
})

describe("small segments of incremental backups", () => {
  for (const [compression, format] of (["zstd", "lz4", "none"] as const).flatMap((one) =>
    formats.map((format) => [one, format] as const)
  )) {
    it.live(`are joined as backups follow each other, and every backup stays whole (${compression}, ${format})`, () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* hourly(40, (n) => request(n, compression, undefined, format))
        const { damage, facts, segments } = yield* segmentsOf(store, 39)
        assert.deepStrictEqual(damage, [])
        for (const ofPartition of segments) assert.isAtMost(ofPartition.length, 16)
        assert.strictEqual(
          facts.totals.segments,
          segments.reduce((sum, all) => sum + all.length, 0)
        )
        assert.deepStrictEqual([facts.totals.records, facts.totals.newRecords], [400, 10])
        yield* assertHoldsAll(cluster, store, idOf(39), topics)
        for (const n of [0, 8, 9, 20]) assert.deepStrictEqual((yield* segmentsOf(store, n)).damage, [])
      }).pipe(Effect.provide(layer))
    )
  }

  it.live("are joined without being read from Kafka, and a backup says how many bytes it joined", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* hourly(7)
      yield* produce(cluster, 7)
      const { fetches: before } = yield* cluster.counters
      const { facts } = yield* attempt(request(7), { segmentBytes })
      const { fetches: after } = yield* cluster.counters
      const { segments } = yield* segmentsOf(store, 7)
      assert.deepStrictEqual(
        segments.map((all) => all.length),
        [1, 8],
        "the budget allows one of the two"
      )
      assert.isAbove(facts.totals.joinedStoredBytes!, facts.totals.newStoredBytes! * 3)
      assert.isAtMost(after - before, 8)
      assert.include(
        segments[0]![0]!.key,
        `${idOf(7)}/topics/orders/partition=0/segment-00000000000000000000-000001.joined`
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("are left alone by a backup with nothing new", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      yield* hourly(8)
      yield* attempt(request(8), { segmentBytes })
      assert.deepStrictEqual(
        (yield* memory.keys).filter((key) => key.startsWith(`${idOf(8)}/topics/`)),
        []
      )
      assert.deepStrictEqual((yield* segmentsOf(store, 8)).damage, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("leave the storage with the backups that named them, and nothing else does", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* hourly(40, (n) => request(n, "zstd", 3))
      for (const n of [37, 38, 39]) assert.deepStrictEqual((yield* segmentsOf(store, n)).damage, [])
      yield* assertHoldsAll(cluster, store, idOf(39), topics)
      const objects = (yield* memory.keys).filter((key) => key.includes("/topics/"))
      assert.isAtMost(objects.length, 60, "of 80 that were read and some that were joined")
    }).pipe(Effect.provide(layer))
  )

  it.live("of two codecs stay apart", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* hourly(24, (n) => request(n, n < 12 ? "zstd" : "lz4"))
      const { damage, segments } = yield* segmentsOf(store, 23)
      assert.deepStrictEqual(damage, [])
      for (const { key } of segments.flat()) assert.match(key, /\.bin\.(zst|lz4)$/u)
      yield* assertHoldsAll(cluster, store, idOf(23), topics)
    }).pipe(Effect.provide(layer))
  )

  it.live("that are damaged are read again from Kafka by the run that would join them, and then joined", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* hourly(7)
      const { segments } = yield* segmentsOf(store, 6)
      yield* memory.tamper(ObjectKey.make(segments[0]![2]!.key), (bytes) => bytes.with(50, bytes[50]! ^ 1))
      assert.lengthOf((yield* segmentsOf(store, 2)).damage, 1)
      yield* produce(cluster, 7)
      const { attempt: number, facts } = yield* attempt(request(7), { segmentBytes })
      assert.deepStrictEqual([number, facts.totals.newRecords], [2, 10], "the object was put back")
      assert.include(facts.notes.join("\n"), "of earlier backups is right again in storage")
      const found = yield* segmentsOf(store, 7)
      assert.deepStrictEqual([found.damage, found.segments.map((all) => all.length)], [[], [1, 8]])
      yield* assertHoldsAll(cluster, store, idOf(7), topics)
      for (const n of [2, 4, 6]) assert.deepStrictEqual((yield* segmentsOf(store, n)).damage, [])
    }).pipe(Effect.provide(layer))
  )

  it.live("of the run itself that the store altered are stored again before they are joined", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* hourly(7)
      yield* produce(cluster, 7)
      let isAltered = false
      // The store has its fingerprint right: only who reads the bytes notices.
      const altering: ObjectStoreShape = {
        ...store,
        get: (key) =>
          isAltered || !key.startsWith(`${idOf(7)}/topics/`)
            ? store.get(key)
            : Effect.map(store.get(key), (bytes) => {
                isAltered = true
                return Uint8Array.from(bytes).with(50, bytes[50]! ^ 1)
              })
      }
      const { attempt: number } = yield* attempt(request(7), { segmentBytes, store: altering })
      assert.deepStrictEqual([isAltered, number], [true, 2])
      assert.deepStrictEqual((yield* segmentsOf(store, 7)).damage, [])
      yield* assertHoldsAll(cluster, store, idOf(7), topics)
      assert.lengthOf(
        (yield* memory.keys).filter((key) => key.startsWith(`${idOf(7)}/topics/`)),
        2
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("come out the same wherever the run that joins them dies", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* hourly(8)
      const base = yield* memory.keys
      yield* produce(cluster, 8)
      for (let at = 1; ; at++) {
        for (const when of ["before", "after"] as const) {
          const dying = dyingAt(store, at, when)
          const exit = yield* Effect.exit(attempt(request(8), { segmentBytes, store: dying.store }))
          yield* store.list("_kafka-backup/locks/").pipe(Stream.runForEach(({ key }) => store.delete(key)))
          if (Exit.isFailure(exit)) yield* attempt(request(8), { segmentBytes })
          const { damage, segments } = yield* segmentsOf(store, 8)
          assert.deepStrictEqual(damage, [], `call ${at}, ${when}`)
          assert.isTrue(segments.some((all) => all.length < 9))
          yield* assertHoldsAll(cluster, store, idOf(8), topics)
          for (const key of yield* memory.keys) if (!base.includes(key)) yield* store.delete(key)
          if (Exit.isSuccess(exit)) return
        }
      }
    }).pipe(Effect.provide(layer))
  )
})
