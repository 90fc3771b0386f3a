import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { Cut } from "../../src/restore/Cut.ts"
import * as Restore from "../../src/restore/Restore.ts"
import type { Offsets } from "../../src/restore/RestoreRequest.ts"
import { random } from "../segment/arbitraryRecords.ts"
import { aRestore, backUp, backUpAs, formats, inTime, layer, plain, restore, slot, systems, worlds } from "./world.ts"

const backupMillis = Date.parse(slot)
const minute = 60_000

/** `slot` is the time of the backup: what was produced is older. */
const atBackupTime = TestClock.setTime(backupMillis)

const at = (minutes: number, key = "key") => ({ key, value: `at minute ${minutes}`, timestamp: minutes * minute })

/** Two partitions whose timestamps jump back and forth, with transactions and a log that may begin late. */
const fill = Effect.fnUntraced(function* (source: InMemoryCluster, next: () => number) {
  const below = (n: number) => Math.floor(next() * n)
  yield* source.createTopic("orders", { partitions: 2 })
  let minutes = 1000
  const some = () =>
    Array.from({ length: 1 + below(25) }, () => {
      minutes += below(3)
      return at(next() < 0.1 ? minutes - below(60) : minutes, `key ${below(20)}`)
    })
  for (const partition of [0, 1]) {
    for (let i = below(12); i >= 0; i--) {
      if (next() < 0.2) {
        const transaction = yield* source.beginTransaction()
        yield* transaction.produce("orders", partition, some())
        yield* next() < 0.5 ? transaction.commit : transaction.abort
      } else yield* source.produce("orders", partition, some())
    }
  }
  if (next() < 0.5) yield* source.deleteRecordsBefore("orders", 0, below(5))
  return minutes
})

const bounds = Effect.fnUntraced(function* (cluster: InMemoryCluster, topic: string, partition: number) {
  const opened = yield* (yield* KafkaSources).open({ bootstrapServers: [cluster.wire.location] })
  const [start] = yield* opened.offsets([{ topic, partition }], "logStart")
  const [end] = yield* opened.offsets([{ topic, partition }], "highWatermark")
  return { start: start!.offset, end: end!.offset }
}, Effect.scoped)

/** The target is what a filter over the source's own records gives. */
const assertFiltered = Effect.fnUntraced(function* (topic: string, partition: number, cut: Cut, offsets: Offsets) {
  const { source, target } = yield* worlds
  const { first = -Infinity, last } = cut
  const kept = (yield* plain(source, topic, partition)).filter(
    ({ timestamp }) => timestamp >= first && timestamp <= last
  )
  const expected = offsets === "new" ? kept.map((record, offset) => ({ ...record, offset })) : kept
  assert.deepStrictEqual(yield* plain(target, topic, partition), expected, `${topic}[${partition}]`)
  const is = yield* bounds(target, topic, partition)
  const whole = yield* bounds(source, topic, partition)
  const start = offsets === "new" ? 0 : cut.first === undefined ? whole.start : (kept[0]?.offset ?? whole.start)
  assert.deepStrictEqual(is, { start, end: (expected.at(-1)?.offset ?? start - 1) + 1 }, `${topic}[${partition}]`)
})

/** An attempt that ends after some appends, without a chance to do anything more. */
const killedAfter = Effect.fnUntraced(function* (appends: number, request: ReturnType<typeof aRestore>) {
  const { target } = yield* worlds
  const before = (yield* target.counters).produceRequests
  const attempt = yield* Effect.forkChild(restore(request), { startImmediately: true })
  while (attempt.pollUnsafe() === undefined && (yield* target.counters).produceRequests < before + appends) {
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    yield* TestClock.adjust("100 millis")
  }
  yield* Fiber.interrupt(attempt)
})

