import { Context, Effect, Layer } from "effect"
import { type ClusterOptions, type InMemoryCluster, makeInMemoryCluster } from "./memory/InMemoryCluster.ts"
import { BrokerUnreachable, KafkaError } from "./KafkaError.ts"
import { KafkaSinks } from "./KafkaSink.ts"
import { KafkaSources } from "./KafkaSource.ts"
import type { KafkaTarget } from "./KafkaTarget.ts"
import type { SourceOptions } from "./read/SourceOptions.ts"
import { makeGuardedSource } from "./read/WireKafkaSource.ts"
import { makeGuardedSink } from "./write/WireKafkaSink.ts"

/** Clusters in the memory of this process, found by bootstrap server: for the demo, the harness and tests. */
export class InMemoryKafka extends Context.Service<
  InMemoryKafka,
  {
    /**
     * The cluster at a bootstrap server (`in-memory:9092`), created by the first call; options of later calls are
     * ignored.
     */
    readonly cluster: (
      bootstrapServer: string,
      options?: Omit<ClusterOptions, "location">
    ) => Effect.Effect<InMemoryCluster>
  }
>()("kafka-backup/kafka/InMemoryKafka") {
  /** `KafkaSources` and `KafkaSinks` over these clusters; any other bootstrap server is unreachable. */
  static readonly layerWith = (
    options?: Partial<SourceOptions>
  ): Layer.Layer<InMemoryKafka | KafkaSources | KafkaSinks> =>
    Layer.effectContext(
      Effect.sync(() => {
        const clusters = new Map<string, InMemoryCluster>()
        const cluster = (bootstrapServer: string, clusterOptions?: Omit<ClusterOptions, "location">) =>
          Effect.sync(() => {
            const existing = clusters.get(bootstrapServer)
            if (existing !== undefined) return existing
            const made = makeInMemoryCluster({ location: bootstrapServer, ...clusterOptions })
            clusters.set(bootstrapServer, made)
            return made
          })
        const find = ({ bootstrapServers }: KafkaTarget) =>
          Effect.suspend(() => {
            const found = bootstrapServers.flatMap((server) => clusters.get(server) ?? [])[0]
            return found === undefined ? Effect.fail(unknownCluster(bootstrapServers)) : Effect.succeed(found)
          })
        const sources = KafkaSources.of({
          open: (target, guards) => Effect.map(find(target), ({ wire }) => makeGuardedSource(wire, guards, options))
        })
        const sinks = KafkaSinks.of({
          open: (target, guards) =>
            Effect.map(find(target), ({ writeWire }) => makeGuardedSink(writeWire, guards, options))
        })
        return Context.make(InMemoryKafka, { cluster }).pipe(
          Context.add(KafkaSources, sources),
          Context.add(KafkaSinks, sinks)
        )
      })
    )
  static readonly layer = this.layerWith()
}

const unknownCluster = (bootstrapServers: ReadonlyArray<string>) =>
  new KafkaError({
    operation: "connect",
    reason: new BrokerUnreachable({
      detail: `no in-memory cluster answers at ${bootstrapServers.join(", ")}`,
      advice: "give the bootstrap server of a cluster that exists in memory, such as in-memory:9092",
      transient: false
    })
  })
