import { once } from "node:events"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exportTopic, kafkaBackup, onS3, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

const digests = (partitions: ReadonlyArray<Pick<PartitionDigest, "partition" | "records" | "sha256">>) =>
  partitions.filter((p) => p.records > 0).map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))

describeWith(["kafka", "kafkaSecurity", "versitygw", "java"], "A run against a cluster that says no", (services) => {
  const { security } = services.kafka
  const topic = unique("faults")
  const denied = unique("denied")
  let java: JavaKafka
  let expected: ReadonlyArray<PartitionDigest>

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    await java.createTopics({ name: topic, partitions: 3 }, { name: denied })
    await java.load({ topic, count: 6000, seed: 3, valueBytes: 1000 })
    await java.load({ topic: denied, count: 10, seed: 4 })
    expected = await java.digest(topic)
  })
  afterAll(() => java?.close())

  const as = (user: "backup" | "limited", password: string, workspace: Workspace, spec: object = {}) => {
    workspace.secret("kafka-credentials", { username: user, password: `${password}\n` })
    return workspace.manifest("faults", {
      kafkaCluster: {
        bootstrapServers: [security.saslPlaintext],
        securityProtocol: "SASL_PLAINTEXT",
        saslSecret: { name: "kafka-credentials", mechanism: "SCRAM-SHA-512" }
      },
      topics: [topic],
      storage: onVolume,
      ...spec
    })
  }

  it("gives a slow and complete set under a consumer quota", async () => {
    using workspace = new Workspace()
    await java.limitReads({ user: "backup" }, 256 * 1024)
    await new Promise((resolve) => setTimeout(resolve, 1000)) // until the broker has heard of it
    try {
      const places = as("backup", security.users.backup, workspace)
      const report = reportOf(await succeed("run", ...places))
      assert.deepStrictEqual(digests(await exportTopic(places, report.backupId, topic)), digests(expected))
      assert.isAtLeast(Date.parse(report.completedAt) - Date.parse(report.startedAt), 2000)
    } finally {
      await java.limitReads({ user: "backup" }, null)
    }
  })

  it("names every topic that may not be read, whether it is hidden or visible, and stores nothing", async () => {
    using workspace = new Workspace()
    await java.grant({ user: "limited", resource: "TOPIC", name: topic, operations: ["READ", "DESCRIBE"] })
    const hidden = await kafkaBackup(
      "run",
      ...as("limited", security.users.limited, workspace, { topics: [topic, denied] })
    )
    assert.strictEqual(hidden.code, 12, hidden.stderr)
    assert.include(hidden.stderr, denied)
    await java.grant({ user: "limited", resource: "TOPIC", name: denied, operations: ["DESCRIBE"] })
    const visible = await kafkaBackup("run", ...as("limited", security.users.limited, workspace, { topics: ["*"] }))
    assert.strictEqual(visible.code, 12, visible.stderr)
    assert.include(visible.stderr, denied)
    assert.notInclude(visible.stderr, `${topic},`)
    const allowed = as("limited", security.users.limited, workspace, { topics: ["*"], excludeTopics: [denied] })
    const report = reportOf(await succeed("run", ...allowed))
    assert.deepStrictEqual(digests(await exportTopic(allowed, report.backupId, topic)), digests(expected))
    assert.match(report.notes.join("\n"), /the backup has no/)
  })

  it("refuses wrong credentials by Secret and key, and never shows them", async () => {
    using workspace = new Workspace()
    const { code, stderr, stdout } = await kafkaBackup("run", ...as("backup", "hunter2-recognisable", workspace))
    assert.strictEqual(code, 12, stderr)
    assert.match(stderr, /kafka-credentials/)
    assert.match(stderr, /password/)
    assert.notInclude(stderr + stdout, "hunter2")
  })

  it("explains TLS spoken to a plaintext port, and the reverse", async () => {
    using workspace = new Workspace()
    const run = (bootstrap: string, securityProtocol: string) =>
      kafkaBackup(
        "run",
        ...workspace.manifest("tls", {
          kafkaCluster: { bootstrapServers: [bootstrap], securityProtocol },
          topics: [topic],
          storage: onVolume
        })
      )
    for (const { code, stderr } of [await run(services.kafka.plaintext, "SSL"), await run(security.ssl, "PLAINTEXT")]) {
      assert.strictEqual(code, 18, stderr)
      assert.include(stderr, "securityProtocol")
      assert.notMatch(stderr, /\n\s+at /)
    }
  })

  it("explains a bucket that does not exist and one that refuses, naming bucket, Secret and keys", async () => {
    using workspace = new Workspace()
    const run = (secretKey: string) => {
      workspace.secret("s3-credentials", { accessKey: services.versitygw.accessKey, secretKey })
      const storage = onS3(services.versitygw, unique("nobody"), "p")
      return kafkaBackup(
        "run",
        ...workspace.manifest("bucket", {
          kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
          topics: [topic],
          storage
        })
      )
    }
    const missing = await run(services.versitygw.secretKey)
    assert.strictEqual(missing.code, 14, missing.stderr)
    const refused = await run("recognisable-wrong-key")
    assert.strictEqual(refused.code, 12, refused.stderr)
    assert.match(refused.stderr, /s3-credentials/)
    assert.notInclude(refused.stderr, "recognisable-wrong-key")
  })

  /** A run slow enough that something can happen to it. */
  const slowly = (workspace: Workspace, name: string, bytesPerSecond: number) =>
    workspace.manifest("slow", {
      kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
      topics: [name],
      storage: onVolume,
      checkpointIntervalSecs: 1,
      rateLimit: { bytesPerSecond }
    })

  it("never mixes a topic with its re-created namesake", async () => {
    using workspace = new Workspace()
    const name = unique("recreated")
    await java.createTopics({ name })
    await java.load({ topic: name, count: 5000, seed: 5 })
    const { ended, process } = start(["run", ...slowly(workspace, name, 500_000)])
    await once(process.stderr!, "data")
    await new Promise((resolve) => setTimeout(resolve, 2000))
    await java.deleteTopics(name)
    await java.createTopics({ name })
    await java.load({ topic: name, count: 9000, seed: 6 })
    const { code, stderr } = await ended
    assert.strictEqual(code, 13, stderr)
    const { stdout } = await succeed("list", ...slowly(workspace, name, 1), "--output", "json")
    assert.deepStrictEqual(
      JSON.parse(stdout).map((entry: { state: string }) => entry.state),
      ["unfinished"]
    )
  })

  it("records what retention took before it was read, and is otherwise complete", async () => {
    using workspace = new Workspace()
    const name = unique("retained")
    await java.createTopics({ name })
    await java.load({ topic: name, count: 8000, seed: 5 })
    const places = slowly(workspace, name, 800_000)
    const { ended, process } = start(["run", ...places])
    await once(process.stderr!, "data")
    await new Promise((resolve) => setTimeout(resolve, 2000))
    await java.deleteRecords(name, { 0: 7000 })
    const result = await ended
    assert.strictEqual(result.code, 0, result.stderr)
    const report = reportOf(result)
    assert.strictEqual(report.gaps.length, 1)
    assert.strictEqual(report.gaps[0].until, 7000)
    const [found] = await exportTopic(places, report.backupId, name)
    const { from } = report.gaps[0]
    assert.deepStrictEqual(
      found!.offsets,
      Array.from({ length: 8000 }, (_, i) => i).filter((i) => i < from || i >= 7000)
    )
  })
})

