import { Effect } from "effect"
import type { RecordToProduce } from "../../../src/kafka/memory/InMemoryCluster.ts"
import * as Records from "./Records.ts"
import { configs, deleteRetentionMillis, partitionsOf, type Topic, topics, touch, type World } from "./World.ts"

/* What happens to topics. */

const one = <A>(list: ReadonlyArray<A>, n: number): A => list[n % list.length]!

const place = ({ partitions }: World, a: number, b: number): readonly [Topic, number] => {
  const topic = one(topics, a)
  return [topic, b % partitions.get(topic)!]
}

const records = (world: World, topic: Topic, count: number): ReadonlyArray<RecordToProduce> =>
  Array.from({ length: count }, () => {
    const n = ++world.records
    return {
      key: `key-${(n * 7) % 11}`,
      value: topic !== "events" && n % 4 === 0 ? null : `value ${n} `.repeat(1 + (n % 9)),
      timestamp: 1_700_000_000_000 + n,
      headers: n % 6 === 0 ? [["source", n % 12 === 0 ? null : String(n)] as const] : []
    }
  })

const written = (world: World, topic: Topic, partition: number, { baseOffset, lastOffset }: Written) => {
  const { writtenMillis } = Records.logOf(world, topic, partition)
  for (let offset = baseOffset; offset <= lastOffset; offset++) writtenMillis.set(offset, world.time.nowMillis)
}

interface Written {
  readonly baseOffset: number
  readonly lastOffset: number
}

export const produce = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const [topic, partition] = place(world, a, b)
  written(world, topic, partition, yield* world.cluster.produce(topic, partition, records(world, topic, 1 + (b % 30))))
})

/** One in four transactions stays open until the next step of this kind. */
export const transact = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const [topic, partition] = place(world, a, b)
  const transaction = world.openTransaction ?? (yield* world.cluster.beginTransaction())
  written(world, topic, partition, yield* transaction.produce(topic, partition, records(world, topic, 1 + (b % 5))))
  world.openTransaction = undefined
  if (a % 4 === 0) world.openTransaction = transaction
  else yield* b % 2 === 0 ? transaction.commit : transaction.abort
})

/** The topics that are compacted now. */
const compacted = ({ configured }: World): ReadonlyArray<Topic> => [
  "fleeting",
  ...(configured.has("state") ? [] : (["state"] as const)),
  ...(configured.has("events") ? (["events"] as const) : [])
]

const cleaned = (world: World, topic: Topic, partition: number, found: ReadonlyArray<{ readonly offset: number }>) => {
  const log = Records.logOf(world, topic, partition)
  log.cleanedUntil = Math.max(log.cleanedUntil, (found.at(-1)?.offset ?? -1) + 1)
}

export const compact = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const topic = one(compacted(world), a)
  const partition = b % world.partitions.get(topic)!
  cleaned(world, topic, partition, yield* world.cluster.committed(topic, partition))
  yield* world.cluster.compact(topic, partition, { emptied: b % 2 === 0 ? "keep" : "drop" })
  touch(world, topic, partition)
})

/** Compaction drops the deletions that are old enough for their topic. */
export const dropTombstones = Effect.fnUntraced(function* (world: World, a: number) {
  const topic = one(compacted(world), a)
  const { writtenMillis } = Records.logOf(world, topic, 0)
  const youngMillis = world.time.nowMillis - deleteRetentionMillis[topic]
  const found = yield* world.cluster.committed(topic, 0)
  cleaned(world, topic, 0, found)
  const young = found.find(
    ({ offset, value }) => value === null && (writtenMillis.get(offset) ?? Infinity) > youngMillis
  )
  yield* world.cluster.compact(topic, 0, {
    tombstones: "drop",
    ...(young === undefined ? {} : { until: young.offset })
  })
  touch(world, topic, 0)
})

export const deleteRecords = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const [topic, partition] = place(world, a, b)
  const found = yield* world.cluster.committed(topic, partition)
  if (found.length === 0) return
  const { offset } = one(found, a + b)
  yield* world.cluster.deleteRecordsBefore(topic, partition, offset)
  Records.logOf(world, topic, partition).logStart = offset
  touch(world, topic, partition)
})

export const recreate = Effect.fnUntraced(function* (world: World, a: number) {
  const topic = one(topics, a)
  // What an open transaction wrote goes with the topic.
  if (world.openTransaction !== undefined) yield* world.openTransaction.abort
  world.openTransaction = undefined
  yield* world.cluster.deleteTopic(topic)
  for (let p = 0; p < world.partitions.get(topic)!; p++) {
    world.logs.delete(`${topic}/${p}`)
    touch(world, topic, p)
  }
  world.partitions.set(topic, partitionsOf(topic))
  world.configured.delete(topic)
  yield* world.cluster.createTopic(topic, { partitions: partitionsOf(topic), configs: configs[topic] })
})

export const grow = Effect.fnUntraced(function* (world: World, a: number) {
  const topic = one(topics, a)
  const count = world.partitions.get(topic)!
  if (topic !== "events" || count >= 5) return
  world.partitions.set(topic, count + 1)
  yield* world.cluster.addPartitions(topic, count + 1)
  touch(world, topic, count)
})

/**
 * Once for each topic: one without compaction is compacted from now on, or the other way round. Who changes it back
 * between two backups leaves no trace of it.
 */
export const configure = Effect.fnUntraced(function* (world: World, a: number) {
  const topic = one(["events", "state"] as const, a)
  if (world.configured.has(topic)) return
  world.configured.add(topic)
  yield* Effect.orDie(
    world.cluster.writeWire.alterConfigs(topic, { "cleanup.policy": topic === "events" ? "compact" : "delete" })
  )
  for (let p = 0; p < world.partitions.get(topic)!; p++) touch(world, topic, p)
})

/**
 * An unclean election: the end of the log is lost, with batches whole. Whoever leads from then on never had it, so no
 * compaction of its log has dropped a record for the sake of one that is lost.
 */
export const loseTail = Effect.fnUntraced(function* (world: World, a: number, b: number) {
  const [topic, partition] = place(world, a, b)
  yield* Records.learn(world)
  const { cleanedUntil, ever } = Records.logOf(world, topic, partition)
  const found = yield* world.cluster.committed(topic, partition)
  const lost = found.slice(Math.max(1, Math.floor(found.length / 2))).filter(({ offset }) => offset >= cleanedUntil)
  if (lost.length === 0) return
  yield* world.cluster.truncate(topic, partition, one(lost, a).offset)
  const last = (yield* world.cluster.committed(topic, partition)).at(-1)?.offset ?? -1
  for (const offset of ever.keys()) if (offset > last && offset >= cleanedUntil) ever.delete(offset)
  touch(world, topic, partition)
})
