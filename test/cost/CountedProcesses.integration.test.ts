import kafkajs from "kafkajs"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import type { Requests } from "../../bench/CountRequests.ts"
import { onS3, onVolume, reportOf, start, Workspace } from "../e2e/product.ts"
import { createBucket, unique } from "../e2e/scenes.ts"
import { describeWith } from "../harness/services.ts"
import { assertFigures, perOne } from "./figures.ts"

/** The requests of the program itself, counted where they leave it: on its sockets and in its HTTP client. */

const preload = new URL("../../bench/CountRequests.ts", import.meta.url).href

describeWith(["kafka", "versitygw"], "The requests of the process of a run", (services) => {
  const prefix = unique("counted")
  const bucket = unique("counted")
  const topics = [2, 12] as const
  const partitions = 10
  const nameOf = (few: boolean, n: number) => `${prefix}-${few ? "few" : "many"}-${n}`
  const client = new kafkajs.Kafka({
    brokers: services.kafka.plaintext.split(","),
    logLevel: kafkajs.logLevel.NOTHING
  })
  const all = topics.flatMap((count, i) => Array.from({ length: count }, (_, n) => nameOf(i === 0, n)))

  beforeAll(async () => {
    await createBucket(services.versitygw, bucket)
    const admin = client.admin()
    // While topics have no leader yet it sends again; that is not to be written twice.
    const producer = client.producer({ idempotent: true, retry: { retries: 20 } })
    await admin.connect()
    await producer.connect()
    await admin.createTopics({
      topics: all.map((topic) => ({ topic, numPartitions: partitions })),
      waitForLeaders: false
    })
    const messages = Array.from({ length: partitions * 2 }, (_, i) => ({
      value: `value ${i}`,
      partition: i % partitions
    }))
    for (const topic of all) await producer.send({ topic, messages })
    await producer.disconnect()
    await admin.disconnect()
  })
  afterAll(async () => {
    const admin = client.admin()
    await admin.connect()
    await admin.deleteTopics({ topics: all })
    await admin.disconnect()
  })

  const counted = async (few: boolean, storage: object): Promise<Requests> => {
    using workspace = new Workspace()
    const { accessKey, secretKey } = services.versitygw
    workspace.secret("s3-credentials", { accessKey, secretKey })
    const file = join(workspace.folder, "requests.json")
    const spec = {
      kafkaCluster: { bootstrapServers: services.kafka.plaintext.split(",") },
      topics: [`${prefix}-${few ? "few" : "many"}-*`],
      storage,
      // No checkpoint is written because the machine is slow.
      checkpointIntervalSecs: 3600
    }
    const env = { KBO_BENCH_REQUESTS: file, NODE_OPTIONS: `--import=${preload}` }
    const ended = await start(["run", ...workspace.manifest("counted", spec)], env).ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.strictEqual(reportOf(ended).totals.records, topics[few ? 0 : 1] * partitions * 2)
    return JSON.parse(readFileSync(file, "utf8")) as Requests
  }

  /** Without those for groups, which other tests may have on the same brokers. */
  const ofTopics = (kafka: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(kafka).filter(([kind]) => !/Group|Coordinator|OffsetFetch/u.test(kind)))

  const compared = async (storage: (few: boolean) => object) => {
    const few = await counted(true, storage(true))
    const many = await counted(false, storage(false))
    const more = (topics[1] - topics[0]) * partitions
    return { few, many, perPartition: (kind: "kafka" | "storage" | "files") => perOne(few[kind], many[kind], more) }
  }

  it("are those of the table on a directory", async () => {
    const { few, perPartition } = await compared(() => onVolume)
    assertFigures("process, directory", {
      "requests to Kafka": ofTopics(few.kafka),
      "requests to Kafka for one more partition": ofTopics(perPartition("kafka"))
    })
  })

  it("are those of the table on S3", async () => {
    const { few, perPartition } = await compared((isFew) => onS3(services.versitygw, bucket, isFew ? "few" : "many"))
    assertFigures("process, S3", {
      "requests to the store": few.storage,
      "requests to the store for one more partition": perPartition("storage"),
      "requests to Kafka for one more partition": ofTopics(perPartition("kafka"))
    })
  })
})
