import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Kafka, logLevel } from "kafkajs"
import { afterAll, assert, beforeAll, it } from "vitest"
import { type Acl, JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { acls } from "./guideRights.ts"
import { kafkaBackup, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { eventually, everyKind, unique } from "./scenes.ts"

describeWith(["kafka", "kafkaSecurity", "kafka3", "java"], "A drill on a real Kafka cluster", (services) => {
  const { plaintext, security } = services.kafka
  const prefix = unique("drill")
  const scratch = `_${unique("scratch")}-`
  const workspace = new Workspace()
  let java: JavaKafka
  let topics: ReadonlyArray<string>
  let backupId: string

  const spec = (drill: object = {}, changes: object = {}) => ({
    kafkaCluster: { bootstrapServers: [plaintext] },
    topics: [`${prefix}-*`],
    includeOffsetHeaders: true,
    storage: onVolume,
    drill: { schedule: "@weekly", topicPrefix: scratch, ...drill },
    ...changes
  })
  const places = (drill: object = {}, changes: object = {}) => workspace.manifest("every", spec(drill, changes))

  /** The scratch topics that a cluster has now. */
  const scratchTopics = async (bootstrap = plaintext) => {
    const admin = new Kafka({ brokers: bootstrap.split(","), logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const names = await admin.listTopics()
    await admin.disconnect()
    return names.filter((name) => name.startsWith(scratch))
  }

  const drill = async (...args: ReadonlyArray<string>) =>
    JSON.parse((await succeed("drill", ...(args.length > 0 ? args : places()), "-o", "json")).stdout)

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: plaintext })
    topics = await everyKind(java, prefix)
    backupId = reportOf(await succeed("run", ...places())).backupId
  })
  afterAll(async () => {
    await java?.deleteTopics(...(await scratchTopics()))
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it("writes nothing in a dry run, and says what would be restored", async () => {
    const found = await drill(...places(), "--dry-run")
    assert.strictEqual(found.backupId, backupId)
    assert.isTrue(found.dryRun)
    assert.isAbove(found.records, 30_000)
    assert.deepStrictEqual(await scratchTopics(), [])
  })

  it("passes while production writes, and leaves no topic", async () => {
    const writing = java.load({ topic: `${prefix}-zstd`, count: 20_000, seed: 3, valueBytes: 300 })
    const found = await drill()
    await writing
    assert.deepInclude(found, { result: "Passed", outcome: "success", backupId, leftTopics: [] })
    // All but the topic without records, at its old offsets.
    assert.sameMembers(
      found.topics.map(({ source }: { source: string }) => source),
      topics.filter((name) => !name.endsWith("-empty"))
    )
    assert.isTrue(found.topics.every(({ offsets }: { offsets: string }) => offsets === "exact"))
    assert.isAbove(found.records, 30_000)
    assert.isAbove(found.comparedLiveRecords, 20_000)
    assert.isAtMost(found.comparedLiveRecords, found.records)
    assert.isAtLeast(found.estimatedSeconds, 1)
    assert.deepStrictEqual(await scratchTopics(), [])
  })

  it("says the result to a person in plain words, and to the operator in a summary", async () => {
    const file = join(workspace.folder, "summary.json")
    writeFileSync(file, "")
    const { stdout } = await succeed("drill", ...places({ maxBytes: "1Mi" }), "--summary", file)
    assert.match(stdout, /^OK .*restored, read back and compared$/m)
    assert.match(stdout, /Whole restore +about /)
    const { command, drill: summary, outcome } = JSON.parse(readFileSync(file, "utf8"))
    assert.deepStrictEqual([command, outcome, summary.result], ["drill", "success", "Passed"])
    assert.isAbove(summary.records, 0)
  })

  it("restores into another cluster, and compares with the one that was backed up", async () => {
    const bootstrapServers = services.kafka3.bootstrap.split(",")
    const found = await drill(...places({ targetCluster: { bootstrapServers }, topics: [`${prefix}-lz4`] }))
    assert.strictEqual(found.comparedLiveRecords, 6000)
    assert.deepStrictEqual(await scratchTopics(services.kafka3.bootstrap), [])
  })

  it("that is killed leaves topics that the next one deletes, and one that is stopped leaves none", async () => {
    const slow = places({}, { rateLimit: { bytesPerSecond: 200_000 } })
    const underWay = () => eventually("scratch topics", async () => (await scratchTopics()).length > 0)
    const killed = start(["drill", ...slow])
    await underWay()
    // The ids are noted within a moment.
    await new Promise((resolve) => setTimeout(resolve, 2000))
    killed.process.kill("SIGKILL")
    await killed.ended
    const left = await scratchTopics()
    assert.isAbove(left.length, 5)
    const stopped = start(["drill", ...slow])
    await eventually("only topics of the second drill", async () => {
      const now = await scratchTopics()
      return now.length > 0 && now.every((name) => !left.includes(name))
    })
    stopped.process.kill("SIGTERM")
    const { code, stderr } = await stopped.ended
    assert.strictEqual(code, 21, stderr)
    await eventually("no scratch topic", async () => (await scratchTopics()).length === 0)
  })

  it("needs the permissions of the guide and no more, and names one that is missing", async () => {
    const user: ReadonlyArray<Acl> = acls("drill.md", { "_drill-": scratch, "orders-": `${prefix}-` })
    workspace.secret("kafka-credentials", { username: "limited", password: security.users.limited })
    const limited = places(
      { topics: [`${prefix}-transactions`] },
      {
        kafkaCluster: {
          bootstrapServers: [security.saslPlaintext],
          securityProtocol: "SASL_PLAINTEXT",
          saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-256" }
        }
      }
    )
    await java.grant(...user)
    try {
      const found = await drill(...limited)
      assert.deepInclude(found, { result: "Passed", notes: [] })
      const alter = user.find(({ resource }) => resource === "CLUSTER")!
      await java.revoke(alter)
      const slower = await drill(...limited)
      await java.grant(alter)
      assert.deepStrictEqual([slower.result, slower.topics[0].offsets], ["Passed", "exact"])
      for (const acl of user.filter(
        ({ operations, resource }) =>
          resource !== "CLUSTER" && resource !== "TRANSACTIONAL_ID" && operations[0] !== "DESCRIBE"
      )) {
        const isLive = acl.name === `${prefix}-`
        await java.revoke(acl)
        const { code, stderr, stdout } = await kafkaBackup("drill", ...limited, "-o", "json")
        await java.grant(acl)
        if (isLive) assert.match(stdout, /permission denied for topic/)
        else assert.strictEqual(code, 19, `${JSON.stringify(acl)}\n${stderr}\n${stdout}`)
      }
      assert.deepStrictEqual(await scratchTopics(), [])
    } finally {
      await java.revoke(...user)
    }
  })

  it("fails with the object when a segment of the newest backup is damaged, and leaves no topic", async () => {
    const folder = join(workspace.volumes, "backups", backupId, "topics", `${prefix}-lz4`, "partition=1")
    const [name] = readdirSync(folder)
    const file = join(folder, name!)
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(file, bytes)
    try {
      const { code, stderr } = await kafkaBackup("drill", ...places())
      assert.strictEqual(code, 16, stderr)
      assert.include(stderr, `${backupId}/topics/${prefix}-lz4/partition=1/${name}`)
      assert.deepStrictEqual(await scratchTopics(), [])
    } finally {
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(file, bytes)
    }
  })
})