describeWith(["kafka3", "java"], "A run on three brokers", (services) => {
  it("is complete although leaders move and a broker hangs meanwhile", async () => {
    await using java = await JavaKafka.start({
      classpath: services.java.classpath,
      bootstrap: services.kafka3.bootstrap
    })
    using workspace = new Workspace()
    const topic = unique("moving")
    await java.createTopics({ name: topic, partitions: 3, replicas: 3 })
    await java.load({ topic, count: 12_000, seed: 13, codec: "rotate" })
    const expected = await java.digest(topic)
    const places = workspace.manifest("moving", {
      kafkaCluster: { bootstrapServers: services.kafka3.bootstrap.split(",") },
      topics: [topic],
      storage: onVolume,
      checkpointIntervalSecs: 2,
      rateLimit: { bytesPerSecond: 800_000 }
    })
    const { ended, process: run } = start(["run", ...places])
    await once(run.stderr!, "data")
    for (let partition = 0; partition < 3; partition++) {
      await new Promise((resolve) => setTimeout(resolve, 800))
      const leader = (await java.describeTopics(topic))[0]!.partitions[partition]!.leader
      await java.moveLeader(topic, partition, (leader % 3) + 1)
    }
    const hung = services.kafka3.brokers?.[0]?.pid
    if (hung !== undefined) {
      process.kill(hung, "SIGSTOP")
      setTimeout(() => process.kill(hung, "SIGCONT"), 4000)
    }
    const result = await ended
    assert.strictEqual(result.code, 0, result.stderr)
    assert.deepStrictEqual(digests(await exportTopic(places, reportOf(result).backupId, topic)), digests(expected))
  })
})
