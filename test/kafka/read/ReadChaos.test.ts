import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import {
  type InMemoryCluster,
  type InMemoryTransaction,
  makeInMemoryCluster
} from "../../../src/kafka/memory/InMemoryCluster.ts"
import type { Fault } from "../../../src/kafka/memory/InMemoryFaults.ts"
import type { ProducerCodec } from "../../../src/kafka/batch/RecordBatchEncoding.ts"
import { makeKafkaSource } from "../../../src/kafka/read/WireKafkaSource.ts"
import { collect, offsetsOf, pass, within } from "../support.ts"

const upTo = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** What happens to a partition before it is read: plain writes, four producers' transactions, compaction. */
const Step = Schema.Struct({
  action: Schema.Literals(["plain", "write", "write", "write", "commit", "abort", "compact"]),
  producer: upTo(3),
  records: upTo(4),
  key: upTo(2),
  codec: upTo(5)
})
const codecs: ReadonlyArray<ProducerCodec> = ["none", "gzip", "snappy-xerial", "snappy-raw", "lz4", "zstd"]

const play = (cluster: InMemoryCluster, steps: ReadonlyArray<typeof Step.Type>) =>
  Effect.gen(function* () {
    const open = new Map<number, InMemoryTransaction>()
    for (const [i, { action, producer, records, key, codec }] of steps.entries()) {
      // Keys 0 to 2; the first is the one that looks like an abort marker.
      const batch = Array.from({ length: records + 1 }, (_, n) => ({
        key: Buffer.from([0, 0, 0, key]),
        value: `${i}.${n}`
      }))
      const options = { codec: codecs[codec]! }
      if (action === "plain") yield* cluster.produce("t", 0, batch, options)
      if (action === "compact") yield* cluster.compact("t", 0, { emptied: records % 2 === 0 ? "keep" : "drop" })
      if (action === "write") {
        const existing = open.get(producer)
        const transaction = existing ?? (yield* cluster.beginTransaction(producer))
        open.set(producer, transaction)
        yield* transaction.produce("t", 0, batch, options)
      }
      if (action === "commit" || action === "abort") {
        const transaction = open.get(producer)
        open.delete(producer)
        if (transaction !== undefined) yield* transaction[action]
      }
    }
  })

const withHistory = (steps: ReadonlyArray<typeof Step.Type>) =>
  Effect.gen(function* () {
    const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
    yield* cluster.createTopic("t", { configs: { "cleanup.policy": "compact" } })
    yield* play(cluster, steps)
    // Compaction must not have taken what the model below counts on at the very end.
    yield* cluster.produce("t", 0, [{ key: "last", value: "last" }])
    const source = makeKafkaSource(cluster.wire)
    const [end] = yield* source.offsets([{ topic: "t", partition: 0 }], "lastStable")
    return { cluster, source, until: end!.offset }
  })

const text = (records: ReadonlyArray<{ readonly offset: number; readonly value: Buffer | null }>) =>
  records.map(({ offset, value }) => `${offset} ${value?.toString()}`)

const Steps = Schema.Array(Step).check(Schema.isMaxLength(30))

describe("a read of any history of transactions", () => {
  it.effect.prop(
    "delivers exactly the committed records below the last stable offset, whatever the range and the size of a fetch",
    [Steps, upTo(60), upTo(60), Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2000 }))],
    ([steps, a, b, fetchBytes]) =>
      Effect.gen(function* () {
        const { cluster, source, until: end } = yield* withHistory(steps)
        const from = Math.min(a, b, end)
        const until = Math.min(Math.max(a, b), end)
        const model = (yield* cluster.committed("t", 0)).filter(({ offset }) => offset >= from && offset < until)
        const reading = collect(source, { topic: "t", partition: 0, from, until, fetchBytes })
        const { records } = yield* within("1 minute", reading)
        assert.deepStrictEqual(text(records), text(model))
        const { unreleased, releasedTwice } = yield* cluster.counters
        assert.deepStrictEqual({ unreleased, releasedTwice }, { unreleased: 0, releasedTwice: 0 })
      }),
    { arbitrary: { runs: 400 } }
  )
})

