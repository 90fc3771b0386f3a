import { Effect } from "effect"
import type { InMemoryCluster, RecordToProduce } from "../../kafka/memory/InMemoryCluster.ts"

/** The data that the demo backs up: little, but with what makes Kafka data hard to back up. */

const orders = (from: number, count: number): ReadonlyArray<RecordToProduce> =>
  Array.from({ length: count }, (_, i) => {
    const id = from + i
    return {
      key: `order-${id}`,
      value: JSON.stringify({ id, item: `sku-${(id * 7919) % 997}`, quantity: 1 + (id % 5), currency: "EUR" }),
      headers: [
        ["trace", `t-${id % 1000}`],
        ["source", "web"]
      ] as const,
      timestamp: 1_795_000_000_000 + id * 1000
    }
  })

const fillOrders = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 4, configs: { "retention.ms": "-1" } })
  const codecs = ["zstd", "lz4", "snappy-xerial", "gzip"] as const
  for (let batch = 0; batch < 200; batch++) {
    yield* cluster.produce("orders", batch % 4, orders(batch * 500, 500), { codec: codecs[batch % 4]! })
  }
})

const fillPayments = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("payments", { partitions: 2 })
  for (let i = 0; i < 20; i++) {
    const transaction = yield* cluster.beginTransaction()
    yield* transaction.produce("payments", i % 2, [{ key: `payment-${i}`, value: i % 5 === 4 ? "refused" : "settled" }])
    yield* i % 5 === 4 ? transaction.abort : transaction.commit
  }
  const open = yield* cluster.beginTransaction()
  yield* open.produce("payments", 0, [{ key: "payment-20", value: "still open" }])
})

const fillCustomers = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("customers", { partitions: 1, configs: { "cleanup.policy": "compact" } })
  for (let round = 0; round < 10; round++) {
    const records = Array.from({ length: 100 }, (_, i) => ({
      key: `customer-${i}`,
      value: i % 10 === 0 && round === 9 ? null : JSON.stringify({ name: `Customer ${i}`, round })
    }))
    yield* cluster.produce("customers", 0, records, { codec: "zstd" })
  }
  yield* cluster.compact("customers", 0)
})

/** 5,000 more orders. */
export const moreOrders = Effect.fn("DemoCluster.moreOrders")(function* (cluster: InMemoryCluster) {
  for (let batch = 200; batch < 210; batch++) {
    yield* cluster.produce("orders", batch % 4, orders(batch * 500, 500), { codec: "zstd" })
  }
})

/** A topic that is created in the course of the story. */
export const fillRefunds = Effect.fn("DemoCluster.fillRefunds")(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("refunds", { partitions: 1 })
  yield* cluster.produce("refunds", 0, orders(7, 12))
})

/** Fills the cluster; `stories` describes the topics. */
export const fill = Effect.fn("DemoCluster.fill")(function* (cluster: InMemoryCluster) {
  yield* fillOrders(cluster)
  yield* fillPayments(cluster)
  yield* fillCustomers(cluster)
  yield* cluster.createTopic("events-empty", { partitions: 3 })
  yield* cluster.commitGroupOffsets("billing", [{ topic: "payments", partition: 0, offset: 5 }])
})

export const stories: ReadonlyArray<readonly [topic: string, what: string]> = [
  ["orders", "100,000 records in 4 partitions, each with a different compression"],
  ["payments", "21 transactions: 16 committed, 4 aborted, 1 still open"],
  ["customers", "a compacted topic with tombstones"],
  ["events-empty", "3 partitions without records"]
]
