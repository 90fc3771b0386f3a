import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { BatchHeader } from "../../src/kafka/batch/BatchHeader.ts"
import { headerBytes } from "../../src/kafka/batch/RecordBatch.ts"
import { zstdDecompressSync } from "node:zlib"
import { JavaKafka, type PartitionDigest, readDump } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { eventually, everyKind, unique } from "./scenes.ts"

/** A stored batch: what its header says of its records, and the records as they are compressed. */
const batchesIn = (log: Buffer): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let at = 0; at < log.length;) {
    const end = at + BatchHeader.prefixBytes + log.readInt32BE(at + BatchHeader.length)
    const codec = log.readInt16BE(at + BatchHeader.attributes) & 7
    const records = log.readInt32BE(at + BatchHeader.recordCount)
    found.push(`${codec} ${records} ${log.toString("base64", at + headerBytes, end)}`)
    at = end
  }
  return found
}

/** Longer batches, in base64, are appended as they are. Source: `leastStoredBytes` of src/worker/WriteBounds.ts. */
const surelyKept = (64 * 1024 * 4) / 3

describeWith(["kafka", "java"], "A backup of batches, restored to a real cluster,", (services) => {
  const prefix = unique("stored")
  const workspace = new Workspace()
  const cluster = { bootstrapServers: [services.kafka.plaintext] }
  const begun = `${prefix}-begun`
  const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const
  const noise = codecs.map((codec) => `${prefix}-noise-${codec}`)
  let java: JavaKafka
  let topics: ReadonlyArray<string>
  let expected: ReadonlyArray<PartitionDigest>
  let backupId: string
  const made: Array<string> = []

  const backUp = async (name: string, of: ReadonlyArray<string>) => {
    const spec = { kafkaCluster: cluster, topics: of, storage: onVolume, format: "batches" }
    return reportOf(await succeed("run", ...workspace.manifest(name, spec))).backupId as string
  }

  const restoreOf = (name: string, of: ReadonlyArray<string>, spec: object = {}) => {
    made.push(...of.map((topic) => `${name}-${topic}`))
    const topicMapping = Object.fromEntries(of.map((topic) => [topic, `${name}-${topic}`]))
    const all = { backupId, targetCluster: cluster, storage: onVolume, topics: of, topicMapping, ...spec }
    return workspace.manifest(name, all, "KafkaRestore")
  }

  const logsOf = (id: string, topic: string): ReadonlyArray<string> => {
    const folder = join(workspace.volumes, "backups", id, "topics", topic)
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .toSorted()
      .flatMap((name) => {
        const file = join(folder, name)
        if (name.endsWith(".log")) return batchesIn(readFileSync(file))
        return name.endsWith(".log.zst") ? batchesIn(zstdDecompressSync(readFileSync(file))) : []
      })
  }

  const plain = (digests: ReadonlyArray<PartitionDigest>, name = "") =>
    digests.map(({ end, partition, records, sha256, start: first, topic }) => ({
      topic: topic.slice(name.length),
      partition,
      records,
      sha256,
      first,
      end: topic.endsWith("-transactions") || topic.endsWith("-compacted") ? undefined : end
    }))
  const sameAs = async (name: string, of: ReadonlyArray<string>) =>
    assert.deepStrictEqual(
      plain(await java.digest(...of.map((topic) => `${name}-${topic}`)), `${name}-`),
      plain(expected.filter(({ topic }) => of.includes(topic)))
    )

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    const kinds = await everyKind(java, prefix)
    await java.createTopics({ name: begun })
    await java.load({ topic: begun, count: 3000, seed: 3, valueBytes: 300, codec: "zstd" })
    await java.deleteRecords(begun, { 0: 1003 })
    await java.createTopics(...noise.map((name) => ({ name })))
    for (const [i, codec] of codecs.entries()) {
      await java.load({ topic: noise[i]!, count: 1000, seed: 4, shape: "random", valueBytes: 4000, codec })
    }
    topics = [...kinds, begun, ...noise]
    const compacted = `${prefix}-compacted`
    await eventually("the broker compacts", async () => {
      const [partition] = await java.digest(compacted)
      return partition!.records < 6500
    })
    await java.alterTopic(compacted, { "cleanup.policy": "delete", "segment.ms": 604800000 })
    expected = await java.digest(...topics)
    backupId = await backUp("every", topics)
  }, 300_000)
  afterAll(async () => {
    await java?.deleteTopics(...topics, ...new Set(made))
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it("gives an independent consumer the same records at the same offsets, whatever the batches are like", async () => {
    await succeed("restore", ...restoreOf("all", topics))
    await sameAs("all", topics)
  }, 300_000)

  it("has the batches of the source, compressed by their producers", async () => {
    const again = await backUp(
      "again",
      noise.map((topic) => `all-${topic}`)
    )
    for (const topic of noise) {
      const kept = logsOf(backupId, topic).filter((batch) => batch.length > surelyKept + 20)
      assert.isAbove(kept.length, 3, topic)
      assert.includeMembers([...logsOf(again, `all-${topic}`)], kept, topic)
    }
  }, 300_000)

  it("goes on where it was killed", async () => {
    const places = restoreOf("killed", topics)
    for (const millis of [700, 1100, 1500, 2000]) {
      const attempt = start(["restore", ...places])
      await new Promise((resolve) => setTimeout(resolve, millis))
      attempt.process.kill("SIGKILL")
      await attempt.ended
    }
    await succeed("restore", ...places)
    await sameAs("killed", topics)
  }, 300_000)

  it("is compressed anew where the topics are to have another codec", async () => {
    const configOverrides = { "*": { "compression.type": "gzip" } }
    const some = ["noise-zstd", "noise-gzip", "none", "mixed"].map((name) => `${prefix}-${name}`)
    await succeed("restore", ...restoreOf("gzip", some, { configOverrides }))
    await sameAs("gzip", some)
  }, 300_000)

  it.each([
    ["noise-lz4", { "max.message.bytes": 60_000 }],
    ["noise-lz4", { "compression.type": "zstd" }],
    ["noise-none", { "compression.type": "gzip" }]
  ] as const)(
    "is proven behind the records of others, where brokers want batches of %s otherwise",
    async (name, config) => {
      const source = `${prefix}-${name}`
      const target = `behind-${Object.keys(config)[0]}-${source}`
      await java.createTopics({
        name: target,
        config: { "retention.ms": -1, "message.timestamp.after.max.ms": "9223372036854775807", ...config }
      })
      await java.produce(target, [{ partition: 0, key: "there", value: "before" }])
      await succeed(
        "restore",
        ...restoreOf(`behind-${Object.keys(config)[0]}`, [source], { existingTopics: "Append", offsets: "New" })
      )
      const records = async (topic: string) => {
        const file = join(workspace.folder, `${topic}.jsonl`)
        await java.dumpTo(file, topic)
        const found: Array<string> = []
        for await (const { headers, key, partition, timestamp, value } of readDump(file)) {
          found.push(JSON.stringify({ partition, timestamp, key, value, headers }))
        }
        return found.toSorted()
      }
      const found = (await records(target)).filter(
        (record) => !record.includes(Buffer.from("before").toString("base64"))
      )
      assert.deepStrictEqual(found, await records(source))
    },
    300_000
  )
})
