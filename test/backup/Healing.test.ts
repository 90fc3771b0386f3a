import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Stream } from "effect"
import * as Healing from "../../src/backup/Healing.ts"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { damageOf, ids, incremental, lose, markAltered, more, segmentsOf, slots } from "./stories.ts"
import { aRequest, assertHoldsAll, attempt, dyingAt, fill, layer, someTopics, world } from "./world.ts"

const settings = { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false } as const
describe("Healing.decide", () => {
  const segment = (start: number, compressed_size = 10) => ({ key: `${start}`, start_offset: start, compressed_size })
  const all = Array.from({ length: 40 }, (_, i) => segment(i))
  const decide = (damaged: number, isCompacted = false, segments = all) =>
    Healing.decide(segments, ({ start_offset }) => start_offset < damaged, isCompacted)

  it("reads damaged objects one by one, up to half of the partition's bytes, and a few in any case", () => {
    assert.deepStrictEqual(decide(0), { _tag: "Heal", damaged: [] })
    assert.deepStrictEqual(decide(2), { _tag: "Heal", damaged: [0, 1] })
    assert.strictEqual(decide(20)._tag, "Heal")
    assert.deepStrictEqual(decide(21), { _tag: "Full", reason: "ObjectsMissing" })
    assert.strictEqual(decide(8, false, all.slice(0, 8))._tag, "Heal")
    assert.strictEqual(decide(9, false, all.slice(0, 9))._tag, "Full")
  })

  it("reads compacted topics in full as soon as one object is damaged", () => {
    assert.strictEqual(decide(0, true)._tag, "Heal")
    assert.deepStrictEqual(decide(1, true), { _tag: "Full", reason: "DamagedCompacted" })
  })
})