describe("a point-in-time restore", () => {
  for (let seed = 1; seed <= 40; seed++) {
    it.effect(`gives what an independent filter gives, whatever the order of timestamps (seed ${seed})`, () =>
      Effect.gen(function* () {
        yield* atBackupTime
        const { source } = yield* worlds
        const next = random(seed * 7919)
        const latest = yield* fill(source, next)
        // Where batches are stored, nobody knows how early the records of a segment are.
        const backupId = yield* backUpAs(formats[seed % 2]!)
        const some = () => Math.floor(1000 + next() * (latest - 1000)) * minute + (next() < 0.3 ? -1 : 0)
        const [a, b] = [some(), some()]
        const cut: Cut = next() < 0.5 ? { last: a } : { first: Math.min(a, b), last: Math.max(a, b) }
        const offsets = next() < 0.5 ? "exact" : "new"
        const request = aRestore(backupId, { cut, offsets })
        const isEmpty = yield* Effect.map(
          Effect.forEach([0, 1], (partition) => plain(source, "orders", partition)),
          (found) =>
            found.flat().every(({ timestamp }) => {
              return timestamp > cut.last || timestamp < (cut.first ?? -Infinity)
            })
        )
        if (isEmpty) {
          const error = yield* Effect.flip(inTime(restore(request)))
          assert.include(error.message, "have none")
          return
        }
        for (let kills = Math.floor(next() * 4); kills > 0; kills--) {
          yield* killedAfter(1 + Math.floor(next() * 6), request)
        }
        const restored = yield* inTime(restore(request))
        yield* assertFiltered("orders", 0, cut, offsets)
        yield* assertFiltered("orders", 1, cut, offsets)
        const { target } = yield* worlds
        const found = yield* Effect.forEach([0, 1], (partition) => plain(target, "orders", partition))
        assert.strictEqual(restored.records, found.flat().length)
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("keeps the record of that very millisecond, and not that of the next", () =>
    Effect.gen(function* () {
      yield* atBackupTime
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      const times = [5000, 4999, 5001, 5000, -1]
      yield* source.produce(
        "orders",
        0,
        times.map((timestamp) => ({ key: "a", value: "b", timestamp }))
      )
      const backupId = yield* backUp
      const cut = { first: 5000, last: 5000 }
      yield* inTime(restore(aRestore(backupId, { cut })))
      yield* assertFiltered("orders", 0, cut, "exact")
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads only the segments that lie on both sides of the time before it writes", () =>
    Effect.gen(function* () {
      yield* atBackupTime
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      for (let i = 0; i < 40; i++) {
        yield* source.produce(
          "orders",
          0,
          Array.from({ length: 10 }, () => ({ ...at(i), value: `${i} ${"x".repeat(200)}` }))
        )
      }
      const backupId = yield* backUp
      const opened = yield* systems
      const read: Array<string> = []
      const store: typeof opened.store = {
        ...opened.store,
        read: (key) => {
          if (key.includes("/topics/")) read.push(key)
          return opened.store.read(key)
        }
      }
      const request = aRestore(backupId, { cut: { last: 20 * minute - 1 } })
      const { plan } = yield* Restore.prepare({ ...opened, store }, request)
      assert.isAbove(plan.topics[0]!.partitions[0]!.segments.length, 3)
      assert.isAtMost(read.length, 1)
      assert.strictEqual(plan.topics[0]!.partitions[0]!.records, 200)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("refuses a time after the backup, before anything is read or written", () =>
    Effect.gen(function* () {
      yield* atBackupTime
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, [at(1)])
      const backupId = yield* backUp
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId, { cut: { last: backupMillis + 1 } }))))
      assert.include(error.message, "2026-11-23T12:00:00.001Z")
      assert.include(error.message, "holds records until 2026-11-23T12:00:00Z only")
      assert.strictEqual((yield* target.counters).produceRequests, 0)
      yield* inTime(restore(aRestore(backupId, { cut: { last: backupMillis } })))
    }).pipe(Effect.provide(layer))
  )

  it.effect("restores a topic without a record at that time as an empty one, but refuses if all are", () =>
    Effect.gen(function* () {
      yield* atBackupTime
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.createTopic("late", { partitions: 2 })
      yield* source.createTopic("empty")
      yield* source.produce("orders", 0, [at(10), at(30)])
      yield* source.produce("late", 1, [at(20)])
      const backupId = yield* backUp
      const cut = { last: 15 * minute }
      yield* inTime(restore(aRestore(backupId, { cut })))
      yield* assertFiltered("orders", 0, cut, "exact")
      yield* assertFiltered("late", 1, cut, "exact")
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId, { topics: ["late"], cut }))))
      assert.include(error.message, "have none; their first record is of 1970-01-01T00:20:00Z")
      yield* inTime(restore(aRestore(backupId, { topics: ["empty"], topicMapping: new Map([["empty", "e2"]]), cut })))
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "says where an open transaction ended the backup, and where records of before the time may be missing",
    () =>
      Effect.gen(function* () {
        yield* atBackupTime
        const { source } = yield* worlds
        yield* source.createTopic("orders", { partitions: 3 })
        yield* source.createTopic("mails")
        yield* source.produce("mails", 0, [at(10)])
        for (const [partition, minutes] of [10, 30].entries()) yield* source.produce("orders", partition, [at(minutes)])
        const hangs = yield* source.beginTransaction()
        for (const partition of [0, 1, 2]) yield* hangs.produce("orders", partition, [at(11)])
        for (const partition of [0, 1, 2]) yield* source.produce("orders", partition, [at(12), at(13)])
        const backupId = yield* backUp
        const opened = yield* systems
        const notes = (changes: Parameters<typeof aRestore>[1]) =>
          Effect.map(Restore.prepare(opened, aRestore(backupId, changes)), ({ plan }) => plan.notes)
        const missing = `backup ${backupId} was made while transactions were open, and does not have`
        const all = `${missing} orders[0] offsets 1 to 3, orders[1] offsets 1 to 3, orders[2] offsets 0 to 2`
        assert.deepStrictEqual(yield* notes({}), [all])
        assert.deepStrictEqual(yield* notes({ cut: { last: 20 * minute } }), [
          all,
          "records until 1970-01-01T00:20:00Z may be missing for that reason in orders[0] (newest of 1970-01-01T00:10:00Z), orders[2] (no record)"
        ])
        assert.deepStrictEqual(yield* notes({ topics: ["mails"] }), [])
        assert.deepStrictEqual(yield* notes({ sourcePartitions: new Map([["orders", new Set([1])]]) }), [
          `${missing} orders[1] offsets 1 to 3`
        ])
      }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("takes up only what was written for the same time", () =>
    Effect.gen(function* () {
      yield* atBackupTime
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, [at(10), at(20), at(30)])
      const backupId = yield* backUp
      yield* inTime(restore(aRestore(backupId, { cut: { last: 15 * minute } })))
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId, { cut: { last: 25 * minute } }))))
      assert.include(error.message, "orders holds records already")
    }).pipe(Effect.provide(layer))
  )
})
