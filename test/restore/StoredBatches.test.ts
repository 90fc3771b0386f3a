import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { decompressSync, recordsSection } from "../../src/kafka/batch/Decompression.ts"
import { headerBytes, type RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"
import type { ProducerCodec } from "../../src/kafka/batch/RecordBatchEncoding.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Restore from "../../src/restore/Restore.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import {
  aRestore,
  assertSame,
  backUpAs,
  inTime,
  layer,
  limitedTo,
  options,
  plain,
  restore,
  systems,
  worlds
} from "./world.ts"

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    key: `key ${from + i}`,
    value: (from + i) % 11 === 0 ? null : `value ${from + i} ${"x".repeat((from + i) % 50)}`,
    timestamp: 1_600_000_000_000 + (from + i) * 1000
  }))

const codecs: ReadonlyArray<ProducerCodec> = ["none", "gzip", "snappy-xerial", "snappy-raw", "lz4", "zstd"]

/** A batch of every codec, with ten records each. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders")
  for (const [i, codec] of codecs.entries()) yield* cluster.produce("orders", 0, records(10, 10 * i), { codec })
})

/** The batches of a log: their first offset, codec and records section. */
const batchesOf = Effect.fnUntraced(function* (cluster: InMemoryCluster, topic: string) {
  const source = yield* (yield* KafkaSources).open({ bootstrapServers: [cluster.wire.location] })
  const place = { topic, partition: 0 }
  const [first] = yield* source.offsets([place], "logStart")
  const [end] = yield* source.offsets([place], "lastStable")
  const found: Array<readonly [number, number, string]> = []
  yield* source.read({ ...place, from: first!.offset, until: end!.offset }).pipe(
    Stream.runForEach(({ batches, release }) =>
      Effect.sync(() => {
        for (const one of batches) found.push([one.baseOffset, one.codec, recordsSection(one).toString("base64")])
        release()
      })
    )
  )
  return found
}, Effect.scoped)

type Opened = Effect.Success<typeof systems>

const run = Effect.fnUntraced(function* (request: RestoreRequest, opened: Opened, more: Partial<Restore.Options> = {}) {
  const prepared = yield* Restore.prepare(opened, request)
  return yield* Restore.run(opened, request, prepared, { ...options, ...more })
})

/** The target as a broker serves it that does this to every batch. */
const serving = (opened: Opened, change: (batch: RecordBatch) => RecordBatch): Opened => ({
  ...opened,
  source: {
    ...opened.source,
    read: (request) =>
      Stream.map(opened.source.read(request), (fetched) => ({ ...fetched, batches: fetched.batches.map(change) }))
  }
})

/** As a broker has it whose topic is `uncompressed`. */
const inflated = (batch: RecordBatch): RecordBatch => {
  const section = decompressSync(batch.codec, recordsSection(batch), 1_000_000)
  const bytes = Buffer.concat([batch.bytes.subarray(batch.start, batch.recordsStart), section])
  return { ...batch, bytes, start: 0, recordsStart: headerBytes, end: bytes.length, codec: 0 }
}

