import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { LimitedCommand } from "./LimitedCommand.ts"
import { onVolume, reportOf, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

const MiB = 1024 * 1024
const recordBytes = 50_000_000

/* Restores of records of 50 MB by the built command; see LimitedCommand.ts. Brokers accept requests of 100 MiB. */
describeWith(["kafka", "java"], "A restore of records of 50 MB", (services) => {
  const topic = unique("huge")
  const command = new LimitedCommand()
  const workspace = new Workspace()
  const cluster = { bootstrapServers: [services.kafka.plaintext] }
  let java: JavaKafka
  let backupId: string

  beforeAll(async () => {
    command.build()
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: services.kafka.plaintext })
    const limit = String(2 * recordBytes)
    await java.createTopics({ name: topic, partitions: 2, config: { "max.message.bytes": limit } })
    const producer = { "max.request.size": limit, "buffer.memory": limit }
    await java.load({ topic, count: 2, shape: "random", valueBytes: recordBytes, seed: 3, producer })
    await java.load({ topic, count: 200, firstIndex: 2, seed: 4 })
    const spec = { kafkaCluster: cluster, topics: [topic], storage: onVolume }
    backupId = reportOf(await succeed("run", ...workspace.manifest("source", spec))).backupId
  }, 300_000)
  afterAll(async () => {
    command[Symbol.dispose]()
    await java?.deleteTopics(topic)
    await java?.close()
    workspace[Symbol.dispose]()
  })

  const plain = (digests: ReadonlyArray<PartitionDigest>) =>
    digests.map(({ end, partition, records, sha256, start }) => ({ partition, records, sha256, start, end }))

  const restore = async (target: string, mebibytes: number, spec: object = {}) => {
    const whole = { backupId, targetCluster: cluster, storage: onVolume, topicMapping: { [topic]: target }, ...spec }
    return command.run(target, mebibytes, ["restore", ...workspace.manifest(target, whole, "KafkaRestore")])
  }

  for (const [name, mebibytes] of [
    ["512 MiB", 512],
    ["memory for everything", 1_000_000]
  ] as const) {
    it(`is equal with ${name}`, { timeout: 300_000 }, async () => {
      const target = unique("to-huge")
      const ended = await restore(target, mebibytes)
      assert.deepInclude({ code: ended.code, kills: ended.kills }, { code: 0, kills: 0 }, ended.stderr)
      console.log(`${name}: peak ${Math.round(ended.peakBytes / MiB)} MiB`)
      assert.deepStrictEqual(plain(await java.digest(target)), plain(await java.digest(topic)))
      await java.deleteTopics(target)
    })
  }

  it("is refused by name with 256 MiB, before it writes anything", async () => {
    const target = unique("refused-huge")
    const { code, stderr } = await restore(target, 256)
    assert.strictEqual(code, 19, stderr)
    assert.include(
      stderr,
      `topic ${topic} has a record of 48 MiB in the backup, and the memory limit of 256 MiB allows records of up to 16 MiB`
    )
    assert.include(stderr, "raise spec.resources.limits.memory to at least 451Mi")
    assert.deepStrictEqual(await java.digest(target).catch(() => "no such topic"), "no such topic")
  })

  it("is refused by name where it is to be appended to a topic that takes no such record", async () => {
    const target = unique("appended-huge")
    await java.createTopics({ name: target, partitions: 2, config: { "max.message.bytes": 2_000_000 } })
    await java.produce(target, [{ partition: 0, key: "own", value: "record" }])
    const { code, stderr } = await restore(target, 1_000_000, {
      existingTopics: "Append",
      offsets: "New",
      compression: "none"
    })
    assert.strictEqual(code, 19, stderr)
    assert.match(
      stderr,
      /has max\.message\.bytes=2000000, and a record of the backup needs 5000[0-9]{4} without compression/
    )
    assert.match(stderr, new RegExp(`set max\\.message\\.bytes of topic ${target} to at least 50[0-9]{6}`))
    const records = (await java.digest(target)).reduce((sum, digest) => sum + digest.records, 0)
    assert.strictEqual(records, 1)
    await java.deleteTopics(target)
  })
})
