import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import { KafkaSources } from "../../src/kafka/KafkaSource.ts"
import { clusterAccessContract } from "../contract/clusterAccess.ts"

const inMemory = Effect.gen(function* () {
  const kafka = yield* InMemoryKafka
  const target = { bootstrapServers: ["in-memory:9092"] }
  const cluster = yield* kafka.cluster("in-memory:9092")
  const sink = yield* Effect.flatMap(KafkaSinks, (sinks) => sinks.open(target))
  const source = yield* Effect.flatMap(KafkaSources, (sources) => sources.open(target))
  return {
    cluster,
    sink,
    source,
    makeUser: (name: string) => cluster.addScramUser({ name, mechanisms: ["SCRAM-SHA-512"] }),
    powerless: Effect.gen(function* () {
      for (const operation of ["Alter", "DescribeCluster", "DescribeClusterConfigs", "AlterClusterConfigs"] as const) {
        yield* cluster.deny(operation)
      }
      return { sink, source }
    })
  }
}).pipe(Effect.provide(InMemoryKafka.layer))

clusterAccessContract("in memory", inMemory)

it.effect("a cluster without an authorizer says so, and takes no ACL", () =>
  Effect.gen(function* () {
    const { cluster, sink, source } = yield* inMemory
    yield* cluster.removeAuthorizer
    assert.deepStrictEqual(yield* source.access.acls, { _tag: "NoAuthorizer" })
    const acl = { resource: "topic", name: "t", pattern: "literal", principal: "User:a", host: "*" } as const
    const [outcome] = yield* sink.access.createAcls([{ ...acl, operation: "Read", permission: "Allow" }])
    assert.strictEqual(outcome?.errorCode, 54)
  })
)
