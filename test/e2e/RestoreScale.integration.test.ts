import { performance } from "node:perf_hooks"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { LimitedCommand } from "./LimitedCommand.ts"
import { onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

const MiB = 1024 * 1024
const partitions = 100

/* A restore of a thousand partitions by the built command with little memory; see LimitedCommand.ts. */
describeWith(["kafka", "java"], "A restore of 1,000 partitions", (services) => {
  const prefix = unique("thousand")
  const topics = Array.from({ length: 10 }, (_, i) => `${prefix}-${i}`)
  const targets = topics.map((topic) => `to-${topic}`)
  const command = new LimitedCommand()
  const workspace = new Workspace()
  const cluster = { bootstrapServers: [services.kafka.plaintext] }
  let java: JavaKafka
  let backupId: string

  beforeAll(async () => {
    command.build()
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    await java.createTopics(...topics.map((name) => ({ name, partitions })))
    for (const [seed, topic] of topics.entries()) {
      await java.load({ topic, count: 2000, seed, valueBytes: 500, codec: "rotate" })
      // Every tenth log begins later.
      await java.deleteRecords(topic, Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i * 10, 5])))
    }
    const spec = { kafkaCluster: cluster, topics, storage: onVolume }
    backupId = reportOf(await succeed("run", ...workspace.manifest("source", spec))).backupId
  }, 600_000)
  afterAll(async () => {
    command[Symbol.dispose]()
    await java?.deleteTopics(...topics, ...targets)
    await java?.close()
    workspace[Symbol.dispose]()
  })

  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ end, partition, records, sha256, start }) => ({ partition, records, sha256, start, end }))

  it("works within 256 MiB", { timeout: 900_000 }, async () => {
    const topicMapping = Object.fromEntries(topics.map((topic, i) => [topic, targets[i]]))
    const spec = { backupId, targetCluster: cluster, storage: onVolume, topicMapping }
    const places = workspace.manifest("thousand", spec, "KafkaRestore")
    const beganMillis = performance.now()
    const ended = await command.run(prefix, 256, ["restore", ...places])
    const seconds = (performance.now() - beganMillis) / 1000
    assert.deepInclude({ code: ended.code, kills: ended.kills }, { code: 0, kills: 0 }, ended.stderr)
    console.log(`1,000 partitions: ${seconds.toFixed(1)} s, peak ${Math.round(ended.peakBytes / MiB)} MiB`)
    assert.isBelow(ended.peakBytes, 256 * MiB)
    assert.deepStrictEqual(plain(await java.digest(...targets)), plain(await java.digest(...topics)))
  })
})
