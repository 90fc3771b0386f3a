import { afterAll, afterEach, assert, beforeAll, it } from "vitest"
import { JavaKafka, type PartitionDigest } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { Toxiproxy } from "../harness/Toxiproxy.ts"
import { type OperatorProcess, OperatorWorld } from "./operatorWorld.ts"
import { createBucket, unique } from "./scenes.ts"

/**
 * KafkaRestores on a real control plane, from a real object store into a second real cluster. Among the tests on a
 * cluster, of which one runs at a time: its operators and those of other files want the same Lease.
 */
describeWith(
  ["controlPlane", "kafka", "kafka3", "versitygw", "java", "toxiproxy"],
  "the operator with KafkaRestores",
  ({ apiserver, java: tools, kafka, kafka3, toxiproxy, versitygw }) => {
    let java: JavaKafka
    let there: JavaKafka
    let network: Toxiproxy
    let world: OperatorWorld
    let operator: OperatorProcess
    let expected: ReadonlyArray<PartitionDigest>
    let backupId: string
    const topic = unique("orders")
    const bucket = unique("restores")
    /** Consumers of each protocol, which stop before the backup, each at another record. */
    const groups = [
      { group: unique("classic"), protocol: "classic", max: 1000 },
      { group: unique("next"), protocol: "consumer", max: 2500 }
    ] as const
    type Read = Awaited<ReturnType<JavaKafka["consume"]>>
    const reads = new Map<string, Read>()

    const storage = (endpoint: string = versitygw.endpoint) => ({
      storageType: "s3",
      s3: { bucket, region: versitygw.region, endpoint, credentialsSecret: { name: "s3-credentials" } }
    })
    /** The store through a network of 64 KB/s: a restore then takes a while. */
    const slowly = () => storage(`http://${network.address}`)
    const resource = (name: string, spec: object = {}) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaRestore",
      metadata: { name },
      spec: {
        backupId,
        targetCluster: { bootstrapServers: kafka3.bootstrap.split(",") },
        storage: storage(),
        ...spec
      }
    })

    const status = async (name: string): Promise<any> => (await world.json("kafkarestore", name)).status ?? {}
    const reached = async (name: string, what: string, isWanted: (status: any) => boolean): Promise<any> => {
      let last: any
      await world
        .until(`${name}: ${what}`, async () => isWanted((last = await status(name))))
        .catch((error: Error) => {
          throw new Error(`${error.message}\nlast status: ${JSON.stringify(last, null, 2)}`)
        })
      return last
    }
    const condition = (found: any, type: string): any => found.conditions?.find((one: any) => one.type === type)
    const phaseIs = (phase: string) => (found: any) => found.phase === phase
    const jobsOf = async (name: string): Promise<ReadonlyArray<any>> =>
      (await world.json("jobs", "-l", `kafka.oso.sh/name=${name}`)).items
    const podsOf = async (name: string): Promise<ReadonlyArray<any>> =>
      (await world.json("pods", "-l", `kafka.oso.sh/name=${name}`)).items
    const events = async (name: string): Promise<ReadonlyArray<string>> =>
      (await world.json("events.events.k8s.io")).items
        .filter((one: any) => one.regarding.name === name && one.regarding.kind === "KafkaRestore")
        .map((one: any) => one.reason)
    const plain = (digests: ReadonlyArray<PartitionDigest>) =>
      digests.map(({ partition, records, sha256 }) => ({ partition, records, sha256 }))

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      there = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka3.bootstrap })
      await java.createTopics({ name: topic, partitions: 3 })
      await java.load({ topic, count: 6000, seed: 1, shape: "random" })
      await java.deleteRecords(topic, { 0: 100 })
      expected = await java.digest(topic)
      for (const { group, max, protocol } of groups) {
        reads.set(group, await java.consume({ group, topics: [topic], max, protocol }))
      }
      await createBucket(versitygw, bucket)
      network = await Toxiproxy.before(toxiproxy.url, new URL(versitygw.endpoint).host, unique("store"))
      world = await OperatorWorld.make(apiserver, unique("op-restore"))
      await world.kubectl(
        "create",
        "secret",
        "generic",
        "s3-credentials",
        `--from-literal=accessKey=${versitygw.accessKey}`,
        `--from-literal=secretKey=${versitygw.secretKey}`
      )
      operator = await world.start("restores")
      await world.apply({
        apiVersion: "kafka.oso.sh/v1alpha1",
        kind: "KafkaBackup",
        metadata: { name: "shop" },
        spec: { kafkaCluster: { bootstrapServers: [kafka.plaintext] }, topics: [topic], storage: storage() }
      })
      backupId = (await world.settled("shop", "its backup is complete", phaseIs("Completed"))).lastBackupId
    }, 180_000)
    afterEach(() => network.calm())
    afterAll(async () => {
      await world?.end()
      await network?.[Symbol.asyncDispose]()
      await Promise.all([java?.close(), there?.close()])
    })

    it("takes the newest backup of a KafkaBackup by its name alone, and kubectl shows which one and how far it is", async () => {
      const own = unique("newest")
      const { spec } = resource("newest", {
        backupRef: { name: "shop" },
        topicMapping: { [topic]: own },
        storage: undefined,
        backupId: undefined
      })
      await world.apply({ ...resource("newest"), spec: JSON.parse(JSON.stringify(spec)) })
      const done = await reached("newest", "it is complete", phaseIs("Completed"))
      assert.deepInclude(done.resolved, {
        backupId,
        why: "it is the newest of 1 complete backup of KafkaBackup shop"
      })
      assert.strictEqual(done.resolved.coversUntil, done.resolved.capturedAt)
      assert.deepEqual(plain(await there.digest(own)), plain(expected))
      const [headings, row] = (await world.kubectl("get", "kafkarestore", "newest")).trimEnd().split("\n")
      assert.deepEqual(headings!.split(/ {2,}/), ["NAME", "PHASE", "BACKUP", "PROGRESS", "RECORDS", "VERIFIED", "AGE"])
      const cells = row!.split(/ +/)
      assert.deepEqual(cells.slice(0, -1), [
        "newest",
        "Completed",
        backupId,
        "100",
        String(done.restoredRecords),
        "True"
      ])
      assert.match(cells.at(-1)!, /^\d+[sm]/)
    }, 120_000)

    it("checks in a dry run, writes nothing, and restores when dryRun is set to false", async () => {
      await java.deleteTopics(topic)
      const consumerGroups = groups.map(({ group }) => group)
      const offsetReset = { enabled: true, strategy: "headerBased", consumerGroups }
      await world.apply(resource("draft", { dryRun: true, offsetReset }))
      const draft = await reached("draft", "the dry run is over", phaseIs("Completed"))
      assert.deepInclude(condition(draft, "Ready"), { status: "True", reason: "DryRunPassed" })
      assert.isUndefined(draft.startedWriting)
      const found = await there.describeTopics(topic).catch((): ReadonlyArray<unknown> => [])
      assert.lengthOf(found, 0)
      for (const group of consumerGroups) assert.deepStrictEqual(await there.groupOffsets(group), {})

      await world.kubectl("patch", "kafkarestore", "draft", "--type=merge", "-p", '{"spec":{"dryRun":false}}')
      const done = await reached("draft", "it is complete", (now) => now.restoredRecords !== undefined)
      assert.strictEqual(done.phase, "Completed", JSON.stringify(done))
      assert.deepInclude(condition(done, "Ready"), { status: "True", reason: "RestoreCompleted" })
      assert.deepInclude(condition(done, "Verified"), { status: "True", reason: "RecordsCompared" })
      assert.deepInclude(condition(done, "OffsetsExact"), { status: "True", reason: "AllExact" })
      assert.deepStrictEqual(done.restoredTopics, [{ name: topic, records: 5900 }])
      assert.deepStrictEqual(plain(await there.digest(topic)), plain(expected))
      console.log(await world.kubectl("get", "kafkarestores"), await world.kubectl("describe", "kafkarestore", "draft"))
      assert.match(
        await world.kubectl("get", "kafkarestores", "draft"),
        /draft\s+Completed\s+\S+\s+100\s+5900\s+True\s/
      )
      assert.includeMembers(
        [...(await events("draft"))],
        ["RestoreStarted", "DryRunPassed", "RestoreWriting", "RestoreCompleted"]
      )
    }, 180_000)

    it("lets stopped consumers go on at exactly their next records in the other cluster", async () => {
      const groupsReset = condition(await status("draft"), "GroupsReset")
      assert.deepInclude(groupsReset, { status: "True", reason: "AllReset" })
      const placesOf = (read: Read) => read.map(({ offset, partition }) => `${partition}/${offset}`)
      const all = expected.flatMap(({ end, partition, start }) =>
        Array.from({ length: end - start }, (_, i) => `${partition}/${start + i}`)
      )
      for (const { group, protocol } of groups) {
        const before = reads.get(group)!
        const max = all.length - before.length
        const after = await there.consume({ group, topics: [topic], max, protocol })
        assert.sameMembers([...placesOf(before), ...placesOf(after)], all, group)
      }
    })

    it("refuses an edit once it began to write, and starts nothing again when its Job is gone", async () => {
      const edit = world.kubectl("patch", "kafkarestore", "draft", "--type=merge", "-p", '{"spec":{"offsets":"New"}}')
      const refused = await edit.then(
        () => "accepted",
        (error: Error) => error.message
      )
      assert.include(refused, "this restore has begun to write")
      await world.kubectl("delete", "jobs", "-l", "kafka.oso.sh/name=draft", "--wait=true")
      await world.kubectl("annotate", "kafkarestore", "draft", "kafka.oso.sh/retry=1")
      await operator.stop()
      operator = await world.start("restores-2")
      await new Promise((resolve) => setTimeout(resolve, 5000))
      assert.lengthOf(await jobsOf("draft"), 0)
      assert.strictEqual((await status("draft")).phase, "Completed")
    }, 120_000)

    it("refuses a topic that holds records of another restore, and leaves it as it is", async () => {
      await world.apply(resource("second"))
      const refused = await reached("second", "it is refused", phaseIs("Failed"))
      assert.deepInclude(condition(refused, "Ready"), { status: "False", reason: "RestoreFailed" })
      assert.deepInclude(condition(refused, "Preflight"), { status: "False", reason: "TargetNotEmpty" })
      assert.include(condition(refused, "Preflight").message, topic)
      assert.lengthOf(await jobsOf("second"), 1)
      assert.deepStrictEqual(plain(await there.digest(topic)), plain(expected))
      // Nothing was written: an edit is taken, and starts another attempt.
      const mapped = `mapped-${topic}`
      const patch = JSON.stringify({ spec: { topicMapping: { [topic]: mapped } } })
      await world.kubectl("patch", "kafkarestore", "second", "--type=merge", "-p", patch)
      await reached("second", "it is complete", phaseIs("Completed"))
      assert.deepStrictEqual(plain(await there.digest(mapped)), plain(expected))
    }, 180_000)

    it("continues after its pod is deleted in mid-restore, and is equal", async () => {
      await network.poison({ type: "bandwidth", stream: "downstream", attributes: { rate: 64 } })
      const target = `continued-${topic}`
      await world.apply(resource("continued", { storage: slowly(), topicMapping: { [topic]: target } }))
      await reached("continued", "it writes", (now) => now.startedWriting !== undefined)
      const [pod] = await podsOf("continued")
      await world.kubectl("delete", "pod", pod.metadata.name, "--wait=false")
      await world.until("another pod is at work", async () =>
        (await podsOf("continued")).some((one) => one.metadata.uid !== pod.metadata.uid)
      )
      assert.notStrictEqual((await status("continued")).phase, "Completed")
      await network.calm()
      const done = await reached("continued", "it is complete", phaseIs("Completed"))
      assert.strictEqual(done.restoredRecords, 5900)
      assert.deepStrictEqual(plain(await there.digest(target)), plain(expected))
      assert.lengthOf(await jobsOf("continued"), 1)
    }, 240_000)

    it("is stopped within 30 seconds when it is deleted, and never says Completed", async () => {
      await network.poison({ type: "bandwidth", stream: "downstream", attributes: { rate: 64 } })
      const target = `cancelled-${topic}`
      await world.apply(resource("cancelled", { storage: slowly(), topicMapping: { [topic]: target } }))
      const running = await reached("cancelled", "it writes", (now) => now.startedWriting !== undefined)
      assert.strictEqual(running.phase, "Running")
      await world.kubectl("delete", "kafkarestore", "cancelled", "--wait=false")
      await world.until(
        "its Job and its pod are gone",
        async () => (await jobsOf("cancelled")).length === 0 && (await podsOf("cancelled")).length === 0,
        30
      )
      const found = await events("cancelled")
      assert.include(found, "RestoreCancelled")
      assert.notInclude(found, "RestoreCompleted")
      const records = (await there.digest(target)).reduce((sum, one) => sum + one.records, 0)
      assert.isBelow(records, 5900)
    }, 180_000)
  }
)
