import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { exportTopic, kafkaBackup, onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { eventually, everyKind, unique } from "./scenes.ts"

describeWith(["kafka", "kafka3", "java"], "A restore into another real Kafka cluster", (services) => {
  const prefix = unique("restore")
  const workspace = new Workspace()
  let java: JavaKafka
  let there: JavaKafka
  let topics: ReadonlyArray<string>
  let expected: ReadonlyArray<PartitionDigest>
  let backupId: string

  const restoreOf = (name: string, spec: object = {}) =>
    workspace.manifest(
      name,
      {
        backupId,
        targetCluster: { bootstrapServers: services.kafka3.bootstrap.split(",") },
        storage: onVolume,
        ...spec
      },
      "KafkaRestore"
    )

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    there = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka3.bootstrap })
    topics = await everyKind(java, prefix)
    const compacted = `${prefix}-compacted`
    await eventually("the broker compacts", async () => {
      const [partition] = await java.digest(compacted)
      return partition!.records < 6500
    })
    await java.alterTopic(compacted, { "cleanup.policy": "delete", "segment.ms": 604800000 })
    expected = await java.digest(...topics)
    const places = workspace.manifest("every", {
      kafkaCluster: { bootstrapServers: [services.kafka.plaintext] },
      topics: [`${prefix}-*`],
      storage: onVolume
    })
    backupId = reportOf(await succeed("run", ...places)).backupId
  })
  afterAll(async () => {
    await Promise.all([java?.close(), there?.close()])
    workspace[Symbol.dispose]()
  })

  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ partition, records, sha256, topic }) => ({ topic, partition, records, sha256 }))

  it("writes nothing in a dry run, and says what would be done", async () => {
    const { stdout } = await succeed("restore", ...restoreOf("dry"), "--dry-run", "-o", "json")
    const found = JSON.parse(stdout)
    assert.isTrue(found.dryRun)
    assert.sameMembers(
      found.topics.map(({ target }: { target: string }) => target),
      [...topics]
    )
    assert.isTrue(found.topics.every(({ action }: { action: string }) => action === "create and write"))
    await succeed("restore", ...restoreOf("dry"), "--dry-run")
  })

  it("gives an independent consumer the same records at the same offsets", async () => {
    await succeed("restore", ...restoreOf("all"))
    assert.deepStrictEqual(plain(await there.digest(...topics)), plain(expected))
  })

  it("is backed up as the same records", async () => {
    const again = workspace.manifest("again", {
      kafkaCluster: { bootstrapServers: services.kafka3.bootstrap.split(",") },
      topics,
      storage: onVolume
    })
    const restored = reportOf(await succeed("run", ...again)).backupId
    for (const name of ["mixed", "transactions", "compacted", "append-time", "sparse"]) {
      const topic = `${prefix}-${name}`
      assert.deepStrictEqual(
        await exportTopic(again, restored, topic),
        await exportTopic(again, backupId, topic),
        topic
      )
    }
  })

  it("changes nothing when it is repeated, and refuses the topics of another restore", async () => {
    await succeed("restore", ...restoreOf("all"))
    assert.deepStrictEqual(plain(await there.digest(...topics)), plain(expected))
    const refused = await kafkaBackup("restore", ...restoreOf("other"))
    assert.strictEqual(refused.code, 19)
    assert.match(refused.stderr, /holds records already/)
  })

  it("goes on where it was killed", async () => {
    const mapping = Object.fromEntries(topics.map((topic) => [topic, `killed-${topic}`]))
    const places = restoreOf("killed", { topicMapping: mapping })
    for (const millis of [700, 1100, 1500, 2000]) {
      const attempt = start(["restore", ...places])
      await new Promise((resolve) => setTimeout(resolve, millis))
      attempt.process.kill("SIGKILL")
      await attempt.ended
    }
    await succeed("restore", ...places)
    const names = topics.map((topic) => `killed-${topic}`)
    const found = plain(await there.digest(...names)).map((one) => ({
      ...one,
      topic: one.topic.slice("killed-".length)
    }))
    assert.deepStrictEqual(found, plain(expected))
  })
})
