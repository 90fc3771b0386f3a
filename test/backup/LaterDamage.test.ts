import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Stream } from "effect"
import type { KafkaSourceShape } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Damage from "../../src/manifest/Damage.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { damageOf, ids, incremental, lose, markAltered, more, segmentsOf, slots } from "./stories.ts"
import { assertHoldsAll, attempt, dyingAt, fill, layer, someTopics, storedRecords, world } from "./world.ts"

/** Objects of the earlier backup that are lost, altered or marked after the plan of the run was stored. */

/** Something happens once, between the plan and the reading of what is new. */
const meanwhile =
  <E>(what: Effect.Effect<unknown, E>, from?: number) =>
  (source: KafkaSourceShape): KafkaSourceShape => {
    let isDue = true
    return {
      ...source,
      read: (range) => {
        // The preflight of the plan reads one offset.
        const isIt = isDue && range.until - range.from > 1 && (from === undefined || range.from === from)
        if (!isIt) return source.read(range)
        isDue = false
        return Stream.unwrap(Effect.as(Effect.orDie(what), source.read(range)))
      }
    }
  }

const partitionOf = <P extends { readonly partition: number }>(
  { topics }: { readonly topics: ReadonlyArray<{ readonly name: string; readonly partitions: ReadonlyArray<P> }> },
  partition = 0
) => topics.find(({ name }) => name === "orders")!.partitions.find((one) => one.partition === partition)!

/** A cluster with an earlier backup of it, and records since. */
const begun = Effect.gen(function* () {
  const { cluster, memory, store } = yield* world
  yield* fill(cluster)
  yield* attempt(incremental(slots[0]))
  const segments = yield* segmentsOf(store, ids[0])
  yield* more(cluster)
  return { cluster, memory, segments, store }
})

const assertBothWhole = Effect.fnUntraced(function* (cluster: InMemoryCluster, store: ObjectStoreShape) {
  for (const id of ids.slice(0, 2)) {
    assert.deepStrictEqual(yield* damageOf(store, id), [])
    assert.deepStrictEqual(yield* Damage.read(store, id), [])
  }
  yield* assertHoldsAll(cluster, store, ids[1], someTopics)
})

describe("damage that is recorded after the plan", () => {
  it.live("is healed by the attempt after one that was killed", () =>
    Effect.gen(function* () {
      const all = yield* begun
      const { cluster, segments, store } = all
      const killed = yield* Effect.exit(attempt(incremental(slots[1]), { kafka: meanwhile(Effect.die("killed")) }))
      assert.isTrue(Exit.isFailure(killed))
      yield* markAltered(all, segments[1]!)
      const { attempt: number, healed } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual([number, healed?.map(({ key }) => key)], [2, [segments[1]!.key]])
      yield* assertBothWhole(cluster, store)
    }).pipe(Effect.provide(layer))
  )

  it.live("is healed by the same process before it commits", () =>
    Effect.gen(function* () {
      const all = yield* begun
      const { cluster, segments, store } = all
      const kafka = meanwhile(markAltered(all, segments[1]!))
      const { facts, healed } = yield* attempt(incremental(slots[1]), { kafka })
      assert.deepStrictEqual(
        healed?.map(({ key }) => key),
        [segments[1]!.key]
      )
      assert.deepStrictEqual([partitionOf(facts).full, facts.totals.newRecords], [undefined, 10])
      yield* assertBothWhole(cluster, store)
    }).pipe(Effect.provide(layer))
  )

  it.live("is healed once, where the store takes the object back but not the record that it is right", () =>
    Effect.gen(function* () {
      const all = yield* begun
      const { cluster, segments, store } = all
      yield* markAltered(all, segments[1]!)
      // Its documents of damage are listed as they were, whatever is written.
      const damage = `${ids[0]}/damage/`
      const listed = yield* Stream.runCollect(store.list(damage))
      const texts = new Map<string, Uint8Array>()
      for (const { key } of listed) texts.set(key, yield* store.get(key))
      const lagging: ObjectStoreShape = {
        ...store,
        list: (prefix) => (prefix === damage ? Stream.fromIterable(listed) : store.list(prefix)),
        get: (key) => (texts.has(key) ? Effect.succeed(texts.get(key)!) : store.get(key))
      }
      const { attempt: number, healed } = yield* attempt(incremental(slots[1]), { store: lagging })
      assert.deepStrictEqual([number, healed?.map(({ isPutBack }) => isPutBack)], [1, [true]])
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
    }).pipe(Effect.provide(layer))
  )
})

