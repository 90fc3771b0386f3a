import { Effect } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import type { KafkaDriver } from "../contract/kafkaSource.ts"

/** Drives a cluster in memory as the contract asks of every Kafka. */
export const driverOf = (cluster: InMemoryCluster): KafkaDriver => ({
  codecs: ["none", "gzip", "snappy-xerial", "snappy-raw", "lz4", "zstd"],
  createTopic: (name, partitions, configs) =>
    cluster.createTopic(name, { partitions, ...(configs === undefined ? {} : { configs }) }),
  deleteTopic: cluster.deleteTopic,
  produce: (topic, partition, records, codec) => cluster.produce(topic, partition, records, { codec }),
  transact: (topic, partition, records, end) =>
    Effect.gen(function* () {
      const transaction = yield* cluster.beginTransaction()
      yield* transaction.produce(topic, partition, records)
      if (end === "commit") yield* transaction.commit
      if (end === "abort") yield* transaction.abort
    }),
  deleteRecordsBefore: cluster.deleteRecordsBefore,
  compact: cluster.compact,
  moveLeader: cluster.moveLeader,
  denyDescribe: (topic) => cluster.deny("Describe", topic),
  commitGroupOffset: (groupId, topic, partition, offset) =>
    cluster.commitGroupOffsets(groupId, [{ topic, partition, offset }])
})
