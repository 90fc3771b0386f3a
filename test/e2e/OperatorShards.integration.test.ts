import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { OperatorWorld } from "./operatorWorld.ts"
import { unique } from "./scenes.ts"

const count = 6_000

/** Shards of a run on a real control plane: Kubernetes makes, counts and replaces their pods. */
describeWith(
  ["controlPlane", "kafka", "java"],
  "a run of several shards in a cluster",
  ({ apiserver, java: tools, kafka }) => {
    let java: JavaKafka
    let world: OperatorWorld
    const topic = unique("sharded")

    const resource = (name: string, spec: object) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
        incremental: { enabled: false },
        ...spec
      }
    })

    const isComplete = ({ phase }: any) => phase === "Completed"
    const job = async (name: string) =>
      (await world.json("jobs", "-l", `kafka.oso.sh/name=${name},kafka.oso.sh/purpose=run`)).items[0]
    const indexOf = (labels: Readonly<Record<string, string>>) => labels["batch.kubernetes.io/job-completion-index"]
    const processes = (name: string, shard: number) =>
      world.node.pods.filter(
        ({ labels, namespace }) =>
          namespace === world.namespace && labels["kafka.oso.sh/name"] === name && indexOf(labels) === String(shard)
      )

    /** What a backup holds, without when and in how many objects. */
    const meaning = (name: string, backupId: string) => {
      const facts = JSON.parse(world.read(name, `${backupId}/kb-meta.json`)).content
      const { partitions, payloadBytes, records } = facts.totals
      return { topics: facts.topics, totals: { partitions, payloadBytes, records } }
    }

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 6 })
      await java.load({ topic, count, seed: 3, shape: "json" })
      world = await OperatorWorld.make(apiserver, unique("shards"))
      await world.start("first")
    })
    afterAll(async () => {
      await world?.end()
      await java?.close()
    })

    it("makes the backup that one pod makes, in one history entry", async () => {
      await world.apply(resource("alone", {}))
      await world.apply(resource("three", { job: { parallelism: 3 } }))
      const alone = await world.settled("alone", "its backup is complete", isComplete)
      const three = await world.settled("three", "its backup is complete", isComplete)
      assert.strictEqual(three.lastBackupRecords, count)
      assert.lengthOf(three.backupHistory, 1)
      assert.deepStrictEqual([...world.sets("three")], [three.lastBackupId])
      assert.deepStrictEqual(meaning("three", three.lastBackupId), meaning("alone", alone.lastBackupId))
      const { spec, status } = await job("three")
      assert.strictEqual(spec.completionMode, "Indexed")
      assert.deepStrictEqual(
        [spec.completions, spec.parallelism, spec.backoffLimitPerIndex, spec.maxFailedIndexes],
        [3, 3, 3, 0]
      )
      assert.strictEqual(status.succeeded, 3)
      assert.strictEqual(status.completedIndexes, "0-2")
    }, 240_000)

    it("replaces the pod of a killed shard, alone, and the backup is the same", async () => {
      const shards = 4
      await world.apply(
        resource("killed", {
          job: { parallelism: shards },
          rateLimit: { recordsPerSecond: 400 },
          checkpointIntervalSecs: 5
        })
      )
      await world.settled("killed", "its progress adds up its shards", ({ progress }) => {
        return progress?.recordsTotal === count && progress?.partitionsTotal === 6 && progress?.records > 400
      })
      const victim = processes("killed", 2).find(({ isRunning }) => isRunning)
      assert.isDefined(victim)
      victim!.kill("SIGKILL")
      const status = await world.settled("killed", "its backup is complete", isComplete, 240)
      assert.deepStrictEqual(
        [0, 1, 2, 3].map((shard) => processes("killed", shard).length),
        [1, 1, 2, 1]
      )
      assert.lengthOf(status.backupHistory, 1)
      assert.strictEqual(status.backupHistory[0].outcome, "success")
      const alone = await world.status("alone")
      assert.deepStrictEqual(meaning("killed", status.lastBackupId), meaning("alone", alone.lastBackupId))
      assert.strictEqual((await job("killed")).status.failed, 1)
    }, 300_000)

    it("ends all shards when one of them cannot be cured, and tells that one's reason", async () => {
      await world.apply(resource("failing", { topics: [topic, unique("missing")], job: { parallelism: 3 } }))
      const status = await world.settled("failing", "its run has failed", ({ phase }) => phase === "Failed")
      assert.lengthOf(status.backupHistory, 1)
      assert.strictEqual(status.backupHistory[0].reason, "TopicMissing")
    }, 240_000)
  }
)
