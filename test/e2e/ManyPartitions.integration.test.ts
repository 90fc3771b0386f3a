import kafkajs from "kafkajs"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import type { Requests } from "../../bench/CountRequests.ts"
import { describeWith } from "../harness/services.ts"
import { LimitedCommand } from "./LimitedCommand.ts"
import { OwnBrokers } from "./OwnBrokers.ts"
import { onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

/*
 * Very many partitions with two records each on three brokers, five in a topic: KBO_PARTITIONS of them, 1,000 without.
 * What the run asks of Kafka grows with brokers and bytes, and its memory does not grow.
 */

const MiB = 1024 * 1024
const perTopic = 5
const partitions = Number(process.env["KBO_PARTITIONS"] ?? 1000)
const preload = new URL("../../bench/CountRequests.ts", import.meta.url).href

describeWith(["java"], `A backup of ${partitions} partitions`, (services) => {
  const prefix = unique("many")
  const topics = Array.from({ length: partitions / perTopic }, (_, n) => `${prefix}-${n}`)
  const command = new LimitedCommand()
  const workspace = new Workspace()
  let brokers: OwnBrokers
  const spec = () => ({
    kafkaCluster: { bootstrapServers: brokers.bootstrap.split(",") },
    topics: [`${prefix}-*`],
    storage: onVolume,
    checkpointIntervalSecs: 3600
  })

  beforeAll(async () => {
    command.build()
    brokers = await OwnBrokers.start(services.java.classpath)
    const client = new kafkajs.Kafka({
      brokers: brokers.bootstrap.split(","),
      logLevel: kafkajs.logLevel.NOTHING,
      requestTimeout: 120_000
    })
    const admin = client.admin()
    const producer = client.producer({ idempotent: true, retry: { retries: 20 } })
    await admin.connect()
    await producer.connect()
    const messages = Array.from({ length: 2 * perTopic }, (_, i) => ({
      key: `${i}`,
      value: `value ${i}`.repeat(20),
      partition: i % perTopic
    }))
    for (let at = 0; at < topics.length; at += 100) {
      const some = topics.slice(at, at + 100).map((topic) => ({ topic, numPartitions: perTopic, replicationFactor: 1 }))
      await admin.createTopics({ topics: some, waitForLeaders: false, timeout: 120_000 })
      for (const { topic } of some) await producer.send({ topic, messages })
    }
    await producer.disconnect()
    await admin.disconnect()
  }, 1_800_000)
  afterAll(async () => {
    command[Symbol.dispose]()
    workspace[Symbol.dispose]()
    await brokers?.stop()
  }, 300_000)

  it("needs no more than 300 MB, with a limit of 256 MiB", { timeout: 1_800_000 }, async () => {
    const places = workspace.manifest("little", spec())
    const ended = await command.run(prefix, 256, ["run", ...places])
    assert.deepInclude({ code: ended.code, kills: ended.kills }, { code: 0, kills: 0 }, ended.stderr)
    const report = reportOf(ended)
    assert.deepInclude(report.totals, { partitions, segments: partitions, records: 2 * partitions })
    const seconds = (Date.parse(report.completedAt) - Date.parse(report.startedAt)) / 1000
    console.log(`${partitions} partitions: ${seconds.toFixed(1)} s, peak ${Math.round(ended.peakBytes / MiB)} MiB`)
    assert.isBelow(ended.peakBytes, 300_000_000)
    await succeed("verify", ...places, report.backupId, "--deep")
  })

  it("asks Kafka for it with few requests", { timeout: 1_800_000 }, async () => {
    const file = join(workspace.folder, "requests.json")
    const env = { KBO_BENCH_REQUESTS: file, NODE_OPTIONS: `--import=${preload}` }
    const ended = await start(["run", ...workspace.manifest("counted", spec())], env).ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    const { kafka } = JSON.parse(readFileSync(file, "utf8")) as Requests
    console.log(`${partitions} partitions: ${JSON.stringify(kafka)}`)
    const thousands = Math.ceil(partitions / 1000)
    // Each of three brokers is asked for 64, 128, 256 and so on, then for a thousand at a time, of 1 MiB at most.
    assert.isAtMost(kafka["Fetch"] ?? 0, 3 * (8 + 2 * thousands))
    assert.isAtMost(kafka["Metadata"] ?? 0, 10)
    assert.isAtMost(kafka["ListOffsets"] ?? 0, 9 * thousands)
  })
})
