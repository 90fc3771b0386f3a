import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { Fault } from "../../src/kafka/memory/InMemoryFaults.ts"
import { random } from "../segment/arbitraryRecords.ts"
import { aRestore, assertSame, backUp, backUpAs, formats, inTime, layer, restore, worlds } from "./world.ts"

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({
    key: `key ${(from + i) % 7}`,
    value: (from + i) % 11 === 0 ? null : `value ${from + i} ${"x".repeat((from + i) % 50)}`,
    headers: (from + i) % 3 === 0 ? [["trace", null] as const, ["trace", `t${i}`] as const] : [],
    timestamp: 1_600_000_000_000 + (from + i) * 1000
  }))

/** Transactions of every fate, a log that does not begin at 0, a compacted topic, an empty one. */
const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 3, configs: { "retention.ms": "604800000" } })
  yield* cluster.createTopic("payments", { configs: { "cleanup.policy": "compact" } })
  yield* cluster.createTopic("empty", { partitions: 2 })
  for (const partition of [0, 1]) {
    for (let at = 0; at < 120; at += 10) yield* cluster.produce("orders", partition, records(10, at))
  }
  yield* cluster.deleteRecordsBefore("orders", 1, 37)
  for (const end of ["commit", "abort", "commit", "abort"] as const) {
    const transaction = yield* cluster.beginTransaction()
    yield* transaction.produce("orders", 0, records(5, 500))
    yield* transaction.produce("payments", 0, records(3, 600))
    yield* transaction[end]
  }
  for (let at = 0; at < 60; at += 10) yield* cluster.produce("payments", 0, records(10, at))
  yield* cluster.compact("payments", 0)
})

describe("a restore", () => {
  it.effect.each(formats)(
    "gives every record its old offset, and the logs their starts, ends and holes (%s)",
    (format) =>
      Effect.gen(function* () {
        const { source, target } = yield* worlds
        yield* fill(source)
        const backupId = yield* backUpAs(format)
        const restored = yield* inTime(restore(aRestore(backupId)))
        assert.isAbove(restored.records, 200)
        yield* assertSame(source, target, "orders", 3)
        yield* assertSame(source, target, "payments", 1)
        yield* assertSame(source, target, "empty", 2)
      }).pipe(Effect.provide(layer))
  )

  it.effect("that is repeated finds everything, and writes nothing", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp
      yield* inTime(restore(aRestore(backupId)))
      const before = (yield* target.counters).produceRequests
      yield* inTime(restore(aRestore(backupId)))
      assert.strictEqual((yield* target.counters).produceRequests, before)
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps old records and their times in an empty topic that exists, whatever its configuration", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp
      const configs = { "message.timestamp.type": "LogAppendTime", "cleanup.policy": "compact" }
      yield* target.createTopic("orders", { partitions: 3, configs })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 3)
    }).pipe(Effect.provide(layer))
  )

  it.effect("waits for brokers that are away, and does not need permission to remember", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp
      yield* target.inject({ _tag: "Code", code: 30 }, { operation: "groups", times: 100 })
      yield* target.inject({ _tag: "Code", code: 53 }, { operation: "producer", times: 1 })
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "offsets", after: 12, times: 200 })
      yield* target.inject({ _tag: "ConnectionLost" }, { operation: "produce", after: 3, times: 60 })
      yield* inTime(restore(aRestore(backupId)))
      yield* assertSame(source, target, "orders", 3)
      yield* assertSame(source, target, "payments", 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("refuses a topic that holds records of others, before anything is written", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUp
      yield* target.createTopic("orders", { partitions: 3 })
      yield* target.produce("orders", 0, records(1))
      const error = yield* Effect.flip(inTime(restore(aRestore(backupId))))
      assert.include(error.message, "orders holds records already")
      assert.lengthOf(yield* target.committed("orders", 0), 1)
      const mapping = new Map([["orders", "orders-restored"]])
      yield* inTime(restore(aRestore(backupId, { topicMapping: mapping })))
      yield* assertSame(source, target, "orders", 3, "orders-restored")
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(formats)("of %s ends with exactly the backup's records whatever happens to its requests", (format) =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* fill(source)
      const backupId = yield* backUpAs(format)
      for (let seed = 1; seed <= 30; seed++) {
        const next = random(seed)
        const below = (n: number) => Math.floor(next() * n)
        const faults: ReadonlyArray<() => Fault> = [
          () => ({ _tag: "ConnectionLost" }),
          () => ({ _tag: "AnswerLost" }),
          () => ({ _tag: "LateEffect", millis: below(3000) }),
          () => ({ _tag: "Delayed", millis: below(3000) }),
          () => ({ _tag: "Uncommitted", millis: below(20_000) }),
          () => ({ _tag: "Code", code: [6, 7, 19, 20, 45][below(5)]! })
        ]
        for (let i = below(8); i > 0; i--) {
          const operation = next() < 0.8 ? "produce" : "markers"
          yield* target.inject(faults[below(faults.length)]!(), { operation, after: below(30), times: 1 + below(3) })
        }
        if (next() < 0.3) yield* target.forgetProducers
        const topicMapping = new Map([["orders", `orders-${seed}`]])
        const request = aRestore(backupId, { topics: ["orders"], topicMapping, owner: { name: `r${seed}` } })
        yield* inTime(restore(request))
        yield* target.clearFaults
        yield* assertSame(source, target, "orders", 3, `orders-${seed}`)
      }
    }).pipe(Effect.provide(layer))
  )
})
