import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { Toxiproxy } from "../harness/Toxiproxy.ts"
import { OperatorWorld } from "./operatorWorld.ts"
import { createBucket, unique } from "./scenes.ts"

/** What a user sees of a KafkaBackup with the real kubectl: a status that stays short, that comes back, and a pause. */
describeWith(
  ["controlPlane", "kafka", "versitygw", "java", "toxiproxy"],
  "the status of a KafkaBackup in a cluster",
  ({ apiserver, java: tools, kafka, toxiproxy, versitygw }) => {
    const topic = unique("status")
    const bucket = unique("status")
    let java: JavaKafka
    let network: Toxiproxy
    let world: OperatorWorld
    let operator: Awaited<ReturnType<OperatorWorld["start"]>>

    const resource = (name: string, spec: object = {}) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
        // The folder of a backup that others build on would stay after it.
        incremental: { enabled: false },
        ...spec
      }
    })
    const trigger = (name: string, token: string) =>
      world.kubectl("annotate", "kafkabackup", name, `kafka.oso.sh/trigger-backup=${token}`, "--overwrite")
    const condition = (status: any, type: string): any => status.conditions?.find((one: any) => one.type === type)
    const ids = (status: any): ReadonlyArray<string> =>
      (status.backupHistory ?? []).map(({ backupId }: any) => backupId)
    const reasons = async (name: string): Promise<ReadonlyArray<string>> =>
      (await world.json("events.events.k8s.io")).items
        .filter((one: any) => one.regarding.name === name)
        .map((one: any) => one.reason)
    const lineOf = (text: string, start: string) => text.split("\n").findIndex((line) => line.startsWith(start))

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 1 })
      await java.load({ topic, count: 600, seed: 1, shape: "json" })
      await createBucket(versitygw, bucket)
      network = await Toxiproxy.before(toxiproxy.url, new URL(versitygw.endpoint).host, unique("store"))
      world = await OperatorWorld.make(apiserver, unique("op-status"))
      await world.kubectl(
        "create",
        "secret",
        "generic",
        "s3-credentials",
        `--from-literal=accessKey=${versitygw.accessKey}`,
        `--from-literal=secretKey=${versitygw.secretKey}`
      )
      operator = await world.start("status", "--ui")
    })
    afterAll(async () => {
      await world?.end()
      await network?.[Symbol.asyncDispose]()
      await java?.close()
    })

    it("says where the data lies and what it holds, and that it is suspended; the page shows the same", async () => {
      await world.apply(resource("seen", { schedule: "0 0 1 1 *", suspend: true }))
      await trigger("seen", "t1")
      const status = await world.settled(
        "seen",
        "it is over",
        ({ activeRun, handledTrigger, phase }) =>
          handledTrigger === "t1" && activeRun === undefined && phase === "Completed"
      )
      assert.deepStrictEqual(
        [status.location, status.lastBackupTopics, status.lastBackupPartitions, status.nextText],
        ["pvc://backups/seen", 1, 1, "suspended"]
      )
      assert.match(status.logs, /^kubectl logs -n \S+ job\/\S+$/)
      const [, , ...log] = status.logs.split(" ")
      assert.match(await world.kubectl("get", "kafkabackup", "seen"), /suspended/)
      assert.match(log.at(-1)!, /^job\/seen/)

      const list = await operator.get("/ui")
      assert.strictEqual(list.status, 200)
      assert.include(list.text, `href="ui/KafkaBackup/${world.namespace}/seen"`)
      const page = await operator.get(`/ui/KafkaBackup/${world.namespace}/seen`)
      for (const part of ["suspended", "pvc://backups/seen", "1 with 1 partition", status.lastBackupId]) {
        assert.include(page.text, part)
      }
    })

    it("is Ready once a check passed, says within a minute what is wrong with an edit, and is Ready again once mended", async () => {
      const s3 = {
        bucket,
        region: versitygw.region,
        endpoint: versitygw.endpoint,
        credentialsSecret: { name: "s3-credentials" }
      }
      const checked = (over: object = {}, topics: ReadonlyArray<string> = [topic]) =>
        resource("checked", { schedule: "0 0 1 1 *", topics, storage: { storageType: "s3", s3: { ...s3, ...over } } })
      const ready = () => world.kubectl("wait", "--for=condition=Ready", "kafkabackup/checked", "--timeout=2m")
      const refused = async (generation: number): Promise<any> =>
        world.settled(
          "checked",
          `generation ${generation} is checked`,
          (status) =>
            condition(status, "Ready")?.observedGeneration === generation &&
            condition(status, "Ready").status === "False",
          60
        )

      await world.apply(checked())
      await ready()
      const good = await world.status("checked")
      assert.deepInclude(good.preflight, { generation: 1, outcome: "Passed" })
      assert.strictEqual(condition(good, "KafkaReachable").status, "True")
      assert.strictEqual(condition(good, "StorageReachable").status, "True")
      console.log(await world.kubectl("get", "kafkabackup", "checked", "-o", "wide"))

      await world.apply(checked({ bucket: `${bucket}-typo` }))
      const noBucket = await refused(2)
      assert.strictEqual(condition(noBucket, "Ready").reason, "CheckFailed")
      assert.include(condition(noBucket, "Ready").message, `${bucket}-typo`)
      assert.deepInclude(condition(noBucket, "StorageReachable"), { status: "False", reason: "TargetMissing" })
      assert.strictEqual(condition(noBucket, "KafkaReachable").status, "True")

      await world.apply(checked({}, [topic, "no-such-topic"]))
      const noTopic = await refused(3)
      assert.match(condition(noTopic, "Ready").message, /TopicMissing.*no-such-topic/u)
      assert.strictEqual(condition(noTopic, "StorageReachable").status, "True")
      console.log(await world.kubectl("describe", "kafkabackup", "checked"))

      await world.apply(checked())
      await world.settled("checked", "it is checked again", (status) => status.preflight?.generation === 4, 60)
      await ready()
      await world.until("all is told", async () => (await reasons("checked")).includes("CheckPassed"))
      assert.include(await reasons("checked"), "CheckFailed")
      assert.isUndefined((await world.status("checked")).lastBackupId, "a check makes no backup")
    }, 200_000)

    it("shows its conditions within 200 lines of kubectl describe after a dozen runs", async () => {
      await world.apply(resource("many", { schedule: "0 0 1 1 *", suspend: true }))
      for (let n = 1; n <= 12; n++) {
        await trigger("many", `t${n}`)
        await world.settled(
          "many",
          `run ${n} is over`,
          (status) =>
            status.handledTrigger === `t${n}` && status.activeRun === undefined && status.phase === "Completed"
        )
      }
      const status = await world.settled("many", "all are counted", (now) => now.historyTruncated === 2)
      assert.lengthOf(ids(status), 10)
      const described = await world.kubectl("describe", "kafkabackup", "many")
      console.log(described)
      // The order is kubectl's: alphabetical.
      assert.isBelow(lineOf(described, "  Backup History:"), lineOf(described, "  Conditions:"))
      assert.isBelow(lineOf(described, "  Conditions:"), 200)
    }, 400_000)

    it("is rebuilt after it was lost, although the trigger annotation is there", async () => {
      const before = await world.status("many")
      await world.kubectl(
        "patch",
        "kafkabackup",
        "many",
        "--subresource=status",
        "--type=json",
        "-p",
        '[{"op":"replace","path":"/status","value":{}}]'
      )
      const after = await world.settled("many", "it is rebuilt", (now) => ids(now).length === 10)
      assert.deepStrictEqual(ids(after), ids(before))
      assert.strictEqual(after.lastBackupId, before.lastBackupId)
      assert.strictEqual(after.historyTruncated, 2)
      assert.lengthOf(world.sets("many"), 12)
    })

    it("stays as it is when a trigger value is used again whose backup is not listed any more", async () => {
      await world.kubectl("delete", "jobs", "-l", "kafka.oso.sh/name=many")
      const before = await world.status("many")
      await trigger("many", "t1")
      // So many Events of one resource within minutes are not written any more; the log has all of them.
      await world.until("it is said", async () => operator.log.includes("TriggerHandledBefore"))
      const after = await world.settled("many", "it is quiet", (now) => now.handledTrigger === "t1")
      const kept = ({ backupHistory, historyTruncated, lastBackupId, lastBackupTime, phase }: any) => ({
        backupHistory,
        historyTruncated,
        lastBackupId,
        lastBackupTime,
        phase
      })
      assert.deepStrictEqual(kept(after), kept(before))
      assert.lengthOf(world.sets("many"), 12)
    })

    it("removes old backups that only storage lists when retention is lowered", async () => {
      await world.kubectl("patch", "kafkabackup", "many", "--type=merge", "-p", '{"spec":{"retention":{"backups":11}}}')
      const status = await world.settled("many", "one is removed", (now) => now.historyTruncated === 1)
      assert.lengthOf(ids(status), 10)
      assert.lengthOf(world.sets("many"), 11)
    })

    it("says which backup to restore from while others are damaged, and that all are whole again once they are", async () => {
      await world.apply(
        resource("rotten", {
          schedule: "0 0 1 1 *",
          suspend: true,
          incremental: { enabled: true },
          verification: { percentPerRun: 100 }
        })
      )
      const backup = async (token: string): Promise<any> => {
        await trigger("rotten", token)
        return world.settled(
          "rotten",
          `run ${token} is over`,
          (status) => status.handledTrigger === token && status.activeRun === undefined && status.phase === "Completed"
        )
      }
      const labels = `resource_namespace="${world.namespace}",name="rotten"`
      const damaged = () => operator.metric(`kafka_backup_operator_damaged_backups{${labels}}`)
      const cell = async (column: string): Promise<string> => {
        const [heading = "", row = ""] = (await world.kubectl("get", "kafkabackup", "rotten")).split("\n")
        return row.slice(heading.indexOf(column)).split(/\s/u)[0] ?? ""
      }
      await backup("first")
      const whole = await backup("second")
      assert.strictEqual(condition(whole, "SetsIntact").reason, "NoKnownDamage")
      assert.strictEqual(await damaged(), 0)
      assert.strictEqual(await cell("INTACT"), "True")

      // The second backup names the object of the first, so one changed byte damages both.
      const [first = ""] = world.sets("rotten").toSorted()
      const folder = join(world.folder, "backups", "rotten", first, "topics")
      const object = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((file) => file.endsWith(".zst"))!
      const good = readFileSync(join(folder, object))
      const bad = Buffer.from(good)
      bad[bad.length >> 1]! ^= 1
      writeFileSync(join(folder, object), bad)

      const broken = await backup("third")
      console.log(await world.kubectl("get", "kafkabackup", "rotten", "-o", "wide"))
      console.log(await world.kubectl("describe", "kafkabackup", "rotten"))
      const intact = condition(broken, "SetsIntact")
      assert.deepInclude(intact, { status: "False", reason: "BackupsDamaged" })
      assert.include(intact.message, `${topic}[0] offsets 0-599`)
      assert.strictEqual(broken.damage.backups, 3)
      assert.strictEqual(broken.damage.newestBackupId, broken.lastBackupId)
      assert.include(intact.message, "No backup of this resource is without known damage")
      assert.deepInclude(condition(broken, "Verified"), { status: "False", reason: "SegmentDamaged" })
      assert.strictEqual(condition(broken, "Ready").status, "True")
      assert.include(condition(broken, "Ready").message, "It has been damaged since")
      assert.strictEqual(await cell("INTACT"), "False")
      assert.strictEqual(await damaged(), 3)
      await world.until("it is told", async () => (await reasons("rotten")).includes("BackupsDamaged"))

      const healed = await backup("fourth")
      assert.isTrue(readFileSync(join(folder, object)).equals(good), "the object is as it was")
      assert.deepInclude(condition(healed, "SetsIntact"), { status: "True", reason: "NoKnownDamage" })
      assert.strictEqual(condition(healed, "Verified").status, "True")
      assert.strictEqual(healed.damage.backups, 0)
      assert.strictEqual(await cell("INTACT"), "True")
      assert.strictEqual(await damaged(), 0)
      await world.until("it is told", async () => (await reasons("rotten")).includes("BackupsIntact"))
      assert.strictEqual((await reasons("rotten")).filter((one) => one === "BackupsDamaged").length, 1)
    }, 400_000)

    it("says within a minute that a run waits for storage, and since when, and says when that is over", async () => {
      const storage = {
        storageType: "s3",
        s3: {
          bucket,
          region: versitygw.region,
          endpoint: `http://${network.address}`,
          credentialsSecret: { name: "s3-credentials" }
        }
      }
      const circuitBreaker = { resetTimeoutSecs: 10 }
      await world.apply(resource("paused", { storage, circuitBreaker, rateLimit: { recordsPerSecond: 20 } }))
      await world.settled("paused", "it reads", (status) => (status.progress?.records ?? 0) > 0)
      await network.disable()
      const status = await world.settled(
        "paused",
        "the pause is visible",
        (now) => condition(now, "Ready").reason === "BackupPaused"
      )
      console.log(await world.kubectl("get", "kafkabackup", "paused", "-o", "wide"))
      console.log(await world.kubectl("describe", "kafkabackup", "paused"))
      assert.strictEqual(condition(status, "StorageReachable").status, "False")
      assert.strictEqual(condition(status, "KafkaReachable").status, "True")
      for (const type of ["Ready", "Progressing", "StorageReachable"]) {
        assert.include(condition(status, type).message, `since ${status.progress.outage.sinceTime}`)
      }
      await network.calm()
      const done = await world.settled("paused", "it is complete", ({ phase }) => phase === "Completed", 180)
      assert.strictEqual(condition(done, "Ready").status, "True")
      assert.strictEqual(condition(done, "StorageReachable").status, "True")
      const all = await reasons("paused")
      assert.deepStrictEqual(
        ["BackupPaused", "BackupResumed", "BackupSucceeded"].map(
          (reason) => all.filter((one) => one === reason).length
        ),
        [1, 1, 1]
      )
    }, 400_000)
  }
)
