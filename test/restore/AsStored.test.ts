import { assert, describe, it } from "@effect/vitest"
import type { RecordBatch } from "../../src/kafka/batch/RecordBatch.ts"
import { batchBytes, resealBatch } from "../../src/kafka/batch/ResealedBatch.ts"
import { checkBatch } from "../../src/kafka/memory/ProducedBatch.ts"
import * as AsStored from "../../src/restore/AsStored.ts"
import { random, scene, Seed } from "../segment/arbitraryRecords.ts"
import { aRestore } from "./world.ts"

/** Timestamps may be any 64-bit numbers. */
const forever = "Infinity"
const times = { "message.timestamp.before.max.ms": forever, "message.timestamp.after.max.ms": forever }
const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0 }

const any: AsStored.Rules = { leastBytes: 0, mostBytes: Number.MAX_SAFE_INTEGER }
const batch: RecordBatch = {
  bytes: Buffer.alloc(200),
  start: 50,
  recordsStart: 111,
  end: 150,
  codec: 4,
  baseOffset: 10,
  lastOffset: 14,
  recordCount: 5,
  logAppendTime: false
}

const topic = {
  source: "orders",
  target: "orders",
  partitions: [],
  replicationFactor: 1,
  configs: undefined,
  renumbered: undefined
}
const plan = { addedHeaders: [] }
const request = aRestore("orders-1")

describe("a stored batch", () => {
  it.prop("that goes as it is, is taken by the brokers of its topic", [Seed], ([seed]) => {
    const next = random(seed)
    for (const one of scene(seed).batches) {
      const mostBytes = batchBytes(one) + Math.floor(next() * 3) - 1
      if (!AsStored.fits({ leastBytes: 0, mostBytes }, one)) continue
      const configs = { ...times, "max.message.bytes": String(mostBytes) }
      assert.strictEqual(checkBatch(resealBatch(one, producer), configs, 0)._tag, "Sound")
    }
  })

  it("is opened where a broker would refuse it or compress it again, or where it is too small to be worth a request", () => {
    const fits = (rules: Partial<AsStored.Rules>, more: Partial<RecordBatch> = {}) =>
      AsStored.fits({ ...any, ...rules }, { ...batch, ...more })
    assert.isTrue(fits({}))
    assert.isFalse(fits({}, { recordCount: 4 }), "compaction removed a record")
    assert.isFalse(fits({}, { lastOffset: 15 }), "compaction removed the last record")
    assert.isFalse(fits({}, { logAppendTime: true }), "the broker's time")
    assert.isTrue(fits({ leastBytes: 100, mostBytes: 100 }))
    assert.isFalse(fits({ leastBytes: 101 }))
    assert.isTrue(fits({ leastBytes: 50 }, { codec: 0 }))
    assert.isFalse(fits({ leastBytes: 51 }, { codec: 0 }), "uncompressed, it has fewer records")
    assert.isFalse(fits({ mostBytes: 99 }))
    assert.isTrue(fits({ codec: 4 }))
    assert.isFalse(fits({ codec: 3 }))
  })
})

describe("the rules for the stored batches of a topic", () => {
  const rules = (changes: Parameters<typeof aRestore>[1] = {}, configs?: Readonly<Record<string, string>>) =>
    AsStored.rules(plan, { ...topic, configs }, { ...request, ...changes }, 7)

  it("let every codec through where the brokers keep what producers send", () => {
    assert.deepStrictEqual(rules(), { leastBytes: 7, mostBytes: Number.MAX_SAFE_INTEGER })
    assert.deepStrictEqual(rules({}, { "compression.type": "producer" }), rules())
  })

  it("ask for the codec that the topic has in the target, and for that of the request before it", () => {
    const zstd = { "compression.type": "zstd" }
    assert.strictEqual(rules({}, zstd)?.codec, 4)
    assert.strictEqual(rules({}, { "compression.type": "uncompressed" })?.codec, 0)
    assert.strictEqual(rules({ compression: "gzip" }, zstd)?.codec, 1)
    assert.isUndefined(rules({ configs: { fromBackup: false, overrides: new Map() } }, zstd)?.codec)
    const overrides = new Map([["ord*", { "compression.type": "snappy" }]])
    assert.strictEqual(rules({ configs: { fromBackup: true, overrides } }, zstd)?.codec, 2)
  })

  it("know the limit of a batch where the topic gets one", () => {
    assert.strictEqual(rules({}, { "max.message.bytes": "5000" })?.mostBytes, 5000)
  })

  it("say nothing of a topic with a configuration of its own, behind whose records others are appended", () => {
    const appended = { ...topic, configs: { "compression.type": "zstd" }, renumbered: { reason: "appended" } } as const
    assert.deepStrictEqual(AsStored.rules(plan, appended, request, 7), rules())
  })

  it("are none where every record is changed or sent to a partition of its own", () => {
    assert.isUndefined(AsStored.rules({ addedHeaders: ["x-original-offset"] }, topic, request, 0))
    const originalHeaders = { sourceCluster: "one" }
    assert.isUndefined(AsStored.rules({ ...plan, originalHeaders }, topic, request, 0))
    assert.isUndefined(AsStored.rules(plan, { ...topic, sources: [] }, request, 0))
  })
})
