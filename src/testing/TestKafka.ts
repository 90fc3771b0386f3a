import { Effect } from "effect"
import type { InMemoryCluster, RecordToProduce } from "../kafka/memory/InMemoryCluster.ts"
import type { TopicOptions } from "../kafka/memory/InMemoryTopics.ts"
import type { BrokerFault } from "./Faults.ts"
import * as Promised from "./Promised.ts"

/** Options of a new topic. */
export interface TestTopicOptions extends TopicOptions {
  /** First records: this many of `records`, spread over the partitions, or these, in partition 0. Default none. */
  readonly records?: number | ReadonlyArray<RecordToProduce>
}

/** A Kafka cluster in memory, with promises. */
export interface TestKafka extends Omit<
  Promised.Promised<InMemoryCluster>,
  "createTopic" | "inject" | "beginTransaction"
> {
  readonly createTopic: (name: string, options?: TestTopicOptions) => Promise<void>
  /** Injects a fault into answers of brokers: `inject(...faults.kafka.connectionLost({ times: 3 }))`. */
  readonly inject: (...fault: BrokerFault) => Promise<void>
  /** Begins a transaction of one producer; it stays open until it is committed or aborted. */
  readonly beginTransaction: () => Promise<
    Promised.Promised<Effect.Success<ReturnType<InMemoryCluster["beginTransaction"]>>>
  >
}

/** `count` different records: keys `key-0`, `key-1`, …, values `value-0`, `value-1`, …; numbered from `from`. */
export const records = (count: number, from = 0): ReadonlyArray<RecordToProduce> =>
  Array.from({ length: count }, (_, i) => ({ key: `key-${from + i}`, value: `value-${from + i}` }))

export const of = (cluster: InMemoryCluster, run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>): TestKafka => {
  const { beginTransaction, createTopic, inject, produce, ...rest } = cluster
  return {
    ...Promised.of({ ...rest, produce }, run),
    inject: (fault, plan) => run(inject(fault, plan)),
    beginTransaction: async () => Promised.of(await run(beginTransaction()), run),
    createTopic: async (name, { records: wanted = [], ...options } = {}) => {
      await run(createTopic(name, options))
      const partitions = options.partitions ?? 1
      const all = typeof wanted === "number" ? records(wanted) : wanted
      const spread = typeof wanted === "number" ? partitions : 1
      for (let partition = 0; partition < spread; partition++) {
        const share = all.filter((_, i) => i % spread === partition)
        if (share.length > 0) await run(produce(name, partition, share))
      }
    }
  }
}