const Trouble = Schema.Struct({
  kind: upTo(9),
  after: upTo(6),
  times: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 })),
  detail: upTo(20_000)
})
const faultOf = ({ kind, detail }: typeof Trouble.Type): Fault => {
  switch (kind) {
    case 0:
      return { _tag: "Empty" }
    case 1:
      return { _tag: "Throttled", millis: detail }
    case 2:
      return { _tag: "ConnectionLost" }
    case 3:
      return { _tag: "Delayed", millis: detail }
    case 4:
      return { _tag: "Redirected", node: (detail % 3) + 1 }
    case 5:
      // Past the base offset of the first batch, which only its successors protect.
      return { _tag: "FlippedBit", bit: 8 * 8 + (detail % 32) }
    case 6:
      return { _tag: "FlippedBit", bit: 17 * 8 + (detail % 400) }
    case 7:
      return { _tag: "Code", code: [6, 3, 1, 78, 100, 74][detail % 6]! }
    case 8:
      return { _tag: "Code", code: 5 }
    default:
      return { _tag: "Cut", bytes: 1 + (detail % 600) }
  }
}

describe("a read with any faults", () => {
  it.effect.prop(
    "delivers the same as without faults, or fails by name, and always ends",
    [
      Steps,
      Schema.Array(Trouble).check(Schema.isMaxLength(8)),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2000 }))
    ],
    ([steps, troubles, fetchBytes]) =>
      Effect.gen(function* () {
        const { cluster, source, until } = yield* withHistory(steps)
        const model = (yield* cluster.committed("t", 0)).filter(({ offset }) => offset < until)
        for (const trouble of troubles)
          yield* cluster.inject(faultOf(trouble), { after: trouble.after, times: trouble.times })
        const reading = collect(source, { topic: "t", partition: 0, from: 0, until, fetchBytes })
        const result = yield* within("30 minutes", Effect.result(reading))
        if (result._tag === "Success") {
          assert.deepStrictEqual(text(result.success.records), text(model))
          // Compaction may have left nothing before an open transaction, which is said; the model knows of nothing
          // there.
          assert.isTrue(result.success.gaps.every((gap) => gap.until === until))
        } else {
          // Three damaged answers in a row for one position are believed.
          assert.include(["CorruptBatch", "UnsupportedBatch", "Stalled"], result.failure.reason._tag)
          assert.isAbove(troubles.filter(({ kind }) => [5, 6, 9].includes(kind)).length, 1)
        }
        const { unreleased, releasedTwice } = yield* cluster.counters
        assert.deepStrictEqual({ unreleased, releasedTwice }, { unreleased: 0, releasedTwice: 0 })
      }),
    { arbitrary: { runs: 400 } }
  )

  it.effect.prop(
    "accounts for every offset when records are deleted meanwhile: delivered, or inside a reported gap",
    [upTo(99), upTo(8), upTo(99)],
    ([start, after, from]) =>
      Effect.gen(function* () {
        const cluster = makeInMemoryCluster({ location: "in-memory:9092" })
        yield* cluster.createTopic("t")
        for (let i = 0; i < 20; i++)
          yield* cluster.produce(
            "t",
            0,
            Array.from({ length: 5 }, (_, n) => ({ value: `${i}.${n}` }))
          )
        const source = makeKafkaSource(cluster.wire)
        yield* cluster.inject({ _tag: "Delayed", millis: 1000 }, { after })
        const fiber = yield* Effect.forkChild(
          collect(source, { topic: "t", partition: 0, from, until: 100, fetchBytes: 300 })
        )
        yield* pass("500 millis")
        yield* cluster.deleteRecordsBefore("t", 0, start)
        yield* pass("1 minute", fiber)
        const { records, gaps } = yield* Fiber.join(fiber)
        const accounted = new Set(offsetsOf(records))
        for (const gap of gaps) for (let offset = gap.from; offset < gap.until; offset++) accounted.add(offset)
        assert.strictEqual(accounted.size, 100 - from)
        for (const gap of gaps) assert.isAtMost(gap.until, start)
      }),
    { arbitrary: { runs: 200 } }
  )
})
