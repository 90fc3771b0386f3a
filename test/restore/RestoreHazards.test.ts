import { randomBytes } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule } from "effect"
import * as Restore from "../../src/restore/Restore.ts"
import * as Backup from "../backup/world.ts"
import { aRestore, assertSame, backUp, inTime, layer, limitedTo, options, restore, systems, worlds } from "./world.ts"

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: `key ${i}`, value: `value ${i} ${"x".repeat(40)}`, timestamp: i }))

/** How a restore ends whose topic is made anew, with so many records, while a broker is late with `operation`. */
const madeAnew = Effect.fnUntraced(function* (operation: "produce" | "records", count: number) {
  const { source, target } = yield* worlds
  yield* source.createTopic("orders")
  yield* source.produce("orders", 0, records(30))
  yield* source.deleteRecordsBefore("orders", 0, 20)
  const backupId = yield* backUp
  yield* target.inject({ _tag: "Delayed", millis: 60_000 }, { operation })
  const attempt = yield* Effect.forkChild(Effect.flip(inTime(restore(aRestore(backupId)))), { startImmediately: true })
  const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  while ((yield* target.counters).produceRequests === 0) yield* turn
  for (let i = 0; i < 20; i++) yield* turn
  yield* target.createTopic("orders")
  yield* target.produce("orders", 0, records(count))
  return { error: yield* Fiber.join(attempt), target }
})

