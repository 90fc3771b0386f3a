import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { OperatorWorld } from "./operatorWorld.ts"
import { unique } from "./scenes.ts"

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const definitions = process.env["KBO_STRIMZI_CRDS"] ?? file("test/e2e/strimzi/definitions.yaml")
const rights = file("deploy/components/strimzi/strimzi-role.yaml")

/** Resources and Secrets of Strimzi on a real control plane, and brokers with TLS, SCRAM and client certificates. */
describeWith(
  ["controlPlane", "kafka", "kafkaSecurity", "java"],
  "the operator with a cluster that Strimzi runs",
  ({ apiserver, java: tools, kafka }) => {
    const { security } = kafka
    const topic = unique("strimzi")
    let java: JavaKafka
    let world: OperatorWorld

    const cluster = (args: ReadonlyArray<string>) => Kubectl.run(apiserver, args)
    const backup = (name: string, kafkaCluster: object) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        kafkaCluster,
        topics: [topic],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } }
      }
    })
    const ready = (status: any): any => status.conditions?.find((one: any) => one.type === "Ready") ?? {}
    const isRefusedAs = (reason: string) => (status: any) =>
      ready(status).reason === "StrimziUnresolved" && ready(status).message.includes(reason)
    const completes = (name: string) => world.settled(name, "it is complete", ({ phase }) => phase === "Completed", 150)

    const secret = (name: string, stringData: object) =>
      world.apply({ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData })
    /** As Strimzi writes it: the status apart. */
    const strimzi = async (kind: string, name: string, spec: object, status: object, labels: object = {}) => {
      await world.apply({ apiVersion: "kafka.strimzi.io/v1", kind, metadata: { name, labels }, spec })
      await publish(kind, name, { observedGeneration: 1, ...status })
    }
    const publish = (kind: string, name: string, status: object) =>
      world.kubectl(
        "patch",
        kind,
        name,
        "--subresource=status",
        "--type=merge",
        `--patch=${JSON.stringify({ status })}`
      )
    const isReady = { conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-11-30T00:00:00Z" }] }
    const user = (name: string, type: string, username = name) =>
      strimzi(
        "KafkaUser",
        name,
        { authentication: { type } },
        { ...isReady, username, secret: name },
        { "strimzi.io/cluster": "main" }
      )

    /** Saves the minute until a resource is looked at again. */
    const look = async (...names: ReadonlyArray<string>) => {
      for (const name of names) await world.kubectl("label", "kafkabackup", name, `look=${unique("at")}`, "--overwrite")
    }

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 1 })
      await java.load({ topic, count: 100, seed: 1, shape: "json" })
      await Kubectl.succeed(apiserver, ["apply", "--server-side", "--force-conflicts", "-f", definitions])
      for (const kind of ["kafkas", "kafkausers"]) await Kubectl.established(apiserver, `crd/${kind}.kafka.strimzi.io`)
      world = await OperatorWorld.make(apiserver, unique("op-strimzi"))
      const ca = readFileSync(security.caPem, "utf8")
      await secret("main-cluster-ca-cert", { "ca.crt": ca, "ca.p12": "store", "ca.password": "of the store" })
      await secret("backup", { password: security.users.backup, "sasl.jaas.config": "for Java" })
      await secret("robot", {
        "ca.crt": readFileSync(security.strangerCaPem, "utf8"),
        "user.crt": readFileSync(security.clientCertPem, "utf8"),
        "user.key": readFileSync(security.clientKeyPem, "utf8"),
        "user.p12": "store",
        "user.password": "of the store"
      })
      const listener = (name: string, port: number, type: string) => ({
        name,
        port,
        type: "internal",
        tls: true,
        authentication: { type }
      })
      await strimzi(
        "Kafka",
        "main",
        { kafka: { listeners: [listener("scram", 9094, "scram-sha-512"), listener("mutual", 9095, "tls")] } },
        {
          ...isReady,
          listeners: [
            { name: "scram", bootstrapServers: security.saslSsl },
            { name: "mutual", bootstrapServers: security.mtls }
          ]
        }
      )
      await user("backup", "scram-sha-512")
      await world.start("strimzi", "--strimzi")
    })
    afterAll(async () => {
      await world?.end()
      await java?.close()
      await cluster(["delete", "-f", rights, "--ignore-not-found"])
      await cluster(["delete", "crd", "kafkas.kafka.strimzi.io", "kafkausers.kafka.strimzi.io", "--wait=false"])
    })

    it("starts nothing without the right to read it, and says what else is missing once it has that", async () => {
      const by = (listener: string, name: string) => ({ strimziRef: { name: "main", listener, user: name } })
      await world.apply(backup("scram", by("scram", "backup")))
      await world.apply(backup("mutual", by("mutual", "robot")))
      await world.apply(backup("unknown", by("tls", "robot")))
      const denied = await world.settled("scram", "it is refused", isRefusedAs("StrimziNotAllowed"))
      assert.include(ready(denied).message, 'cannot get resource "kafkas"')
      await Kubectl.succeed(apiserver, ["apply", "--server-side", "--force-conflicts", "-f", rights])
      await world.until("the right counts", async () => {
        const account = "--as=system:serviceaccount:kafka-backup-system:kafka-backup-operator"
        const answer = await cluster(["auth", "can-i", "get", "kafkas", account, `--namespace=${world.namespace}`])
        return answer.stdout.trim() === "yes"
      })
      await look("unknown", "mutual", "scram")
      const unknown = await world.settled("unknown", "it is refused", isRefusedAs("StrimziListenerUnknown"))
      assert.include(ready(unknown).message, "Kafka main has no listener tls: it has scram, mutual")
      const missing = await world.settled("mutual", "it is refused", isRefusedAs("StrimziUserMissing"))
      assert.include(ready(missing).message, "KafkaUser robot does not exist")
      assert.deepStrictEqual(
        (await world.json("jobs")).items.filter((job: any) => job.metadata.name.startsWith("mutual")),
        []
      )
      await user("robot", "tls", "CN=robot")
      await look("mutual")
    })

    it("makes backups through a reference, with SCRAM and with a client certificate", async () => {
      for (const name of ["scram", "mutual"]) {
        assert.strictEqual((await completes(name)).lastBackupRecords, 100)
        const events = (await world.json("events.events.k8s.io")).items
        const told = events.filter((one: any) => one.regarding.name === name).map((one: any) => one.reason)
        assert.includeMembers(told, ["StrimziUnresolved", "BackupSucceeded"])
      }
    })

    it("makes the same backups from Strimzi's Secrets by name, without reading Strimzi's resources", async () => {
      const caSecret = { name: "main-cluster-ca-cert" }
      const saslSecret = { name: "backup", mechanism: "SCRAM-SHA-512", username: "backup" }
      const tlsSecret = { name: "robot", certKey: "user.crt", keyKey: "user.key" }
      const scram = { bootstrapServers: [security.saslSsl], securityProtocol: "SASL_SSL", caSecret, saslSecret }
      const mutual = { bootstrapServers: [security.mtls], securityProtocol: "SSL", caSecret, tlsSecret }
      await world.apply(backup("scram-by-name", scram))
      await world.apply(backup("mutual-by-name", mutual))
      for (const name of ["scram-by-name", "mutual-by-name"]) {
        assert.strictEqual((await completes(name)).lastBackupRecords, 100)
      }
    })
  }
)