describe("stored batches", () => {
  it.effect("are the same in the target, whatever their codec: not opened, and compressed by nobody", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* inTime(restore(aRestore(yield* backUpAs("batches"))))
      yield* assertSame(source, target, "orders", 1)
      assert.deepStrictEqual(yield* batchesOf(target, "orders"), yield* batchesOf(source, "orders"))
    }).pipe(Effect.provide(layer))
  )

  it.effect("are the same behind the records of others, and with new offsets", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* source.deleteRecordsBefore("orders", 0, 10)
      const configs = { "message.timestamp.after.max.ms": "9223372036854775807" }
      yield* target.createTopic("orders", { configs })
      yield* target.produce("orders", 0, records(3, 900))
      const backupId = yield* backUpAs("batches")
      yield* inTime(restore(aRestore(backupId, { existingTopics: "append" })))
      const topicMapping = new Map([["orders", "anew"]])
      yield* inTime(restore(aRestore(backupId, { offsets: "new", topicMapping, owner: { name: "anew" } })))
      const shifted = (by: number) =>
        Effect.map(batchesOf(source, "orders"), (all) =>
          all.map(([at, codec, section]) => [at - 10 + by, codec, section] as const)
        )
      assert.deepStrictEqual((yield* batchesOf(target, "orders")).slice(1), yield* shifted(3))
      assert.deepStrictEqual(yield* batchesOf(target, "anew"), yield* shifted(0))
    }).pipe(Effect.provide(layer))
  )

  it.effect("are opened where records of them are missing, or have the time of a broker", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", { configs: { "cleanup.policy": "compact" } })
      const transaction = yield* source.beginTransaction()
      for (let i = 0; i < 4; i++) {
        yield* transaction.produce("orders", 0, records(4, 10 * i), { codec: "zstd" })
        yield* source.produce("orders", 0, records(6, 10 * i + (i % 2 === 0 ? 0 : 3)), { codec: "gzip" })
      }
      yield* transaction.abort
      yield* source.produce("orders", 0, records(2, 500))
      yield* source.deleteRecordsBefore("orders", 0, 6)
      yield* source.compact("orders", 0)
      yield* source.createTopic("stamped", { configs: { "message.timestamp.type": "LogAppendTime" } })
      yield* source.produce("stamped", 0, records(5), { codec: "lz4" })
      yield* inTime(restore(aRestore(yield* backUpAs("batches"))))
      yield* assertSame(source, target, "orders", 1)
      yield* assertSame(source, target, "stamped", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("are opened where they are smaller than a request is worth, and go together then", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      for (let i = 0; i < 30; i++) yield* source.produce("orders", 0, records(1, i), { codec: "zstd" })
      const request = aRestore(yield* backUpAs("batches"))
      yield* inTime(Effect.scoped(Effect.flatMap(systems, (opened) => run(request, opened, { leastStoredBytes: 500 }))))
      yield* assertSame(source, target, "orders", 1)
      assert.isBelow((yield* batchesOf(target, "orders")).length, 10)
    }).pipe(Effect.provide(layer))
  )

  it.effect("are compressed anew where the restore or the topic asks for a codec that they do not have", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      yield* inTime(restore(aRestore(yield* backUpAs("batches"), { compression: "gzip" })))
      yield* assertSame(source, target, "orders", 1)
      const found = yield* batchesOf(target, "orders")
      const gzip = (yield* batchesOf(source, "orders")).find(([, codec]) => codec === 1)!
      assert.deepInclude(found, gzip)
      assert.deepStrictEqual([...new Set(found.map(([, codec]) => codec))], [1])
    }).pipe(Effect.provide(layer))
  )

  it.effect("are split where they are larger than the topic allows, and the others stay as they are", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", { configs: { "max.message.bytes": "1200000" } })
      const large = (count: number) =>
        Array.from({ length: count }, (_, i) => ({ key: `${i}`, value: `${i}`.repeat(60_000), timestamp: i }))
      yield* source.produce("orders", 0, records(10), { codec: "gzip" })
      yield* source.produce("orders", 0, large(10))
      yield* source.produce("orders", 0, records(10), { codec: "gzip" })
      const request = aRestore(yield* backUpAs("batches"), { configs: { fromBackup: false, overrides: new Map() } })
      const restored = Effect.scoped(
        Effect.flatMap(limitedTo("300000"), (opened) => run(request, opened, { batchBytes: 100_000 }))
      )
      yield* inTime(restored)
      yield* assertSame(source, target, "orders", 1)
      const [first, ...rest] = yield* batchesOf(target, "orders")
      assert.strictEqual(first?.[1], 1)
      assert.deepStrictEqual(rest.at(-1)?.slice(0, 2), [20, 1])
      assert.isAbove(rest.length, 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("are proven by their records where the brokers have compressed them otherwise", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const request = aRestore(yield* backUpAs("batches"))
      let read = 0
      const counted = (batch: RecordBatch) => {
        read += batch.recordCount
        return inflated(batch)
      }
      const restored = yield* inTime(
        Effect.scoped(Effect.flatMap(systems, (opened) => run(request, serving(opened, counted))))
      )
      assert.strictEqual(restored.records, 60)
      assert.strictEqual(read, 120)
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["section", "time"] as const)(
    "are not proven where the target has another %s, however it is compressed",
    (what) =>
      Effect.gen(function* () {
        const { source } = yield* worlds
        yield* fill(source)
        const backupId = yield* backUpAs("batches")
        for (const opens of [true, false]) {
          const changed = (batch: RecordBatch): RecordBatch => {
            if (batch.baseOffset !== 20) return batch
            const served = opens ? inflated(batch) : batch
            const bytes = Buffer.from(served.bytes)
            // The last byte but one of the last record's value; the last of the base timestamp.
            bytes[what === "section" ? served.end - 3 : served.start + 34]! ^= 1
            return { ...served, bytes }
          }
          const owner = { name: `other-${opens}` }
          const topicMapping = new Map([["orders", owner.name]])
          const request = aRestore(backupId, { owner, topicMapping })
          const error = yield* Effect.flip(
            inTime(Effect.scoped(Effect.flatMap(systems, (opened) => run(request, serving(opened, changed)))))
          )
          const isOpened = opens || what === "time"
          assert.match(
            error.message,
            isOpened ? /differs from the backup in offsets 0 to 59/ : /differs from the backup|batch at offset 20/
          )
        }
      }).pipe(Effect.provide(layer))
  )

  it.effect("hold nothing but what the backup has, also when somebody exchanges their files", () =>
    Effect.gen(function* () {
      const { source, store, target } = yield* worlds
      yield* source.createTopic("orders", { partitions: 2 })
      for (const partition of [0, 1]) {
        yield* source.produce("orders", partition, records(20, 100 * partition), { codec: "zstd" })
      }
      const backupId = yield* backUpAs("batches")
      const opened = yield* systems
      const request = aRestore(backupId)
      const prepared = yield* Restore.prepare(opened, request)
      const exchanged: typeof store = {
        ...store,
        read: (key) => store.read(key.replace(/partition=(\d)/, (_, n) => `partition=${1 - Number(n)}`) as typeof key)
      }
      const error = yield* Effect.flip(inTime(Restore.run({ ...opened, store: exchanged }, request, prepared, options)))
      assert.match(error.message, /has the SHA-256 .* it was replaced or altered/)
      assert.isNotEmpty(yield* plain(target, "orders", 0))
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("are opened where a broker refuses one for a reason that their records do not have", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUpAs("batches")
      // UNSUPPORTED_COMPRESSION_TYPE
      yield* target.inject({ _tag: "Code", code: 76 }, { operation: "produce", after: 3, times: 1 })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 1)
      const kept = yield* batchesOf(source, "orders")
      const found = yield* batchesOf(target, "orders")
      assert.deepStrictEqual(found.slice(0, 3), kept.slice(0, 3))
      assert.deepStrictEqual([...new Set(found.slice(3).map(([, codec]) => codec))], [3])
    }).pipe(Effect.provide(layer))
  )

  it.effect.each([
    { name: "many of them are small", count: 100, valueBytes: 10, memory: 1_000_000, least: 6, most: 64 },
    { name: "they take the memory for it", count: 20, valueBytes: 1000, memory: 5000, least: 1, most: 4 }
  ])("are on their way together where $name, within bounds", ({ count, least, memory, most, valueBytes }) =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      const value = "x".repeat(valueBytes)
      for (let i = 0; i < count; i++) yield* source.produce("orders", 0, [{ key: `${i}`, value, timestamp: i }])
      const request = aRestore(yield* backUpAs("batches"))
      const opened = yield* systems
      yield* target.inject({ _tag: "Delayed", millis: 1000 }, { operation: "produce", times: 1000 })
      let unanswered = 0
      let reached = 0
      const append: typeof opened.sink.append = (one) => {
        reached = Math.max(reached, ++unanswered)
        return Effect.ensuring(
          opened.sink.append(one),
          Effect.sync(() => unanswered--)
        )
      }
      yield* inTime(run(request, { ...opened, sink: { ...opened.sink, append } }, { batchMemoryBytes: memory }))
      assert.isAtLeast(reached, least)
      assert.isAtMost(reached, most)
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