describe("a restore", () => {
  it.effect("does not take itself for another attempt when the answer about a producer is lost", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", { partitions: 2 })
      for (const partition of [0, 1]) yield* source.produce("orders", partition, records(40))
      const backupId = yield* backUp
      yield* target.inject({ _tag: "AnswerLost" }, { operation: "producer", after: 1, times: 2 })
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", after: 2, times: 3 })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 2)
    }).pipe(Effect.provide(layer))
  )

  it.effect("that has written for longer than its patience still waits for a broker that goes away", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      for (let at = 0; at < 10; at++) yield* source.produce("orders", 0, records(20))
      const backupId = yield* backUp
      // Every batch takes 2 min: together they take longer than the 10 min that a partition may make no progress.
      yield* target.inject({ _tag: "Delayed", millis: 120_000 }, { operation: "produce", times: 36 })
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", times: 2 })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("writes nothing behind records that too few replicas have", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      for (let at = 0; at < 10; at++) yield* source.produce("orders", 0, records(20))
      const backupId = yield* backUp
      // Not the restore's own: there nothing could be written anew.
      yield* target.createTopic("orders")
      yield* target.inject({ _tag: "Uncommitted", millis: 90_000 }, { operation: "produce", after: 3, times: 2 })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("sends nothing behind a batch that was not appended, however slow it is", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      for (let at = 0; at < 10; at++) yield* source.produce("orders", 0, records(20))
      const backupId = yield* backUp
      yield* target.createTopic("orders")
      // Each batch waits until the one before it is answered, and a broker that knows no producer takes any of them.
      yield* Effect.forkScoped(Effect.repeat(target.forgetProducers, Schedule.spaced("1 second")))
      yield* target.inject({ _tag: "Code", code: 19 }, { operation: "produce", after: 3 })
      yield* inTime(restore(aRestore(backupId, { bytesPerSecond: 100 })))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("keeps no more bytes of unanswered batches than its memory allows, and gives back what failed", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", { partitions: 4 })
      const large = Array.from({ length: 20 }, (_, i) => ({ key: `${i}`, value: "x".repeat(1000), timestamp: i }))
      for (let partition = 0; partition < 4; partition++) yield* source.produce("orders", partition, large)
      const request = aRestore(yield* backUp, { compression: "none" })
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", after: 10, times: 3 })
      yield* target.inject({ _tag: "Delayed", millis: 1000 }, { operation: "produce", times: 1000 })
      const opened = yield* systems
      const sizes: Array<number> = []
      let unanswered = 0
      const append: typeof opened.sink.append = (one) => {
        const bytes = one.batch.reduce((sum, { length }) => sum + length, 0)
        sizes.push((unanswered += bytes))
        return Effect.ensuring(
          opened.sink.append(one),
          Effect.sync(() => (unanswered -= bytes))
        )
      }
      const systemsSeen = { ...opened, sink: { ...opened.sink, append } }
      const prepared = yield* Restore.prepare(systemsSeen, request)
      const within = { ...options, openPartitions: 4, batchMemoryBytes: 5000 }
      yield* inTime(Restore.run(systemsSeen, request, prepared, within))
      assert.isAtMost(Math.max(...sizes), 5000 + 4 * 61)
      yield* assertSame(source, target, "orders", 4)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("fails when too few replicas have its records for longer than its patience, and goes on later", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      for (let at = 0; at < 10; at++) yield* source.produce("orders", 0, records(20))
      const backupId = yield* backUp
      yield* target.inject({ _tag: "Uncommitted", millis: 1_200_000 }, { operation: "produce", after: 3 })
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.match(error.message, /offsets \d+ to \d+ of orders\[0\] are on too few replicas/)
      yield* Effect.sleep(1_200_000).pipe(inTime)
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("never takes the records of others for fillers, and leaves them alone", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(60))
      yield* source.deleteRecordsBefore("orders", 0, 50)
      const backupId = yield* backUp
      // An attempt that remembers the topic and stops before it writes; then somebody else writes.
      yield* target.inject({ _tag: "Code", code: 29 }, { operation: "produce" })
      yield* Effect.flip(inTime(restore(aRestore(backupId))))
      yield* target.produce("orders", 0, records(5))
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.include(error.message, "records that this restore did not write")
      assert.lengthOf(yield* target.committed("orders", 0), 5)
    }).pipe(Effect.provide(layer))
  )

  it.effect("looks at a topic that somebody makes between the preflight and its creation", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(20))
      const backupId = yield* backUp
      const request = aRestore(backupId)
      const opened = yield* systems
      const prepared = yield* Restore.prepare(opened, request)
      yield* target.createTopic("orders", { partitions: 2, configs: { "message.timestamp.type": "LogAppendTime" } })
      yield* target.produce("orders", 1, records(3))
      const error = yield* Effect.flip(inTime(Restore.run(opened, request, prepared, options)))
      assert.include(error.message, "orders holds records already")
      assert.include(error.message, "has 2 partitions, and the backup has 1")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("writes batches of its own size to a topic whose limit is below it", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", {
        configs: { "max.message.bytes": "200", "compression.type": "uncompressed" }
      })
      for (let at = 0; at < 5; at++) yield* source.produce("orders", 0, records(1))
      const backupId = yield* backUp
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
      const opened = yield* systems
      const lookup = yield* opened.source.topicConfigs(["orders"])
      assert.strictEqual(lookup.get("orders")?.["max.message.bytes"], "200")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  /** A record that is larger than the limit which its topic has by now. */
  const large = Effect.gen(function* () {
    const { source, target } = yield* worlds
    yield* source.createTopic("orders", { configs: { "max.message.bytes": "1100000" } })
    yield* source.produce("orders", 0, records(20))
    yield* source.produce("orders", 0, [{ key: "large", value: randomBytes(1_250_000).toString("hex"), timestamp: 1 }])
    const request = aRestore(yield* backUp, { compression: "none" })
    const limit = Effect.flatMap(systems, ({ source }) => source.topicConfigs(["orders"])).pipe(
      Effect.map((configs) => configs.get("orders")?.["max.message.bytes"]),
      Effect.scoped
    )
    return { source, target, request, limit }
  })

  it.effect("writes a record that is too large with the limit of configOverrides", () =>
    Effect.gen(function* () {
      const { limit, request, source, target } = yield* large
      const overrides = new Map([["orders", { "max.message.bytes": "3000000" }]])
      yield* inTime(restore({ ...request, configs: { fromBackup: true, overrides } }))
      yield* assertSame(source, target, "orders", 1)
      assert.strictEqual(yield* limit, "3000000")
    }).pipe(Effect.provide(layer))
  )

  it.effect("goes on after somebody has raised the limit of the topic", () =>
    Effect.gen(function* () {
      const { limit, request, source, target } = yield* large
      const error = yield* Effect.flip(inTime(restore(request, {}, limitedTo("1100000"))))
      assert.match(
        error.message,
        /orders\[0\]: the record at offset 20 has [0-9]+ bytes in a batch of its own, compressed with zstd where that makes it smaller, and the limit of a batch is [0-9]+ [(]max[.]message[.]bytes[)]/
      )
      assert.match(error.advice, /set max[.]message[.]bytes of topic orders to at least [0-9]+ with kafka-configs/)
      const opened = yield* systems
      yield* opened.sink.alterConfigs("orders", { "max.message.bytes": "3000000" })
      yield* inTime(restore(request))
      yield* assertSame(source, target, "orders", 1)
      assert.strictEqual(yield* limit, "1100000")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("goes on at an existing topic without permission to read its configuration", () =>
    Effect.gen(function* () {
      const { request, source, target } = yield* large
      yield* target.createTopic("orders")
      yield* target.deny("DescribeConfigs", "orders")
      const overrides = new Map([["orders", { "max.message.bytes": "3000000" }]])
      yield* inTime(restore({ ...request, configs: { fromBackup: true, overrides } }))
      yield* target.allow("DescribeConfigs", "orders")
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("completes without the configurations that the target does not know, and names them", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      const configs = { "confluent.tier.enable": "true", "remote.storage.enable": "true", "retention.ms": "1000" }
      yield* source.createTopic("orders", { configs: { ...configs, "min.insync.replicas": "2" } })
      yield* source.produce("orders", 0, records(5))
      const backupId = yield* backUp
      const restored = yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
      assert.deepStrictEqual(
        restored.refusedConfigs.map(({ name, topic }) => ({ name, topic })),
        [
          { name: "confluent.tier.enable", topic: "orders" },
          { name: "remote.storage.enable", topic: "orders" }
        ]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("of no topic at all is refused", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      const backupId = yield* backUp
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId, { topics: ["order-*"] }))))
      assert.include(error.message, "no topic")
    }).pipe(Effect.provide(layer))
  )

  it.effect("counts no filler as a record that was written", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(30))
      yield* source.deleteRecordsBefore("orders", 0, 20)
      const backupId = yield* backUp
      const request = aRestore(backupId)
      const opened = yield* systems
      let written = 0
      const prepared = yield* Restore.prepare(opened, request)
      yield* inTime(
        Restore.run(opened, request, prepared, { ...options, onAppended: (records) => void (written += records) })
      )
      assert.strictEqual(written, 10)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("deletes no records of a topic that was made anew under the name", () =>
    Effect.gen(function* () {
      // The answer to the fillers comes late enough for the topic to be made anew before the log is cut.
      const { error, target } = yield* madeAnew("produce", 25)
      assert.include(error.message, "orders")
      assert.lengthOf(yield* target.committed("orders", 0), 25)
    }).pipe(Effect.provide(layer))
  )

  it.effect("names a topic that is made anew while its records are deleted", () =>
    Effect.gen(function* () {
      const { error, target } = yield* madeAnew("records", 5)
      assert.propertyVal(error.reason, "_tag", "TopicRecreated")
      assert.lengthOf(yield* target.committed("orders", 0), 5)
    }).pipe(Effect.provide(layer))
  )

  it.effect("waits for a coordinator that does not know a new topic yet", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(5))
      const backupId = yield* backUp
      // One answer each for the offsets that the preflight asks for, and then for the commit.
      yield* target.inject({ _tag: "Code", code: 3 }, { operation: "groups", after: 1, times: 3 })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("fails over a segment that was exchanged for another good one since it was looked at", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders", { partitions: 2 })
      for (const partition of [0, 1]) {
        yield* source.produce(
          "orders",
          partition,
          records(20).map((record) => ({ ...record, value: `${record.value} of ${partition}` }))
        )
      }
      const backupId = yield* backUp
      const opened = yield* systems
      const request = aRestore(backupId)
      const prepared = yield* Restore.prepare(opened, request)
      const { memory } = yield* Backup.world
      const segments = (yield* memory.keys).filter((key) => key.includes("/segment-"))
      assert.lengthOf(segments, 2)
      const [first, second] = yield* Effect.forEach(segments, (key) => opened.store.get(key))
      yield* memory.tamper(segments[0]!, () => second)
      yield* memory.tamper(segments[1]!, () => first)
      const error = yield* Effect.flip(inTime(Restore.run(opened, request, prepared, options)))
      assert.include(error.message, "has the SHA-256")
      assert.include(error.message, "it was replaced or altered")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
