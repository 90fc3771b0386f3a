import { createHash } from "node:crypto"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import kafkajs from "kafkajs"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exported, onS3, reportOf, succeed, Workspace } from "./product.ts"
import { createBucket, putObject, unique } from "./scenes.ts"
import { dumped, Viewing } from "./Views.ts"

/**
 * Two full backups of one topic, as version 0.1 stored them (commit 391110c, 2026-11-26): 100 records, then 120. They
 * are those of `load` with seed 1 and 100 bytes, so that the same topic can be made again.
 */
const golden = fileURLToPath(new URL("../golden/version-0.1", import.meta.url))
const goldenTopic = "version-0.1-orders"
const goldenTopicId = "17aed0e5-b1ca-4652-84a4-a67d1360cc98"
const goldenClusterId = "KyG2qZGvWCBma4CFUnRjCg"
const newest = "version-0.1-20250101-010000"

/** Sealed documents again, after a change of their text. */
const sealed = (text: string): string => {
  const document = JSON.parse(text)
  if (document.content === undefined) return text
  const content = JSON.stringify(document.content)
  return `{"sha256":"${createHash("sha256").update(content).digest("hex")}","content":${content}}\n`
}

describeWith(["kafka", "versitygw", "java"], "Backups that version 0.1 made", ({ java: jvm, kafka, versitygw }) => {
  const topic = unique(goldenTopic)
  const bucket = unique("earlier")
  const workspace = new Workspace()
  let java: JavaKafka

  const clusterId = async () => {
    const admin = new kafkajs.Kafka({ brokers: [kafka.plaintext], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    try {
      return (await admin.describeCluster()).clusterId
    } finally {
      await admin.disconnect()
    }
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: jvm.classpath, bootstrap: kafka.plaintext })
    const { [topic]: id } = await java.createTopics({ name: topic, partitions: 2 })
    await java.load({ topic, count: 100, seed: 1, valueBytes: 100 })
    await java.load({ topic, count: 20, seed: 1, valueBytes: 100, firstIndex: 100 })
    const uuid = Buffer.from(id!, "base64url")
      .toString("hex")
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
    const here = await clusterId()
    await createBucket(versitygw, bucket)
    workspace.secret("s3-credentials", { accessKey: versitygw.accessKey, secretKey: versitygw.secretKey })
    const renamed = (text: string) =>
      text.replaceAll(goldenTopic, topic).replaceAll(goldenTopicId, uuid).replaceAll(goldenClusterId, here)
    for (const file of globSync("**/*.{json,zst}", { cwd: golden })) {
      const bytes = readFileSync(join(golden, file))
      const isText = file.endsWith(".json")
      await putObject(versitygw, bucket, renamed(`sets/${file}`), isText ? sealed(renamed(bytes.toString())) : bytes)
    }
  })
  afterAll(async () => {
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it("are built on by the next one, which holds everything and reads what is new", async () => {
    const places = workspace.manifest("version-0.1", {
      kafkaCluster: { bootstrapServers: [kafka.plaintext] },
      topics: [topic],
      storage: onS3(versitygw, bucket, "sets"),
      incremental: { enabled: true }
    })
    const inBackup = async (backupId: string) => {
      const viewing = new Viewing("")
      for await (const record of exported(...places, backupId, "--topic", topic)) viewing.add(record)
      return viewing.end()
    }
    const inKafka = async () => {
      const viewing = new Viewing("")
      for await (const record of dumped(java, workspace.folder, [topic])) viewing.add(record)
      return viewing.end()
    }
    const before = await inKafka()
    assert.deepStrictEqual(await inBackup(newest), before, "the topic is the one of these backups")

    await java.load({ topic, count: 30, seed: 1, valueBytes: 100, firstIndex: 120 })
    const report = reportOf(await succeed("run", ...places, "--slot", "2025-01-01T02:00:00Z"))
    assert.strictEqual(report.base, newest)
    assert.deepInclude(report.totals, { records: 150, newRecords: 30 })
    assert.deepStrictEqual(report.readInFull ?? [], [])
    assert.deepStrictEqual(await inBackup(report.backupId), await inKafka())

    await succeed("prune", ...places, "--keep", "1")
    await succeed("verify", ...places, report.backupId, "--deep")
    assert.deepStrictEqual(await inBackup(report.backupId), await inKafka())
    const next = reportOf(await succeed("run", ...places, "--slot", "2025-01-01T03:00:00Z"))
    assert.strictEqual(next.base, report.backupId)
    assert.deepInclude(next.totals, { records: 150, newRecords: 0 })
  })
})
