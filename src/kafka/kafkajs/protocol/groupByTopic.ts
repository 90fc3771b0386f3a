import type { TopicPartition } from "../../KafkaSource.ts"

/** Partition ids by topic, each once, both in order of first appearance. */
export const groupByTopic = (partitions: ReadonlyArray<TopicPartition>): ReadonlyMap<string, ReadonlyArray<number>> => {
  const topics = new Map<string, Set<number>>()
  for (const { topic, partition } of partitions) {
    const ids = topics.get(topic)
    if (ids === undefined) topics.set(topic, new Set([partition]))
    else ids.add(partition)
  }
  return new Map([...topics].map(([topic, ids]) => [topic, [...ids]]))
}
