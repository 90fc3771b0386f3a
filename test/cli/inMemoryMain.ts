import { Effect, Layer } from "effect"
import * as CommandLine from "../../src/cli/CommandLine.ts"
import * as DemoCluster from "../../src/cli/demo/DemoCluster.ts"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import { KafkaSources, type TopicInfo } from "../../src/kafka/KafkaSource.ts"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"

/*
 * The command line as a process of its own, on the demo's cluster, which is the same in every process. For tests of
 * signals and exit codes. With STUCK_STORE no segment ever arrives in storage; with SLOW_SINK each batch of a restore
 * takes a second, and so does each group whose offsets are set; with SLOW_GROUPS the groups alone are meant;
 * of a group "stuck" it never ends, also when it is stopped.
 */

/** Every process draws new topic ids; without them the cluster of the next process counts as the same one. */
const anonymous = ({ isInternal, name, partitions }: TopicInfo): TopicInfo => ({ isInternal, name, partitions })

const kafka = Layer.effect(
  KafkaSources,
  Effect.gen(function* () {
    const clusters = yield* InMemoryKafka
    const cluster = yield* clusters.cluster("in-memory:9092")
    // To restore to: empty.
    yield* clusters.cluster("target:9092")
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

const slow = Layer.effect(
  KafkaSinks,
  Effect.map(KafkaSinks, (sinks) => ({
    open: (target) =>
      Effect.map(sinks.open(target), (sink) => ({
        ...sink,
        commitOffsets: (groupId, offsets, options) =>
          Effect.logInfo(`group ${groupId} is being set`).pipe(
            Effect.andThen(groupId === "stuck" ? Effect.uninterruptible(Effect.never) : Effect.sleep("1 second")),
            Effect.andThen(sink.commitOffsets(groupId, offsets, options))
          ),
        append: (batch) =>
          Effect.logInfo("a batch is on its way").pipe(
            Effect.andThen(Effect.sleep("1 second")),
            Effect.andThen(sink.append(batch)),
            Effect.tap(() => Effect.logInfo("a batch has arrived"))
          )
      }))
  }))
).pipe(Layer.provide(InMemoryKafka.layer))

CommandLine.start(
  Layer.mergeAll(
    InMemoryKafka.layer,
    kafka,
    ...(process.env["SLOW_SINK"] === undefined && process.env["SLOW_GROUPS"] === undefined ? [] : [slow]),
    process.env["STUCK_STORE"] === undefined ? StorageBackends.layer : stuck
  ).pipe(Layer.orDie)
)
