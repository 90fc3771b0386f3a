import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Kafka, logLevel } from "kafkajs"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type OperatorProcess, OperatorWorld } from "./operatorWorld.ts"
import { unique } from "./scenes.ts"

/**
 * `spec.drill` on a real control plane and a real cluster, with the backups on a volume. Among the tests on a cluster,
 * of which one runs at a time.
 */
describeWith(["controlPlane", "kafka", "java"], "the operator with drills", ({ apiserver, java: tools, kafka }) => {
  let java: JavaKafka
  let world: OperatorWorld
  let operator: OperatorProcess
  const topic = unique("orders")
  const topicPrefix = `_${unique("drill")}-`

  const condition = ({ conditions = [] }: any, type: string): any => conditions.find((one: any) => one.type === type)
  const restorableIs = (reason: string) => (status: any) => condition(status, "Restorable")?.reason === reason
  const drillNow = (token: string) =>
    world.kubectl("annotate", "kafkabackup", "shop", `kafka.oso.sh/drill=${token}`, "--overwrite")
  const drillJobs = async (): Promise<ReadonlyArray<any>> =>
    (await world.json("jobs", "-l", "kafka.oso.sh/purpose=drill")).items
  const events = async (): Promise<ReadonlyArray<string>> =>
    (await world.json("events.events.k8s.io")).items
      .filter(({ regarding }: any) => regarding.name === "shop")
      .map(({ reason }: any) => reason)
  const scratchTopics = async () => {
    const admin = new Kafka({ brokers: [kafka.plaintext], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const names = await admin.listTopics()
    await admin.disconnect()
    return names.filter((name) => name.startsWith(topicPrefix))
  }
  const segments = (folder: string): ReadonlyArray<string> =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.includes("/topics/") && /\/partition=\d+\/[^/]+$/u.test(name))
      .map((name) => join(folder, name))

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
    await java.createTopics({ name: topic, partitions: 2 })
    await java.load({ topic, count: 2000, seed: 1, shape: "random" })
    world = await OperatorWorld.make(apiserver, unique("op-drill"))
    operator = await world.start("drills")
    await world.apply({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name: "shop" },
      spec: {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: { storageType: "pvc", pvc: { claimName: "backups" } },
        drill: { schedule: "* * * * *", topicPrefix }
      }
    })
  }, 180_000)
  afterAll(async () => {
    const left = await scratchTopics()
    await world?.end()
    await java?.deleteTopics(topic, ...left)
    await java?.close()
  })

  it("drills the first backup by schedule, and says that it can be restored and how long that takes", async () => {
    const status = await world.settled("shop", "a drill passed", restorableIs("DrillPassed"), 240)
    await world.kubectl("patch", "kafkabackup", "shop", "--type=merge", '--patch={"spec":{"drill":{"suspend":true}}}')
    const restorable = condition(status, "Restorable")
    assert.strictEqual(restorable.status, "True")
    assert.include(restorable.message, `${status.lastBackupId} can be restored`)
    assert.include(restorable.message, "A restore of the whole backup takes about")
    assert.deepInclude(status.drill, { lastResult: "Passed", backupId: status.lastBackupId, topics: 1, partitions: 2 })
    assert.strictEqual(status.drill.records, 2000)
    assert.strictEqual(status.drill.comparedLiveRecords, 2000)
    assert.isAtLeast(status.drill.estimatedRestoreSeconds, 1)
    assert.deepStrictEqual(await scratchTopics(), [])
    assert.includeMembers(Array.from(await events()), ["DrillStarted", "DrillPassed"])
    const [heading = "", row = ""] = (await world.kubectl("get", "kafkabackup", "shop", "-o", "wide")).split("\n")
    assert.strictEqual(row.slice(heading.indexOf("RESTORABLE")).split(/\s/u)[0], "True")
    const labels = `resource_namespace="${world.namespace}",name="shop"`
    assert.strictEqual(await operator.metric(`kafka_backup_operator_restorable{${labels}}`), 1)
  }, 300_000)

  it("says that it cannot be restored once an object of it is damaged, and which, and leaves Ready alone", async () => {
    await world.settled("shop", "no drill is active", ({ drill }) => drill?.active === undefined)
    const jobs = (await drillJobs()).length
    const [file = ""] = segments(join(world.folder, "backups"))
    const bytes = readFileSync(file)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(file, bytes)
    await drillNow("damaged")
    const status = await world.settled("shop", "a drill failed", restorableIs("DrillFailed"))
    const { message, status: answer } = condition(status, "Restorable")
    assert.strictEqual(answer, "False")
    assert.include(message, file.slice(file.indexOf(status.lastBackupId)))
    assert.strictEqual(status.drill.lastResult, "Failed")
    assert.strictEqual(status.drill.handledTrigger, "damaged")
    assert.strictEqual(condition(status, "Ready").status, "True")
    assert.include(await events(), "DrillFailed")
    assert.lengthOf(await drillJobs(), jobs + 1)
    assert.deepStrictEqual(await scratchTopics(), [])
    const labels = `resource_namespace="${world.namespace}",name="shop"`
    assert.strictEqual(await operator.metric(`kafka_backup_operator_restorable{${labels}}`), 0)

    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(file, bytes)
    await drillNow("repaired")
    await world.settled("shop", "a drill passed again", restorableIs("DrillPassed"))
  }, 300_000)

  it("is started once by an operator that is killed when the Job has just been made, and ends with the resource", async () => {
    const before = (await drillJobs()).length
    await world.kubectl(
      "patch",
      "kafkabackup",
      "shop",
      "--type=merge",
      '--patch={"spec":{"rateLimit":{"recordsPerSecond":20}}}'
    )
    await drillNow("killed")
    await world.until("a Job of the drill", async () => (await drillJobs()).length === before + 1)
    await operator.kill()
    operator = await world.start("successor")
    await world.settled("shop", "the drill is adopted", ({ drill }) => drill?.active?.cause === "trigger")
    assert.lengthOf(await drillJobs(), before + 1)
    await world.until("its scratch topics", async () => (await scratchTopics()).length > 0)
    await world.kubectl("delete", "kafkabackup", "shop", "--wait=false")
    await world.until("no Job is left", async () => (await drillJobs()).length === 0)
    await world.until("no scratch topic is left", async () => (await scratchTopics()).length === 0)
  }, 300_000)
})
