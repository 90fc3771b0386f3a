import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKafka } from "../../../src/kafka/InMemoryKafka.ts"
import { KafkaSinks } from "../../../src/kafka/KafkaSink.ts"

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
})