describe("a damaged earlier backup", () => {
  it.live("is healed by the next one, for all backups that name its objects, if the bytes come out the same", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      yield* more(cluster)
      yield* attempt(incremental(slots[1]))
      const [first, second, third] = yield* segmentsOf(store, ids[1])
      yield* lose(store, first!)
      yield* markAltered(yield* world, third!)
      assert.lengthOf(yield* damageOf(store, ids[0]), 2)
      yield* more(cluster)
      const { facts, healed } = yield* attempt(incremental(slots[2]))
      assert.deepStrictEqual(
        healed,
        [first!, third!].map(({ end_offset, key, start_offset }) => ({
          topic: "orders",
          partition: 0,
          from: start_offset,
          until: end_offset + 1,
          key,
          isPutBack: true
        }))
      )
      assert.strictEqual(facts.base?.backupId, ids[1])
      assert.deepStrictEqual(
        [facts.totals.newRecords, facts.references!.map(({ folder }) => folder)],
        [10, ids.slice(0, 2)]
      )
      assert.isUndefined(facts.topics.find(({ name }) => name === "orders")!.partitions[0]!.full)
      for (const id of ids) assert.deepStrictEqual(yield* damageOf(store, id), [])
      for (const id of ids) assert.deepStrictEqual(yield* Damage.read(store, id), [])
      assert.deepStrictEqual((yield* segmentsOf(store, ids[2])).slice(0, 3), [first!, second!, third!])
      yield* assertHoldsAll(cluster, store, ids[2], someTopics)
      const notes = facts.notes.join("\n")
      assert.include(notes, "2 objects of earlier backups were missing or damaged")
      assert.include(notes, "2 objects of earlier backups are right again in storage")
    }).pipe(Effect.provide(layer))
  )

  it.live("of whose object the log has only a part stays damaged, is marked so, and the next one is whole", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const [first] = yield* segmentsOf(store, ids[0])
      yield* lose(store, first!)
      const records = first!.record_count
      yield* cluster.deleteRecordsBefore("orders", 0, 3)
      const { facts, healed, retention } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual(
        healed?.map(({ isPutBack }) => isPutBack),
        [false]
      )
      const partition = facts.topics.find(({ name }) => name === "orders")!.partitions[0]!
      assert.deepStrictEqual([partition.from, partition.logStart, facts.totals.newRecords], [3, undefined, records - 3])
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
      assert.deepStrictEqual(
        (yield* Damage.read(store, ids[0])).map(({ key }) => key),
        [first!.key]
      )
      assert.isFalse((yield* memory.keys).some((key) => key === first!.key))
      const last = first!.end_offset
      assert.include([...facts.notes], "1 earlier backup stays damaged")
      // Which one it is, is said once.
      const named = [...facts.notes, ...retention.notes].filter((note) => note.includes(ids[0]))
      assert.deepStrictEqual(named, [
        `${ids[0]} is damaged and does not count for retention: orders[0] offsets 0-${last}: the object was missing or altered when the next backup was made`
      ])
      assert.includeMembers(
        [...facts.notes],
        [
          `1 object of earlier backups was missing or damaged, and what Kafka still has of it was read again: orders[0] offsets 3-${last}`,
          "Kafka has deleted what damaged objects held at orders[0] offsets 0-2: these offsets are gone for good, unless a backup that does not name those objects holds them"
        ]
      )
      assert.deepStrictEqual(
        healed?.map(({ lost }) => lost),
        [[{ from: 0, until: 3 }]]
      )
      // The next one builds on the whole one and has nothing to heal.
      const next = yield* attempt(incremental(slots[2]))
      assert.deepStrictEqual([next.healed, next.facts.totals.newRecords], [[], 0])
    }).pipe(Effect.provide(layer))
  )

  it.live("is put back as it was written, by codec and level, whatever the settings are now", () =>
    Effect.gen(function* () {
      for (const compression of ["zstd", "lz4", "none"] as const) {
        yield* Effect.gen(function* () {
          const { cluster, store } = yield* world
          yield* fill(cluster)
          yield* attempt(aRequest(slots[0], { settings: { ...settings, compression, compressionLevel: 7 } }))
          for (const segment of (yield* segmentsOf(store, ids[0])).slice(0, 3)) yield* lose(store, segment)
          const { healed } = yield* attempt(
            aRequest(slots[1], { incremental: {}, settings: { ...settings, compressionLevel: 1 } })
          )
          assert.deepStrictEqual(
            healed?.map(({ isPutBack }) => isPutBack),
            [true, true, true],
            compression
          )
          for (const id of ids.slice(0, 2)) assert.deepStrictEqual(yield* damageOf(store, id), [])
        }).pipe(Effect.provide(layer))
      }
    })
  )

  it.live("stays damaged where the store lets nobody write into it, and the next one is whole", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const [first] = yield* segmentsOf(store, ids[0])
      yield* markAltered(yield* world, first!)
      const writeOnce: ObjectStoreShape = {
        ...store,
        put: (key, pieces, options) =>
          key.startsWith(`${ids[0]}/topics/`)
            ? store.put(key, pieces, { ...options, ifAbsent: true })
            : store.put(key, pieces, options)
      }
      const { facts, healed } = yield* attempt(incremental(slots[1]), { store: writeOnce })
      assert.deepStrictEqual(
        healed?.map(({ isPutBack }) => isPutBack),
        [false]
      )
      assert.include(facts.notes.join("\n"), "1 object could not be put back, and the earlier backups stay damaged")
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
      assert.lengthOf(yield* Damage.read(store, ids[0]), 1)
      assert.deepStrictEqual(yield* Damage.read(store, ids[1]), [])
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("of a compacted topic is read in full: its log may lack deletions that the damaged object held", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { configs: { "cleanup.policy": "compact" } })
      for (let i = 0; i < 60; i++) {
        const value = i === 40 ? null : `value ${i} `.repeat(20)
        yield* cluster.produce("orders", 0, [{ key: `k${i % 40}`, value }])
      }
      yield* attempt(incremental(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      assert.isAbove(segments.length, 1)
      yield* lose(store, segments.at(-1)!)
      const { facts } = yield* attempt(incremental(slots[1]))
      assert.strictEqual(facts.topics[0]!.partitions[0]!.full, "DamagedCompacted")
      yield* assertHoldsAll(cluster, store, ids[1], { orders: 1 })
    }).pipe(Effect.provide(layer))
  )

  it.live("that no longer has what the log no longer has, either, leaves out just that", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      yield* lose(store, segments[1]!)
      const start = segments[3]!.start_offset
      // Kafka's retention goes on while the run is planned: the damaged range is lost between plan and reading.
      let isDue = true
      const losing = (source: KafkaSourceShape): KafkaSourceShape => ({
        ...source,
        read: (range) =>
          Stream.unwrap(
            Effect.gen(function* () {
              if (isDue && range.from === segments[1]!.start_offset) {
                isDue = false
                yield* cluster.deleteRecordsBefore("orders", 0, start)
              }
              return source.read(range)
            })
          )
      })
      const { facts, healed } = yield* attempt(incremental(slots[1]), { kafka: losing })
      assert.deepStrictEqual(
        healed?.map(({ isPutBack }) => isPutBack),
        [false]
      )
      const { end_offset, start_offset: from } = segments[1]!
      assert.deepStrictEqual(
        healed?.map(({ lost }) => lost),
        [[{ from, until: end_offset + 1 }]]
      )
      assert.include(
        [...facts.notes],
        "1 object of earlier backups was missing or damaged, and Kafka has deleted all that was in it"
      )
      assert.deepStrictEqual(facts.gaps, [
        { topic: "orders", partition: 0, from, until: end_offset + 1, reason: "offset_out_of_range" }
      ])
      assert.deepStrictEqual(
        (yield* segmentsOf(store, ids[1])).map(({ key }) => key),
        segments.filter((_, i) => i !== 1).map(({ key }) => key)
      )
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
    }).pipe(Effect.provide(layer))
  )

  it.live("whose log is replaced while it is read again is read in full", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders")
      for (let i = 0; i < 40; i++) yield* cluster.produce("orders", 0, [{ value: `value ${i} `.repeat(30) }])
      yield* attempt(incremental(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      assert.isAbove(segments.length, 2)
      yield* lose(store, segments[1]!)
      let isDue = true
      const replacing = (source: KafkaSourceShape): KafkaSourceShape => ({
        ...source,
        read: (range) =>
          Stream.unwrap(
            Effect.gen(function* () {
              if (isDue && range.from === segments[1]!.start_offset) {
                isDue = false
                yield* cluster.truncate("orders", 0, 2)
                for (let i = 0; i < 40; i++) yield* cluster.produce("orders", 0, [{ value: `other ${i} `.repeat(30) }])
              }
              return source.read(range)
            })
          )
      })
      const { facts } = yield* attempt(incremental(slots[1]), { kafka: replacing })
      assert.strictEqual(facts.topics[0]!.partitions[0]!.full, "LogReplaced")
      const found = yield* damageOf(store, ids[1])
      assert.deepStrictEqual(found, [])
      const stored = yield* segmentsOf(store, ids[1])
      assert.isTrue(stored.every(({ key }) => key.startsWith(ids[1])))
    }).pipe(Effect.provide(layer))
  )

  it.live("is no ground to stop late: what was not read again yet is left to the next attempt", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(incremental(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      yield* lose(store, segments[0]!)
      const stop = yield* Deferred.make<void>()
      const stuck = (source: KafkaSourceShape): KafkaSourceShape => ({
        ...source,
        read: (range) =>
          // The preflight of the plan reads one offset.
          range.until - range.from > 1
            ? Stream.unwrap(Effect.as(Deferred.succeed(stop, undefined), Stream.never))
            : source.read(range)
      })
      const stopped = yield* Effect.flip(attempt(incremental(slots[1]), { kafka: stuck, stop }))
      assert.strictEqual(stopped.reason._tag, "Interrupted")
      const { healed } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual(
        healed?.map(({ isPutBack }) => isPutBack),
        [true]
      )
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
    }).pipe(Effect.provide(layer))
  )
})

