import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type OperatorProcess, OperatorWorld } from "./operatorWorld.ts"
import { createBucket, unique } from "./scenes.ts"

/**
 * Offsets of consumer groups as resources of a real control plane, on real clusters, with Java consumers. Among the
 * tests on a cluster, of which one runs at a time: its operators and those of other files want the same Lease.
 */
describeWith(
  ["controlPlane", "kafka", "kafka3", "versitygw", "java"],
  "the operator with offsets of consumer groups",
  ({ apiserver, java: tools, kafka, kafka3, versitygw }) => {
    let source: JavaKafka
    let target: JavaKafka
    let world: OperatorWorld
    let operator: OperatorProcess
    const prefix = unique("offsets")
    const [topic, otherTopic] = [`${prefix}-orders`, `${prefix}-other`]
    const [billing, shipping, mailer] = ["billing", "shipping", "mailer"].map((name) => `${prefix}-${name}`) as [
      string,
      string,
      string
    ]
    const bucket = unique("offsets")
    const kafkaCluster = { bootstrapServers: kafka3.bootstrap.split(",") }
    const storage = {
      storageType: "s3",
      s3: {
        bucket,
        region: versitygw.region,
        endpoint: versitygw.endpoint,
        credentialsSecret: { name: "s3-credentials" }
      }
    }
    const resource = (kind: string, name: string, spec: object) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind,
      metadata: { name },
      spec
    })
    const reached = async (kind: string, name: string, what: string, isWanted: (status: any) => boolean) => {
      let last: any
      await world
        .until(`${kind} ${name}: ${what}`, async () => isWanted((last = (await world.json(kind, name)).status ?? {})))
        .catch((error: Error) => {
          throw new Error(`${error.message}\nlast status: ${JSON.stringify(last, null, 2)}\n${operator.log}`)
        })
      return last
    }
    const condition = (found: any, type: string): any => found.conditions?.find((one: any) => one.type === type)
    const isOver = ({ phase }: any) => phase === "Completed" || phase === "Failed"

    beforeAll(async () => {
      source = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      target = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka3.bootstrap })
      await source.createTopics({ name: topic, partitions: 1 })
      await target.createTopics({ name: otherTopic, partitions: 1 })
      const values = Array.from({ length: 60 }, (_, i) => ({ partition: 0, key: `k${i}`, value: `v${i}` }))
      await source.produce(topic, values)
      await source.consume({ group: billing, topics: [topic], max: 10 })
      await source.consume({ group: shipping, topics: [topic], max: 20 })
      await source.consume({ group: mailer, topics: [topic], max: 30 })
      await createBucket(versitygw, bucket)
      world = await OperatorWorld.make(apiserver, unique("op-offsets"))
      await world.kubectl(
        "create",
        "secret",
        "generic",
        "s3-credentials",
        `--from-literal=accessKey=${versitygw.accessKey}`,
        `--from-literal=secretKey=${versitygw.secretKey}`
      )
      operator = await world.start("offsets")
      const cluster = { bootstrapServers: [kafka.plaintext] }
      const spec = { kafkaCluster: cluster, topics: [topic], storage, sourceClusterId: "shop-eu-central-1" }
      await world.apply(resource("KafkaBackup", "shop", spec))
      const { lastBackupId } = await world.settled("shop", "its backup is complete", isOver)
      await target.consume({ group: mailer, topics: [otherTopic], max: 0, stay: true })
      await world.apply(
        resource("KafkaRestore", "with-groups", {
          backupId: lastBackupId,
          targetCluster: kafkaCluster,
          storage,
          includeOriginalOffsetHeader: true,
          offsetReset: {
            enabled: true,
            strategy: "headerBased",
            sourceCluster: "shop-eu-central-1",
            consumerGroups: [billing, shipping, mailer]
          },
          rollback: { enabled: true, snapshotId: "before-restore-1" }
        })
      )
    }, 240_000)
    afterAll(async () => {
      await world?.end()
      await Promise.all([source?.close(), target?.close()])
    })

    it("sets a group that had members once they have left, and none that has read on", async () => {
      const left = await reached("kafkarestore", "with-groups", "it is over", isOver)
      assert.strictEqual(left.phase, "Completed", JSON.stringify(left))
      assert.strictEqual(left.rollbackSnapshotId, "before-restore-1")
      assert.deepInclude(condition(left, "GroupsReset"), { status: "False", reason: "GroupsSkipped" })
      assert.include(condition(left, "GroupsReset").message, mailer)
      const read = await target.consume({ group: billing, topics: [topic], max: 5 })
      assert.deepStrictEqual(
        read.map(({ offset }) => offset),
        [10, 11, 12, 13, 14]
      )
      await target.leave(mailer)
      await world.kubectl("annotate", "kafkarestore", "with-groups", "kafka.oso.sh/reset-offsets=1")
      const done = await reached(
        "kafkarestore",
        "with-groups",
        "its groups are set",
        (status) => condition(status, "GroupsReset")?.status === "True"
      )
      assert.sameMembers(done.offsetResetStatus.groupsReset, [billing, shipping, mailer])
      assert.strictEqual(done.offsetResetStatus.token, "1")
      const offsets = async (group: string) => (await target.groupOffsets(group))[topic]?.[0]
      assert.deepStrictEqual([await offsets(billing), await offsets(mailer)], [15, 30])
    }, 180_000)

    it("rolls groups back to before the restore, and needs to be told no storage", async () => {
      await world.apply(
        resource("KafkaOffsetRollback", "back", {
          kafkaCluster,
          operation: "rollback",
          snapshotId: "before-restore-1",
          consumerGroups: [billing, shipping]
        })
      )
      const done = await reached("kafkaoffsetrollback", "back", "it is over", isOver)
      assert.deepInclude(condition(done, "Ready"), { status: "True", reason: "RollbackCompleted" })
      assert.sameMembers(done.groupsReset, [billing, shipping])
      assert.deepStrictEqual(await target.groupOffsets(billing), {})
      console.log(await world.kubectl("get", "kafkaoffsetrollbacks,kafkarestores"))
    }, 120_000)

    it("sets a stopped Java group to the wanted offset, where it reads on", async () => {
      await world.apply(
        resource("KafkaOffsetReset", "to-7", {
          kafkaCluster,
          consumerGroups: [billing, mailer],
          topics: [topic],
          strategy: "offset",
          offset: 7,
          createSnapshot: true,
          snapshotId: "before-7",
          storage
        })
      )
      const done = await reached("kafkaoffsetreset", "to-7", "it is over", isOver)
      assert.deepInclude(condition(done, "Ready"), { status: "True", reason: "ResetCompleted" })
      assert.strictEqual(done.snapshotId, "before-7")
      const read = await target.consume({ group: mailer, topics: [topic], max: 2 })
      assert.deepStrictEqual(
        read.map(({ offset }) => offset),
        [7, 8]
      )
      const edit = world
        .kubectl("patch", "kafkaoffsetreset", "to-7", "--type=merge", "-p", '{"spec":{"offset":8}}')
        .then(
          () => "accepted",
          (error: Error) => error.message
        )
      assert.include(await edit, "a pod may have changed offsets or snapshots already")
    }, 120_000)

    it("compares, and says which offset differs", async () => {
      await world.apply(
        resource("KafkaOffsetRollback", "same", { kafkaCluster, operation: "verify", snapshotId: "before-7" })
      )
      const differs = await reached("kafkaoffsetrollback", "same", "it is over", isOver)
      assert.deepInclude(condition(differs, "Ready"), { status: "False", reason: "OffsetsDiffer" })
      assert.include(condition(differs, "Ready").message, `${mailer} ${topic}[0] has 9 instead of 30`)
    }, 120_000)
  }
)
