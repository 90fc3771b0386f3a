import { createHash } from "node:crypto"
import { type Admin, Kafka, logLevel } from "kafkajs"
import { quietTimers } from "../../src/kafka/kafkajs/Internals.ts"

/** Topics of small partitions, as a cluster has them by the hundred. */
export interface Shape {
  readonly topics: number
  readonly partitions: number
  /** In each partition. */
  readonly records: number
}

const every = "bench-incremental-"
/** New names each time: a broker takes a while to forget topics. */
const prefix = `${every}${Date.now().toString(36)}-`
const valueBytes = 400

export const pattern = `${prefix}*`

const names = ({ topics }: Shape) => Array.from({ length: topics }, (_, n) => `${prefix}${String(n).padStart(3, "0")}`)

/** JSON-like: it compresses as data does, not as zeros. */
const value = (seed: string): string =>
  JSON.stringify({ id: seed, digest: createHash("sha256").update(seed).digest("hex"), text: seed.repeat(40) }).slice(
    0,
    valueBytes
  )

const messages = (topic: string, partition: number, count: number, round: number) =>
  Array.from({ length: count }, (_, n) => {
    const seed = `${topic}/${partition}/${round}/${n}`
    return { partition, key: seed, value: value(seed) }
  })

// As shipped, each connection sets timers of negative durations, of which Node warns.
quietTimers()

const client = (bootstrap: string) =>
  new Kafka({ clientId: "bench", brokers: bootstrap.split(","), logLevel: logLevel.NOTHING })

const asAdmin = async <A>(bootstrap: string, use: (admin: Admin) => Promise<A>): Promise<A> => {
  const admin = client(bootstrap).admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Deletes the topics of this bench and of earlier ones. */
export const remove = (bootstrap: string): Promise<void> =>
  asAdmin(bootstrap, async (admin) => {
    const there = (await admin.listTopics()).filter((name) => name.startsWith(every))
    if (there.length > 0) await admin.deleteTopics({ topics: there })
  })

/** Makes the topics, without records; waits until their leaders answer, which learn of them a little later. */
export const create = async (bootstrap: string, shape: Shape): Promise<void> => {
  const topics = names(shape).map((topic) => ({ topic, numPartitions: shape.partitions }))
  await asAdmin(bootstrap, (admin) => admin.createTopics({ topics, waitForLeaders: false, timeout: 60_000 }))
  for (let left = 60; ; left--) {
    try {
      // Another connection each time: this client remembers leaders that were none.
      return await asAdmin(bootstrap, async (admin) => {
        for (const { topic } of topics) await admin.fetchTopicOffsets(topic)
      })
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}

/** Writes `records` to each of these partitions, counted over all topics, and returns how many there were. */
export const fill = async (
  bootstrap: string,
  shape: Shape,
  round: number,
  recordsOf: (partition: number) => number
): Promise<number> => {
  const producer = client(bootstrap).producer({ idempotent: false, allowAutoTopicCreation: false })
  await producer.connect()
  let written = 0
  try {
    for (const [n, topic] of names(shape).entries()) {
      const batch = Array.from({ length: shape.partitions }, (_, p) =>
        messages(topic, p, recordsOf(n * shape.partitions + p), round)
      ).flat()
      written += batch.length
      if (batch.length > 0) await producer.sendBatch({ topicMessages: [{ topic, messages: batch }], acks: -1 })
    }
  } finally {
    await producer.disconnect()
  }
  return written
}