describe("a run that heals", () => {
  const damaged = Effect.gen(function* () {
    const { cluster, memory, store } = yield* world
    yield* cluster.createTopic("orders")
    for (let i = 0; i < 24; i++) yield* cluster.produce("orders", 0, [{ value: `value ${i} `.repeat(60) }])
    yield* attempt(incremental(slots[0]))
    const segments = yield* segmentsOf(store, ids[0])
    assert.isAbove(segments.length, 2)
    const image = new Map<string, Uint8Array>()
    for (const key of yield* memory.keys) image.set(key, yield* store.get(ObjectKey.make(key)))
    const again = Effect.gen(function* () {
      for (const key of yield* memory.keys) if (!image.has(key)) yield* store.delete(ObjectKey.make(key))
      for (const [key, bytes] of image) yield* store.put(ObjectKey.make(key), [bytes])
      yield* lose(store, segments[0]!)
      yield* markAltered(yield* world, segments[2]!)
    })
    yield* more(cluster)
    return { again, cluster, store }
  })

  const expireLocks = (store: ObjectStoreShape) =>
    store.list("_kafka-backup/locks/").pipe(Stream.runForEach(({ key }) => store.delete(key)))

  it.live("heals the same wherever it dies among its calls to storage", () =>
    Effect.gen(function* () {
      const { again, cluster, store } = yield* damaged
      for (let at = 1; ; at++) {
        yield* again
        // To die before a call leaves what dying after the one before it does.
        const exit = yield* Effect.exit(attempt(incremental(slots[1]), { store: dyingAt(store, at, "after").store }))
        yield* expireLocks(store)
        const place = `call ${at}`
        if (Exit.isFailure(exit)) {
          const { alreadyComplete, healed } = yield* attempt(incremental(slots[1]))
          if (!alreadyComplete)
            assert.deepStrictEqual(
              healed?.map(({ isPutBack }) => isPutBack),
              [true, true],
              place
            )
        }
        for (const id of ids.slice(0, 2)) {
          assert.deepStrictEqual(yield* damageOf(store, id), [], place)
          assert.deepStrictEqual(yield* Damage.read(store, id), [], place)
        }
        yield* assertHoldsAll(cluster, store, ids[1], { orders: 1 })
        if (Exit.isSuccess(exit)) return
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("heals the same wherever it dies among its reads from Kafka", () =>
    Effect.gen(function* () {
      const { again, cluster, store } = yield* damaged
      for (let at = 1; ; at++) {
        yield* again
        let calls = 0
        const met = <A, E>(call: Effect.Effect<A, E>) =>
          Effect.suspend(() => (++calls >= at ? Effect.die("killed") : call))
        const dying = (source: KafkaSourceShape): KafkaSourceShape => ({
          ...source,
          offsets: (partitions, kind) => met(source.offsets(partitions, kind)),
          lineage: (places) => met(source.lineage(places)),
          cleanup: (names) => met(source.cleanup(names)),
          read: (range) =>
            source
              .read(range)
              .pipe(Stream.tap((element) => Effect.onError(met(Effect.void), () => Effect.sync(element.release))))
        })
        const exit = yield* Effect.exit(attempt(incremental(slots[1]), { kafka: dying }))
        yield* expireLocks(store)
        if (Exit.isFailure(exit)) yield* attempt(incremental(slots[1]))
        for (const id of ids.slice(0, 2)) assert.deepStrictEqual(yield* damageOf(store, id), [], `call ${at}`)
        yield* assertHoldsAll(cluster, store, ids[1], { orders: 1 })
        if (Exit.isSuccess(exit)) return
      }
    }).pipe(Effect.provide(layer))
  )
})
