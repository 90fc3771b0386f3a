import kafkajs from "kafkajs"
import { afterAll, assert, beforeAll, beforeEach, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type BrokerId, brokerIds, OwnBrokers } from "./OwnBrokers.ts"
import { onVolume, reportOf, start, succeed, Workspace } from "./product.ts"
import { eventually, unique } from "./scenes.ts"

/** Records of 2017: nothing that a broker remembers of their producer survives its restart. */
const long = 1_500_000_000_000
const partitions = 3

/* Restores into three brokers, RF 3 and min.insync.replicas 2, that are ended while it works. */
describeWith(["kafka", "java"], "A restore into brokers that fail", (services) => {
  const topic = unique("brokers")
  const workspace = new Workspace()
  let brokers: OwnBrokers
  let java: JavaKafka
  let there: JavaKafka
  let expected: ReadonlyArray<unknown>
  let backupId: string

  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ end, partition, records, sha256, start: first }) => ({ partition, records, sha256, first, end }))

  beforeAll(async () => {
    ;[brokers, java] = await Promise.all([
      OwnBrokers.start(services.java.classpath),
      JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    ])
    there = java.connect({ bootstrap: brokers.bootstrap })
    await java.createTopics({ name: topic, partitions })
    await java.load({ topic, count: 30_000, seed: 31, codec: "rotate", firstTimestamp: long })
    await java.load({ topic, count: 600, seed: 32, transactionEvery: 20, firstIndex: 30_000, firstTimestamp: long })
    await java.deleteRecords(topic, { 1: 500 })
    expected = plain(await java.digest(topic))
    const spec = { kafkaCluster: { bootstrapServers: [services.kafka.plaintext] }, topics: [topic], storage: onVolume }
    backupId = reportOf(await succeed("run", ...workspace.manifest("source", spec))).backupId
  })
  afterAll(async () => {
    await java?.close()
    await brokers?.stop()
    workspace[Symbol.dispose]()
  })

  const replicasInSync = async (name: string) =>
    (await there.describeTopics(name))[0]!.partitions.every(({ isr }) => isr.length === brokerIds.length)
  const leaderOf = async (name: string, partition: number) =>
    (await there.describeTopics(name))[0]!.partitions[partition]!.leader as BrokerId

  /** Until every broker is up and has its part of the cluster's own topics. */
  beforeEach(async () => {
    const name = unique("ready")
    await eventually("three brokers take part", () =>
      there.createTopics({ name, partitions: 1, replicas: 3 }).then(
        () => true,
        () => false
      )
    )
    await eventually("all replicas are in sync", () => replicasInSync(name))
  })

  /** Starts a restore that takes about ten seconds, and lets `happen` happen once some records are there. */
  const whileRestoring = async (target: string, happen: (log: () => string) => Promise<void>) => {
    const spec = {
      backupId,
      targetCluster: { bootstrapServers: brokers.bootstrap.split(",") },
      storage: onVolume,
      topicMapping: { [topic]: target },
      defaultReplicationFactor: 3,
      configOverrides: { "*": { "min.insync.replicas": "2" } },
      compression: "none",
      rateLimit: { bytesPerSecond: 1_500_000 }
    }
    const places = workspace.manifest(target, spec, "KafkaRestore")
    const { ended, process: restore } = start(["restore", ...places, "--log-level", "debug"])
    let log = ""
    restore.stderr!.on("data", (text: Buffer) => (log += text.toString()))
    await eventually(`records in ${target}`, async () => {
      const found = await there.offsets(target).catch(() => ({}) as Awaited<ReturnType<JavaKafka["offsets"]>>)
      return found[target]?.some(({ end }) => end > 1000) ?? false
    })
    await happen(() => log)
    const { code, stderr } = await ended
    assert.strictEqual(code, 0, stderr)
    // What was aborted in the source is not in the backup: here both kinds of consumers get the same.
    assert.deepStrictEqual(plain(await there.digest(target)), expected)
    assert.deepStrictEqual(plain(await there.digestUncommitted(target)), expected)
    return log
  }

  /** Everything of the cluster that a restore could change, its internal topics included. */
  const clusterState = async () => {
    const client = new kafkajs.Kafka({ brokers: brokers.bootstrap.split(","), logLevel: kafkajs.logLevel.NOTHING })
    const admin = client.admin()
    await admin.connect()
    try {
      const topics = (await admin.listTopics()).toSorted()
      const resources = topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }))
      const { resources: configs } = await admin.describeConfigs({ resources, includeSynonyms: false })
      const offsets = await there.offsets(...topics)
      const { groups } = await admin.listGroups()
      return {
        groups: groups.map(({ groupId }) => groupId).toSorted(),
        topics: topics.map((name) => ({
          name,
          offsets: offsets[name]!.toSorted((a, b) => a.partition - b.partition),
          configs: configs.find(({ resourceName }) => resourceName === name)!.configEntries
        }))
      }
    } finally {
      await admin.disconnect()
    }
  }

  it("changes nothing in the cluster in a dry run, and names all that it would do", async () => {
    const [group, other] = [unique("group"), unique("other")]
    await there.createTopics({ name: other, replicas: 3 })
    // Brokers make their own topic for transactions when one is first asked about.
    await there.produce(other, [{ key: "k", value: "v" }], { transaction: "commit" })
    await there.commitOffsets(group, { [other]: { 0: 1 } })
    const before = await clusterState()
    const spec = {
      backupId,
      targetCluster: { bootstrapServers: brokers.bootstrap.split(",") },
      storage: onVolume,
      defaultReplicationFactor: 3,
      offsetReset: { enabled: true, strategy: "earliest", consumerGroups: [group] },
      rollback: { enabled: true, snapshotId: unique("before") },
      retentionHold: "0s"
    }
    const places = workspace.manifest("dry", spec, "KafkaRestore")
    const { stdout } = await succeed("restore", ...places, "--dry-run", "-o", "json")
    const found = JSON.parse(stdout)
    assert.deepInclude(found.topics[0], { target: topic, action: "create and write" })
    assert.deepStrictEqual(found.offsetReset.groups, [group])
    assert.deepStrictEqual(await clusterState(), before)
  })

  it("is complete although the leader of a partition loses power and comes back", async () => {
    const target = unique("killed")
    await whileRestoring(target, async () => {
      const leader = await leaderOf(target, 0)
      await brokers.kill(leader)
      // Its session ends after 9 s, and another broker leads.
      await eventually("another leader", async () => ![leader, -1].includes(await leaderOf(target, 0)))
      await brokers.startAgain(leader)
      await eventually("all replicas are in sync", () => replicasInSync(target))
      await there.moveLeader(target, 0, leader)
    })
  })

  it("is complete although all brokers are restarted one after the other", async () => {
    const target = unique("rolling")
    await whileRestoring(target, async () => {
      for (const id of brokerIds) {
        await brokers.shutDown(id)
        await brokers.startAgain(id)
        await eventually("all replicas are in sync", () => replicasInSync(target))
      }
    })
  })

  it("waits while too few replicas are in sync, and is complete then", async () => {
    const target = unique("two-down")
    const log = await whileRestoring(target, async (written) => {
      const [stays, ...others] = [1, 2, 3] as const
      await Promise.all(others.map((id) => brokers.kill(id)))
      await eventually("one replica is in sync", async () => {
        const found = (await there.describeTopics(target))[0]!.partitions
        return found.every(({ isr, leader }) => leader === stays && isr.length === 1)
      })
      await eventually("records are on one replica alone", async () => /on too few replicas/.test(written()))
      await Promise.all(others.map((id) => brokers.startAgain(id)))
    })
    assert.notInclude(log, "written anew")
  })

  it("is complete although every broker loses power at once", async () => {
    const target = unique("all-down")
    await whileRestoring(target, async () => {
      await Promise.all(brokerIds.map((id) => brokers.kill(id)))
      await new Promise((resolve) => setTimeout(resolve, 10_000))
      await Promise.all(brokerIds.map((id) => brokers.startAgain(id)))
    })
  })
})
