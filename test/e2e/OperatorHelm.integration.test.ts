import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, it } from "vitest"
import { parse } from "yaml"
import { JavaKafka } from "../harness/JavaKafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { HelmWorld } from "./helmWorld.ts"
import { unique } from "./scenes.ts"

const sample = parse(readFileSync(fileURLToPath(new URL("../../deploy/samples/06-pvc.yaml", import.meta.url)), "utf8"))

/** One story: from what kustomize installed to the chart, to a backup, to nothing but the backup. */
describeWith(["controlPlane", "kafka", "java"], "the operator of the Helm chart", ({ apiserver, java: jvm, kafka }) => {
  const topic = unique("orders")
  let java: JavaKafka
  let world: HelmWorld

  const resource = (name: string, spec: object = {}) => ({
    ...sample,
    metadata: { name },
    spec: {
      ...sample.spec,
      kafkaCluster: { bootstrapServers: [kafka.plaintext] },
      topics: [topic],
      storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
      ...spec
    }
  })

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: jvm.classpath, bootstrap: kafka.plaintext })
    await java.createTopics({ name: topic, partitions: 3 })
    await java.load({ topic, count: 3000, seed: 1, shape: "json" })
    world = await HelmWorld.make(apiserver, unique("helm"))
    await world.installEarlier()
  })
  afterAll(async () => {
    await world?.end()
    await java?.close()
  })

  it("takes over from the manifests of version 0.1, whose running Job it leaves alone and reports", async () => {
    await world.apply(resource("running", { rateLimit: { recordsPerSecond: 300 } }))
    await world.settled("running", "its run shows progress", ({ progress }) => (progress?.records ?? 0) > 0)
    const before = await world.running("running")
    // So that it does not end meanwhile, however long that takes.
    before.pod.freeze()
    await world.takeOver()
    const operators = world.node.pods.filter(({ namespace }) => namespace === world.system)
    assert.lengthOf(operators, 2, "one of each Deployment")
    const after = await world.running("running")
    assert.strictEqual(after.job.metadata.uid, before.job.metadata.uid)
    assert.deepStrictEqual([after.pod.uid, after.pod.pid], [before.pod.uid, before.pod.pid])
    before.pod.thaw()
    const status = await world.settled("running", "its backup is complete", ({ phase }) => phase === "Completed")
    assert.strictEqual(status.lastBackupRecords, 3000)
    assert.lengthOf(status.backupHistory, 1)
    assert.lengthOf((await world.json("pods", "-l", "kafka.oso.sh/name=running")).items, 1)
  })

  it("runs a sample to its end, under the chart's own policies and rights", async () => {
    await world.apply(resource("sample"))
    const status = await world.settled("sample", "its backup is complete", ({ phase }) => phase === "Completed")
    assert.strictEqual(status.lastBackupRecords, 3000)
    assert.strictEqual(status.conditions.find(({ type }: any) => type === "Ready").status, "True")
    const account = `--as=system:serviceaccount:${world.system}:kafka-backup-operator`
    const job = await world.json("job", `--selector=kafka.oso.sh/name=sample`)
    const [{ spec }] = job.items
    const foreign = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "foreign" },
      spec: { template: { spec: { ...spec.template.spec, containers: [{ name: "x", image: "x" }] } } }
    }
    const { code, stderr } = await Kubectl.run(
      apiserver,
      ["create", account, `--namespace=${world.namespace}`, "-f", "-"],
      JSON.stringify(foreign)
    )
    assert.notStrictEqual(code, 0)
    assert.include(stderr, `${world.system}-kafka-backup-operator-new-jobs`)
  })

  it("goes without its definitions, resources and their Jobs", async () => {
    await world.helm("uninstall", "kafka-backup-operator", "--wait")
    const system = ["get", "deployments,roles,services", `--namespace=${world.system}`, "--output=name"]
    assert.strictEqual(await Kubectl.succeed(apiserver, system), "")
    const { items } = await world.json("kafkabackups")
    assert.sameMembers(
      items.map(({ metadata }: any) => metadata.name),
      ["running", "sample"]
    )
    assert.lengthOf((await world.json("jobs")).items, 2)
  })
})
