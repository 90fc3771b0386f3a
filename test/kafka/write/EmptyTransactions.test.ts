import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKafka } from "../../../src/kafka/InMemoryKafka.ts"
import { KafkaSinks } from "../../../src/kafka/KafkaSink.ts"
import { inTime } from "../../restore/world.ts"

const location = "in-memory:9092"
const place = { topic: "orders", partition: 0 }

const world = Effect.gen(function* () {
  const cluster = yield* (yield* InMemoryKafka).cluster(location)
  yield* cluster.createTopic("orders")
  const sink = yield* (yield* KafkaSinks).open({ bootstrapServers: [location] })
  const end = Effect.map(sink.offsets([place], "highWatermark"), ([found]) => found?.offset)
  return { cluster, sink, end }
})

describe("empty transactions", () => {
  it.effect("are aborted by the coordinator when nobody ends them, which fences their producer", () =>
    Effect.gen(function* () {
      const { cluster, end, sink } = yield* world
      const take = yield* sink.emptyTransactions(["a"])
      const { writeWire } = cluster
      const { node } = yield* writeWire.coordinator("transaction", "a")
      const producer = yield* sink.newestEpoch("a")
      assert.strictEqual(yield* writeWire.addToTransaction(node, "a", producer, place), 0)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* end, 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* end, 1)
      assert.strictEqual((yield* Effect.flip(take(place, 1, 2))).reason._tag, "ProducerFenced")
    }).pipe(Effect.scoped, Effect.provide(InMemoryKafka.layer))
  )

  it.effect("that failed are over before other ids take offsets", () =>
    Effect.gen(function* () {
      const { cluster, end, sink } = yield* world
      const take = yield* sink.emptyTransactions(["a", "b"])
      yield* cluster.inject({ _tag: "ConnectionLost" }, { operation: "transactions", after: 1 })
      yield* cluster.inject({ _tag: "Code", code: 53 }, { operation: "producer", times: 2 })
      assert.strictEqual((yield* inTime(take(place, 0, 1)))._tag, "Unclear")
      const refused = yield* Effect.flip(inTime(take(place, 0, 1)))
      assert.strictEqual(refused.reason._tag, "KafkaAuthorizationFailed", "it can be open still")
      let at = (yield* end) ?? 0
      for (; (yield* inTime(take(place, at, at + 1)))._tag !== "Appended"; at = (yield* end) ?? 0);
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* end, at + 1, "no marker comes later")
    }).pipe(Effect.scoped, Effect.provide(InMemoryKafka.layer))
  )
})