describe("an object that goes missing after the plan", () => {
  it.live("is healed, and nothing else is read again", () =>
    Effect.gen(function* () {
      const { cluster, segments, store } = yield* begun
      const kafka = meanwhile(lose(store, segments[1]!))
      const { facts, healed } = yield* attempt(incremental(slots[1]), { kafka })
      assert.deepStrictEqual(
        healed?.map(({ isPutBack, key }) => [key, isPutBack]),
        [[segments[1]!.key, true]]
      )
      assert.deepStrictEqual([partitionOf(facts).full, facts.totals.newRecords], [undefined, 10])
      assert.notInclude(facts.notes.join("\n"), "removed or changed")
      yield* assertBothWhole(cluster, store)
    }).pipe(Effect.provide(layer))
  )

  it.live("is healed by the attempt after one that was killed", () =>
    Effect.gen(function* () {
      const { cluster, segments, store } = yield* begun
      yield* Effect.exit(attempt(incremental(slots[1]), { kafka: meanwhile(Effect.die("killed")) }))
      yield* lose(store, segments[1]!)
      const { attempt: number, facts, healed } = yield* attempt(incremental(slots[1]))
      assert.deepStrictEqual([number, healed?.map(({ key }) => key)], [2, [segments[1]!.key]])
      assert.isUndefined(partitionOf(facts).full)
      yield* assertBothWhole(cluster, store)
    }).pipe(Effect.provide(layer))
  )

  it.live("makes one partition be read in full, and another be healed, in one attempt more", () =>
    Effect.gen(function* () {
      const { cluster, memory, store } = yield* world
      yield* fill(cluster)
      yield* cluster.createTopic("compacted", { configs: { "cleanup.policy": "compact" } })
      for (let i = 0; i < 20; i++) yield* cluster.produce("compacted", 0, [{ key: `k${i}`, value: "v".repeat(400) }])
      yield* attempt(incremental(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      yield* more(cluster)
      const compacted = (yield* memory.keys).filter((key) => key.includes("/topics/compacted/"))
      assert.isAbove(compacted.length, 1)
      const both = Effect.andThen(lose(store, segments[1]!), store.delete(ObjectKey.make(compacted[0]!)))
      const { attempt: number, facts, healed } = yield* attempt(incremental(slots[1]), { kafka: meanwhile(both) })
      assert.deepStrictEqual([number, healed?.map(({ key }) => key)], [2, [segments[1]!.key]])
      assert.strictEqual(facts.topics.find(({ name }) => name === "compacted")!.partitions[0]!.full, "DamagedCompacted")
      assert.include(facts.notes.join("\n"), "1 partition was read in full: objects of the earlier backup are missing")
      yield* assertHoldsAll(cluster, store, ids[1], { ...someTopics, compacted: 1 })
      assert.deepStrictEqual(yield* damageOf(store, ids[1]), [])
    }).pipe(Effect.provide(layer))
  )
})

describe("a run that finds damage before it commits", () => {
  it.live("heals the same where it dies among its calls to storage", () =>
    Effect.gen(function* () {
      const all = yield* world
      const { cluster, memory, store } = all
      yield* cluster.createTopic("orders")
      for (let i = 0; i < 24; i++) yield* cluster.produce("orders", 0, [{ value: `value ${i} `.repeat(60) }])
      yield* attempt(incremental(slots[0]))
      const segments = yield* segmentsOf(store, ids[0])
      assert.isAbove(segments.length, 2)
      const image = new Map<string, Uint8Array>()
      for (const key of yield* memory.keys) image.set(key, yield* store.get(ObjectKey.make(key)))
      yield* more(cluster)
      const damaging = Effect.andThen(lose(store, segments[0]!), markAltered(all, segments[1]!))
      const again = Effect.gen(function* () {
        for (const key of yield* memory.keys) if (!image.has(key)) yield* store.delete(ObjectKey.make(key))
        for (const [key, bytes] of image) yield* store.put(ObjectKey.make(key), [bytes])
      })
      // One that lives: its calls from the damage to the manifest are those to die at.
      let [from, to] = [0, 0]
      const living = dyingAt(store, Number.MAX_SAFE_INTEGER, "after")
      const watched: ObjectStoreShape = {
        ...living.store,
        put: (key, pieces, options) =>
          Effect.tap(living.store.put(key, pieces, options), () =>
            Effect.sync(() => {
              if (key === `${ids[1]}/manifest.json`) to = living.calls()
            })
          )
      }
      const noting = Effect.andThen(
        Effect.sync(() => (from = living.calls())),
        damaging
      )
      const alive = yield* attempt(incremental(slots[1]), { store: watched, kafka: meanwhile(noting) })
      assert.strictEqual(alive.attempt, 2)
      assert.isAbove(to - from, 20)
      // Each third is enough to be in every step.
      for (let at = from; at < to; at += 3) {
        yield* again
        const dying = { store: dyingAt(store, at, "after").store, kafka: meanwhile(damaging) }
        const exit = yield* Effect.exit(attempt(incremental(slots[1]), dying))
        assert.isTrue(Exit.isFailure(exit))
        // Two minutes later: the lock of the dead process has expired.
        for (const key of yield* memory.keys) if (key.includes("/locks/")) yield* store.delete(ObjectKey.make(key))
        yield* attempt(incremental(slots[1]))
        for (const id of ids.slice(0, 2)) {
          assert.deepStrictEqual(yield* damageOf(store, id), [], `call ${at}`)
          assert.deepStrictEqual(yield* Damage.read(store, id), [], `call ${at}`)
        }
        yield* assertHoldsAll(cluster, store, ids[1], { orders: 1 })
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("what Kafka has of a damaged object", () => {
  it.live("does not stand for it if it is fewer records: compaction may have dropped a deletion", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* cluster.createTopic("orders", { configs: { "cleanup.policy": "compact" } })
      for (let i = 0; i < 60; i++) {
        const value = i === 40 ? null : `value ${i} `.repeat(20)
        yield* cluster.produce("orders", 0, [{ key: `k${i % 40}`, value }])
      }
      yield* attempt(incremental(slots[0]))
      yield* cluster.compact("orders", 0, { tombstones: "drop", emptied: "drop" })
      // The second backup, and every later one, knows the topic as one that is not compacted.
      yield* cluster.writeWire.alterConfigs("orders", { "cleanup.policy": "delete" })
      yield* more(cluster)
      const second = yield* attempt(incremental(slots[1]))
      assert.isUndefined(partitionOf(second.facts).full)
      const segments = yield* segmentsOf(store, ids[1])
      yield* lose(
        store,
        segments.find(({ end_offset, start_offset }) => start_offset <= 40 && end_offset >= 40)!
      )
      const { facts } = yield* attempt(incremental(slots[2]))
      assert.strictEqual(partitionOf(facts).full, "DamagedCompacted")
      yield* assertHoldsAll(cluster, store, ids[2], { orders: 1 })
      assert.notInclude(
        (yield* storedRecords(store, ids[2], "orders", 0)).map(({ key }) => Buffer.from(key!).toString()),
        "k0"
      )
      assert.include(facts.notes.join("\n"), "1 partition was read in full: objects of the earlier backup are missing")
    }).pipe(Effect.provide(layer))
  )
})

describe("putting back", () => {
  it.live("that is stopped says nothing of the objects that it has not looked at", () =>
    Effect.gen(function* () {
      const all = yield* begun
      const { cluster, segments, store } = all
      for (const segment of segments.slice(0, 6)) yield* lose(store, segment)
      const stop = yield* Deferred.make<void>()
      const stopping: ObjectStoreShape = {
        ...store,
        read: (key) =>
          key.startsWith(`${ids[0]}/topics/`)
            ? Stream.unwrap(Effect.as(Deferred.succeed(stop, undefined), store.read(key)))
            : store.read(key)
      }
      const { facts, healed } = yield* attempt(incremental(slots[1]), { store: stopping, stop })
      const putBack = healed!.filter(({ isPutBack }) => isPutBack).length
      assert.isAbove(putBack, 0)
      assert.isBelow(putBack, 6)
      assert.deepStrictEqual(yield* Damage.read(store, ids[0]), [])
      assert.include(
        facts.notes.join("\n"),
        `the run was stopped before it looked at ${6 - putBack} objects of earlier backups`
      )
      yield* assertHoldsAll(cluster, store, ids[1], someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.live("finds an object right that somebody else has put back at the same time", () =>
    Effect.gen(function* () {
      const { cluster, segments, store } = yield* begun
      const [first] = segments
      const key = ObjectKey.make(first!.key)
      const bytes = yield* store.get(key)
      yield* lose(store, first!)
      const overtaken: ObjectStoreShape = {
        ...store,
        put: (at, pieces, options) =>
          at === key
            ? Effect.andThen(store.put(key, [bytes]), store.put(at, pieces, options))
            : store.put(at, pieces, options)
      }
      const { healed } = yield* attempt(incremental(slots[1]), { store: overtaken })
      assert.deepStrictEqual(
        healed?.map(({ isPutBack }) => isPutBack),
        [true]
      )
      yield* assertBothWhole(cluster, store)
    }).pipe(Effect.provide(layer))
  )
})
