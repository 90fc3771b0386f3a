import { Effect, Layer } from "effect"
import * as CommandLine from "../../src/cli/CommandLine.ts"
import * as DemoCluster from "../../src/cli/demo/DemoCluster.ts"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSources, type TopicInfo } from "../../src/kafka/KafkaSource.ts"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"

/*
 * The command line as a process of its own, on the demo's cluster, which is the same in every process. For tests of
 * signals and exit codes. With STUCK_STORE no segment ever arrives in storage.
 */

/** Every process draws new topic ids; without them the cluster of the next process counts as the same one. */
const anonymous = ({ isInternal, name, partitions }: TopicInfo): TopicInfo => ({ isInternal, name, partitions })

const kafka = Layer.effect(
  KafkaSources,
  Effect.gen(function* () {
    const cluster = yield* (yield* InMemoryKafka).cluster("in-memory:9092")
    yield* DemoCluster.fill(cluster)
    const sources = yield* KafkaSources
    return KafkaSources.of({
      open: (target) =>
        Effect.map(sources.open(target), (source) => ({
          ...source,
          cluster: Effect.map(source.cluster, (found) => ({ ...found, topics: found.topics.map(anonymous) })),
          lookup: (names: ReadonlyArray<string>) =>
            Effect.map(source.lookup(names), (found) =>
              found.map((each) => (each._tag === "Found" ? { ...each, topic: anonymous(each.topic) } : each))
            )
        }))
    })
  })
).pipe(Layer.provide(InMemoryKafka.layer))

const stuck = Layer.effect(
  ObjectStores,
  Effect.map(ObjectStores, (stores) => ({
    open: (target) =>
      Effect.map(stores.open(target), (store) => ({
        ...store,
        put: (key, pieces, options) =>
          key.includes("/topics/")
            ? Effect.andThen(Effect.logInfo("a segment is stuck"), Effect.never)
            : store.put(key, pieces, options)
      }))
  }))
).pipe(Layer.provide(StorageBackends.layer))

CommandLine.start(
  Layer.mergeAll(
    InMemoryKafka.layer,
    kafka,
    process.env["STUCK_STORE"] === undefined ? StorageBackends.layer : stuck
  ).pipe(Layer.orDie)
)
