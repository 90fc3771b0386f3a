import { Effect } from "effect"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import { kafkaSinkContract } from "../contract/kafkaSink.ts"
import { driverOf } from "./inMemoryDriver.ts"

const everything = ["Write", "Create", "Delete", "AlterConfigs", "Read", "ReadGroup", "WriteTransactionalId"] as const

const inMemory = Effect.gen(function* () {
  const kafka = yield* InMemoryKafka
  const target = { bootstrapServers: ["in-memory:9092"] }
  const cluster = yield* kafka.cluster("in-memory:9092")
  const sink = yield* Effect.flatMap(KafkaSinks, (sinks) => sinks.open(target))
  const source = yield* Effect.flatMap(KafkaSources, (sources) => sources.open(target))
  const driver = {
    ...driverOf(cluster),
    join: (groupId: string) => cluster.setGroupActive(groupId, true),
    forgetProducers: cluster.forgetProducers,
    powerless: (topic: string) =>
      Effect.gen(function* () {
        yield* cluster.deny("Alter")
        yield* cluster.deny("WriteTransactionalId")
        for (const name of [topic, `${topic}-new`, `${topic}-group`, `${topic}-writer`]) {
          for (const operation of everything) yield* cluster.deny(operation, name)
        }
        return sink
      })
  }
  return { sink, source, driver }
}).pipe(Effect.provide(InMemoryKafka.layer))

kafkaSinkContract("in memory", inMemory)
