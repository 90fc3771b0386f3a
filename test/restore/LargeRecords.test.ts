import { assert, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { headerBytes } from "../../src/kafka/batch/RecordBatch.ts"
import * as Compression from "../../src/restore/Compression.ts"
import * as LargeRecords from "../../src/restore/LargeRecords.ts"
import * as Restore from "../../src/restore/Restore.ts"
import type { RestoreRequest } from "../../src/restore/RestoreRequest.ts"
import * as TargetTopic from "../../src/restore/TargetTopic.ts"
import { aRestore, assertSame, backUp, inTime, layer, limitedTo, options, restore, systems, worlds } from "./world.ts"

const restoreWith = Effect.fnUntraced(function* (given: Restore.Options, request: RestoreRequest) {
  const opened = yield* limitedTo("1100000")
  return yield* Restore.run(opened, request, yield* Restore.prepare(opened, request), given)
}, Effect.scoped)

/** Text that zstd makes half as long, and lz4 no shorter. */
const text = (length: number) => randomBytes(length / 2).toString("hex")

const zero = { high: 0, low: 0 }
const unsealed = { recordCount: 1, firstOffset: 0, lastOffset: 0, baseTimestamp: zero, maxTimestamp: zero }
const planned = {
  source: "orders",
  target: "orders",
  partitions: [],
  replicationFactor: 1,
  configs: undefined,
  renumbered: undefined
}

const topic = { configs: { "max.message.bytes": "1100000" } }
const small = Array.from({ length: 20 }, (_, i) => ({ key: `k${i}`, value: `small ${i}` }))

describe("a batch that is too large for the topic", () => {
  it.effect("is written again, each record by itself and with zstd, as the source may have had it", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", topic)
      for (const value of [text(1_800_000), text(2_000_000)]) {
        yield* source.produce("orders", 0, small)
        yield* source.produce("orders", 0, [{ key: "large", value }], { codec: "zstd" })
      }
      yield* source.produce("orders", 0, small)
      const backupId = yield* backUp
      for (const compression of [undefined, "none"] as const) {
        const name = `orders-${compression}`
        const topicMapping = new Map([["orders", name]])
        const request = { topicMapping, owner: { name }, ...(compression === undefined ? {} : { compression }) }
        yield* inTime(restoreWith({ ...options, batchBytes: 900_000 }, aRestore(backupId, request)))
        yield* assertSame(source, target, "orders", 1, name)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("shows the size for the rest of the partition, which is not begun anew for each batch", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("small", topic)
      for (let at = 0; at < 40; at++) {
        yield* source.produce(
          "small",
          0,
          Array.from({ length: 10 }, () => ({ key: "k", value: text(20_000) }))
        )
      }
      yield* source.createTopic("large", topic)
      for (let at = 0; at < 6; at++) {
        yield* source.produce("large", 0, small)
        yield* source.produce("large", 0, [{ key: "large", value: text(1_800_000) }], { codec: "zstd" })
      }
      const request = aRestore(yield* backUp)
      const opened = yield* limitedTo("1100000")
      const prepared = yield* Restore.prepare(opened, request)
      const rounds = new Map<string, number>()
      const offsets: typeof opened.sink.offsets = (places, kind) => {
        const [first] = places
        if (kind === "logEnd" && first !== undefined) rounds.set(first.topic, (rounds.get(first.topic) ?? 0) + 1)
        return opened.sink.offsets(places, kind)
      }
      const seen = { ...opened, sink: { ...opened.sink, offsets } }
      yield* inTime(Restore.run(seen, request, prepared, { ...options, batchBytes: 1_900_000 }))
      for (const name of ["small", "large"]) {
        yield* assertSame(source, target, name, 1)
        assert.isAtMost(rounds.get(name)!, 3, name)
        assert.isAtLeast(rounds.get(name)!, 2, name)
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is refused by name if it is one record, and written once it fits", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", topic)
      yield* source.produce("orders", 0, small)
      yield* source.produce("orders", 0, [{ key: "large", value: text(3_000_000) }])
      const request = aRestore(yield* backUp)
      const error = yield* Effect.flip(inTime(restoreWith(options, request)))
      assert.match(
        error.message,
        /orders\[0\]: the record at offset 20 has 1[56][0-9]{5} bytes in a batch of its own, compressed with zstd where that makes it smaller, and the limit of a batch is 1100000 [(]max[.]message[.]bytes[)]/
      )
      assert.isFalse(error.isRetryable)
      const opened = yield* systems
      yield* opened.sink.alterConfigs("orders", { "max.message.bytes": "2000000" })
      yield* inTime(restore(request))
      yield* assertSame(source, target, "orders", 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})

describe("a large record that does not compress", () => {
  for (const compression of ["lz4", "zstd"] as const) {
    it.effect(`is written with compression ${compression}`, () =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        yield* source.createTopic("orders", { configs: { "max.message.bytes": "20000200" } })
        const value = randomBytes(20_000_000)
        yield* source.produce("orders", 0, [{ key: "large", value }])
        yield* inTime(restore(aRestore(yield* backUp, { compression })))
        const [record] = yield* target.committed("orders", 0)
        assert.isTrue(record?.value?.equals(value))
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect(
    "is kept plain where a codec makes it longer, and has room where the broker compresses it all the same",
    () =>
      Effect.gen(function* () {
        const largestRecordBytes = 20_000_000
        const room = LargeRecords.knownBytes({ ...planned, largestRecordBytes }) - headerBytes
        for (const codec of ["gzip", "lz4", "zstd"] as const) {
          const bytes = randomBytes(headerBytes + largestRecordBytes)
          const plain = Buffer.from(bytes.subarray(headerBytes))
          const longer = yield* Compression.compress(codec, plain)
          assert.isAbove(longer.bytes.length, plain.length, codec)
          assert.isAtMost(longer.bytes.length, room, codec)
          const { section } = yield* Compression.compressBatch(codec, { ...unsealed, bytes })
          assert.strictEqual(section.codec, 0, codec)
          assert.isTrue(section.bytes.equals(plain), codec)
        }
      })
  )
})

describe("the limit of a batch while records are written", () => {
  it.effect("is no less than a record that the manifest shows", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("orders", { configs: { "max.message.bytes": "1100000" } })
      yield* source.produce("orders", 0, [{ key: "large", value: text(3_200_000) }])
      const { plan, targets } = yield* inTime(Restore.prepare(yield* systems, aRestore(yield* backUp)))
      const known = LargeRecords.knownBytes(plan.topics[0]!)
      assert.isAbove(known, 3_200_000)
      assert.isBelow(known, 3_214_000)
      assert.strictEqual(TargetTopic.made(targets[0]!)?.configs["max.message.bytes"], String(known))
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it("is no less than the mean of a partition of which no largest record is known", () => {
    const segment = { key: "a", start_offset: 0, end_offset: 9, start_timestamp: 0, end_timestamp: 0, record_count: 10 }
    const segments = [{ ...segment, uncompressed_size: 50_000_000 }]
    const partitions = [{ partition: 0, start: 0, end: 10, records: 10, segments }]
    const known = (largestRecordBytes: number) =>
      LargeRecords.knownBytes({ ...planned, partitions, largestRecordBytes })
    assert.isAbove(known(31), 5_000_000)
    assert.isBelow(known(31), 5_100_000)
    assert.isAbove(known(6_000_000), 6_000_000)
  })

  it.effect("is no less than the one large record among small ones, and the brokers' own again in the end", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", {})
      yield* source.produce("orders", 0, small)
      // Shrinks below the limit that the source has; the target's brokers would refuse it without compression.
      yield* source.produce("orders", 0, [{ key: "large", value: "x".repeat(3_200_000) }], { codec: "zstd" })
      yield* source.produce("orders", 0, small)
      const request = aRestore(yield* backUp, { compression: "none", retentionHold: 0 })
      const { targets } = yield* inTime(Restore.prepare(yield* systems, request))
      assert.isAbove(Number(TargetTopic.made(targets[0]!)?.configs["max.message.bytes"]), 3_200_000)
      yield* inTime(restore(request))
      yield* assertSame(source, target, "orders", 1)
      const configs = yield* (yield* systems).source.topicConfigs(["orders"])
      assert.notProperty(configs.get("orders"), "max.message.bytes")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("is that of an existing topic again in the end, where the backup has none", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders", {})
      yield* source.produce("orders", 0, [{ key: "large", value: "x".repeat(3_200_000) }], { codec: "zstd" })
      yield* target.createTopic("orders", { configs: { "max.message.bytes": "2000000" } })
      yield* inTime(restore(aRestore(yield* backUp, { compression: "none", retentionHold: 0 })))
      yield* assertSame(source, target, "orders", 1)
      const configs = yield* (yield* systems).source.topicConfigs(["orders"])
      assert.propertyVal(configs.get("orders"), "max.message.bytes", "2000000")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
