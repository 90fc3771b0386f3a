import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import { kafkaSourceContract } from "../contract/kafkaSource.ts"
import { driverOf } from "./inMemoryDriver.ts"

const inMemory = Effect.gen(function* () {
  const kafka = yield* InMemoryKafka
  const sources = yield* KafkaSources
  const cluster = yield* kafka.cluster("in-memory:9092")
  const source = yield* sources.open({ bootstrapServers: ["in-memory:9092"] })
  yield* Effect.addFinalizer(() =>
    Effect.map(cluster.counters, ({ unreleased, releasedTwice }) => {
      if (unreleased !== 0 || releasedTwice !== 0)
        throw new Error(`${unreleased} kept, ${releasedTwice} given back twice`)
    })
  )
  return { source, driver: driverOf(cluster) }
}).pipe(Effect.provide(InMemoryKafka.layer))

kafkaSourceContract("in memory", inMemory)

describe("InMemoryKafka", () => {
  it.effect("is unreachable at a bootstrap server that was not created", () =>
    Effect.gen(function* () {
      const sources = yield* KafkaSources
      const error = yield* Effect.flip(sources.open({ bootstrapServers: ["elsewhere:9092"] }))
      assert.strictEqual(error.reason._tag, "BrokerUnreachable")
      assert.isFalse(error.isRetryable)
    }).pipe(Effect.scoped, Effect.provide(InMemoryKafka.layer))
  )

  it.effect("is the same cluster under the same bootstrap server", () =>
    Effect.gen(function* () {
      const kafka = yield* InMemoryKafka
      const sources = yield* KafkaSources
      yield* (yield* kafka.cluster("a:9092")).createTopic("orders")
      const source = yield* sources.open({ bootstrapServers: ["b:9092", "a:9092"] })
      assert.strictEqual(source.location, "a:9092")
      assert.deepStrictEqual(
        (yield* source.cluster).topics.map(({ name }) => name),
        ["orders"]
      )
    }).pipe(Effect.scoped, Effect.provide(InMemoryKafka.layer))
  )
})
