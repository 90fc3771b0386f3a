import { execFileSync } from "node:child_process"
import { mkdirSync, symlinkSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Result } from "effect"
import { afterAll, assert, beforeAll, it } from "vitest"
import * as CleanupByHand from "../../src/operator/CleanupByHand.ts"
import * as MaintenanceJobs from "../../src/operator/jobs/MaintenanceJobs.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { image, OperatorWorld, type OperatorProcess } from "./operatorWorld.ts"
import { createBucket, keysBelow, unique } from "./scenes.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** The operator on a real control plane, with a real broker and a real object store. */
describeWith(
  ["controlPlane", "kafka", "versitygw", "java"],
  "the operator in a cluster",
  ({ apiserver, java: tools, kafka, versitygw }) => {
    let java: JavaKafka
    const topic = unique("orders")
    const bucket = unique("operator")
    let world: OperatorWorld
    let operator: OperatorProcess

    const resource = (name: string, spec: object = {}) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
        // Runs that read nothing would be over at once, and what others build on stays after its backup.
        incremental: { enabled: false },
        ...spec
      }
    })

    /** What a user copies into a shell, with the programs on the path. */
    const typed = (command: string, folder: string): string => {
      const path = [join(root, "bin"), dirname(apiserver.kubectl), process.env["PATH"]].join(delimiter)
      const env = { ...process.env, PATH: path, KUBECONFIG: apiserver.kubeconfig }
      return execFileSync("sh", ["-c", command], { cwd: folder, env, encoding: "utf8" })
    }

    const successes = (status: any): ReadonlyArray<any> =>
      (status.backupHistory ?? []).filter((one: any) => one.outcome === "success")
    const condition = (status: any, type: string): any => status.conditions?.find((one: any) => one.type === type)
    const trigger = (name: string, token: string) =>
      world.kubectl("annotate", "kafkabackup", name, `kafka.oso.sh/trigger-backup=${token}`, "--overwrite")
    const isQuiet = (status: any) => status.activeRun === undefined

    beforeAll(async () => {
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 3 })
      await java.load({ topic, count: 3000, seed: 1, shape: "json" })
      await createBucket(versitygw, bucket)
      world = await OperatorWorld.make(apiserver, unique("op-e2e"))
      await world.kubectl(
        "create",
        "secret",
        "generic",
        "s3-credentials",
        `--from-literal=accessKey=${versitygw.accessKey}`,
        `--from-literal=secretKey=${versitygw.secretKey}`
      )
      operator = await world.start("first")
    })
    afterAll(async () => {
      await world?.end()
      await java?.close()
    })

    it("runs a one-time backup at once, and one look answers", async () => {
      await world.apply(resource("once"))
      const status = await world.settled("once", "its backup is complete", ({ phase }) => phase === "Completed")
      assert.strictEqual(status.lastBackupRecords, 3000)
      assert.strictEqual(condition(status, "Ready").status, "True")
      assert.strictEqual(condition(status, "Verified").status, "True")
      assert.deepStrictEqual(world.sets("once"), [status.lastBackupId])
      const table = await world.kubectl("get", "kafkabackups", "once")
      assert.match(table, /once\s+Completed\s+True\s+True\s+\S+\s+3000\s/)
      const events = await world.json("events.events.k8s.io")
      const reasons = events.items.filter((one: any) => one.regarding.name === "once").map((one: any) => one.reason)
      assert.includeMembers(reasons, ["BackupStarted", "BackupSucceeded"])
    })

    it("starts a run for each new trigger value, once", async () => {
      await trigger("once", "first")
      const first = await world.settled(
        "once",
        "the triggered run is over",
        (status) => successes(status).length === 2 && isQuiet(status)
      )
      assert.strictEqual(first.handledTrigger, "first")
      await trigger("once", "first")
      await world.kubectl("label", "kafkabackup", "once", "poked=yes", "--overwrite")
      await trigger("once", "second")
      const second = await world.settled(
        "once",
        "the second triggered run is over",
        (status) => successes(status).length === 3 && isQuiet(status)
      )
      assert.strictEqual(second.handledTrigger, "second")
      assert.lengthOf((await world.json("jobs", "-l", "kafka.oso.sh/name=once")).items, 3)
      assert.lengthOf(world.sets("once"), 3)
    })

    it("removes old backups soon after retention is lowered", async () => {
      const before = await world.status("once")
      await world.kubectl("patch", "kafkabackup", "once", "--type=merge", "-p", '{"spec":{"retention":{"backups":1}}}')
      const status = await world.settled("once", "one backup is left", (now) => successes(now).length === 1)
      assert.strictEqual(status.lastBackupId, before.lastBackupId)
      assert.deepStrictEqual(world.sets("once"), [before.lastBackupId])
      assert.strictEqual(condition(status, "RetentionApplied").status, "True")
    })

    it("says what failed and what to do, and recovers when that is done", async () => {
      const missing = unique("missing")
      await world.apply(
        resource("failing", {
          topics: [missing],
          storage: {
            storageType: "s3",
            s3: {
              bucket,
              region: versitygw.region,
              prefix: "failing",
              endpoint: versitygw.endpoint,
              credentialsSecret: { name: "s3-credentials" }
            }
          }
        })
      )
      const failed = await world.settled("failing", "its run has failed", ({ phase }) => phase === "Failed")
      assert.strictEqual(condition(failed, "Ready").status, "False")
      assert.include(condition(failed, "Ready").message, missing)
      const [job] = (await world.json("jobs", "-l", "kafka.oso.sh/name=failing")).items
      assert.strictEqual(job.status.failed, 1, "a permanent failure is not tried again")
      await java.createTopics({ name: missing })
      await trigger("failing", "after-the-topic-was-made")
      const recovered = await world.settled("failing", "it has recovered", ({ phase }) => phase === "Completed")
      assert.strictEqual(condition(recovered, "Ready").status, "True")
      assert.strictEqual(condition(recovered, "StorageReachable").status, "True")
    })

    it("waits for a Secret's key that is missing, and names it", async () => {
      await world.kubectl("create", "secret", "generic", "half", "--from-literal=accessKey=a")
      await world.apply(
        resource("half", {
          storage: {
            storageType: "s3",
            s3: {
              bucket,
              region: versitygw.region,
              prefix: "half",
              endpoint: versitygw.endpoint,
              credentialsSecret: { name: "half" }
            }
          }
        })
      )
      const waits = await world.settled(
        "half",
        "its run waits for the key",
        (status) => condition(status, "Ready")?.reason === "PodTrouble"
      )
      assert.match(condition(waits, "Ready").message, /Secret half, key secretKey: .*waits for it until/)
      await world.kubectl("delete", "kafkabackup", "half")
    })

    it("keeps to its schedule, waits while suspended, and goes on with the next slot", async () => {
      await world.apply(resource("minutely", { schedule: "* * * * *", retention: { backups: 5 } }))
      const first = await world.settled(
        "minutely",
        "its slot has run",
        (status) => successes(status).length >= 1 && isQuiet(status),
        150
      )
      assert.match(first.lastBackupId, /^minutely-\d{8}-\d{4}00$/)
      await world.kubectl("patch", "kafkabackup", "minutely", "--type=merge", "-p", '{"spec":{"suspend":true}}')
      await world.settled(
        "minutely",
        "it is suspended",
        (status) => status.nextScheduledTime === undefined && isQuiet(status)
      )
      const count = successes(await world.status("minutely")).length
      await new Promise((resolve) => setTimeout(resolve, 65_000))
      assert.lengthOf(successes(await world.status("minutely")), count)
      await world.kubectl("patch", "kafkabackup", "minutely", "--type=merge", "-p", '{"spec":{"suspend":false}}')
      const again = await world.settled(
        "minutely",
        "the next slot has run",
        (status) => successes(status).length > count,
        150
      )
      assert.isAbove(Date.parse(again.lastBackupTime), Date.parse(again.scheduledSince))
      await world.kubectl("patch", "kafkabackup", "minutely", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    }, 600_000)

    it("loses no run and doubles none when it is killed in the middle of one", async () => {
      const slow = unique("slow")
      await java.createTopics({ name: slow })
      await java.load({ topic: slow, count: 4000, seed: 2, shape: "json" })
      await world.apply(resource("slow", { topics: [slow], rateLimit: { recordsPerSecond: 200 } }))
      await world.settled(
        "slow",
        "progress is shown",
        (status) => (status.progress?.records ?? 0) > 0 && status.phase === "Running"
      )
      await operator.kill()
      operator = await world.start("second")
      const status = await world.settled("slow", "it is complete", ({ phase }) => phase === "Completed")
      assert.strictEqual(status.lastBackupRecords, 4000)
      assert.lengthOf(status.backupHistory, 1)
      assert.lengthOf((await world.json("jobs", "-l", "kafka.oso.sh/name=slow")).items, 1)
      assert.lengthOf(world.sets("slow"), 1)
    })

    it("resumes a run whose pod is evicted", async () => {
      await world.kubectl("patch", "kafkabackup", "slow", "--type=merge", "-p", '{"spec":{"checkpointIntervalSecs":1}}')
      await trigger("slow", "evicted")
      await world.settled("slow", "it runs", (status) => (status.progress?.records ?? 0) > 0)
      const pod = world.node.running.find(({ name }) => name.startsWith("slow-"))
      assert.isDefined(pod)
      await pod!.evict()
      const status = await world.settled(
        "slow",
        "it is complete",
        (now) => successes(now).length === 2 && isQuiet(now),
        180
      )
      assert.strictEqual(successes(status)[0].records, 4000)
    })

    it("learns from storage of a run whose end nobody heard and whose Job is gone", async () => {
      await world.apply(resource("unheard", { rateLimit: { recordsPerSecond: 300 } }))
      await world.settled("unheard", "it runs", (status) => (status.progress?.records ?? 0) > 0)
      await operator.kill()
      const jobs = async (purpose: string): Promise<ReadonlyArray<any>> =>
        (await world.json("jobs", "-l", `kafka.oso.sh/name=unheard,kafka.oso.sh/purpose=${purpose}`)).items
      await world.until("its Job is complete", async () => (await jobs("run"))[0]?.status.succeeded === 1)
      await world.kubectl("delete", "jobs", "-l", "kafka.oso.sh/name=unheard")
      operator = await world.start("third")
      const status = await world.settled("unheard", "it is complete", ({ phase }) => phase === "Completed")
      assert.strictEqual(status.lastBackupRecords, 3000)
      assert.deepStrictEqual(world.sets("unheard"), [status.lastBackupId])
      assert.deepStrictEqual(
        status.backupHistory.map((one: any) => [one.backupId, one.outcome]),
        [[status.lastBackupId, "success"]]
      )
      assert.lengthOf(await jobs("run"), 0, "what is in storage is not backed up again")
      assert.lengthOf(await jobs("catalogue"), 1)
    })

    it("removes the backups with the resource when that was asked for, and keeps them otherwise", async () => {
      await world.apply(resource("gone", { deletionPolicy: "Delete" }))
      await world.settled("gone", "it is complete", ({ phase }) => phase === "Completed")
      assert.lengthOf(world.sets("gone"), 1)
      await world.kubectl("delete", "kafkabackup", "gone", "once", "--timeout=90s")
      assert.lengthOf(world.sets("gone"), 0)
      assert.lengthOf(world.sets("once"), 1)
    })

    it("keeps trying to remove the backups while the Secret is gone, says so, and succeeds once it is back", async () => {
      const secret = ["create", "secret", "generic", "passing", `--from-literal=accessKey=${versitygw.accessKey}`]
      const createSecret = () => world.kubectl(...secret, `--from-literal=secretKey=${versitygw.secretKey}`)
      await createSecret()
      const s3 = { bucket, region: versitygw.region, prefix: "passing", endpoint: versitygw.endpoint }
      const storage = { storageType: "s3", s3: { ...s3, credentialsSecret: { name: "passing" } } }
      await world.apply(resource("passing", { storage, deletionPolicy: "Delete" }))
      await world.settled("passing", "it is complete", ({ phase }) => phase === "Completed")
      await world.kubectl("delete", "secret", "passing")
      await world.kubectl("delete", "kafkabackup", "passing", "--wait=false")
      const status = await world.settled(
        "passing",
        "its clean-up failed and is tried again",
        (now) => condition(now, "CleanedUp")?.reason === "CleanupRetrying"
      )
      assert.match(
        condition(status, "CleanedUp").message,
        /^Attempt 1 to remove the stored backups failed: .*passing.* The next attempt starts at \S+Z\. The clean-up is given up at \S+Z\.$/
      )
      await createSecret()
      await world.until("the resource is gone", async () => {
        const { code } = await Kubectl.run(apiserver, ["get", "kafkabackup", "passing", "-n", world.namespace])
        return code !== 0
      })
      const keys = await keysBelow(versitygw, bucket, "passing/")
      assert.deepStrictEqual(keys, [])
      const events = await world.json("events.events.k8s.io")
      const reasons = events.items.filter((one: any) => one.regarding.name === "passing").map((one: any) => one.reason)
      assert.includeMembers(reasons, ["CleanupStarted", "CleanupRetrying", "CleanupFinished"])
      assert.notInclude(reasons, "CleanupGivenUp")
    }, 180_000)

    it("leaves a Job behind that finishes a clean-up by the printed command", async () => {
      await world.apply(resource("late"))
      await world.settled("late", "it is complete", ({ phase }) => phase === "Completed")
      const late = Result.getOrThrow(ManifestParser.fromServer(await world.json("kafkabackup", "late")))
      const job = Result.getOrThrow(MaintenanceJobs.forLaterCleanup({ backup: late, settings: { image } }))
      await world.apply(job)
      await world.kubectl("delete", "kafkabackup", "late")
      assert.lengthOf(world.sets("late"), 1)
      assert.strictEqual((await world.json("job", job.metadata.name)).spec.suspend, true)
      assert.lengthOf((await world.json("pods", "-l", `job-name=${job.metadata.name}`)).items, 0)
      typed(CleanupByHand.resuming(job), world.folder)
      await world.until("the backups are removed", async () => world.sets("late").length === 0)
    })

    it("adopts the backups of a resource that was deleted and created again, and says so once", async () => {
      await world.apply(resource("again"))
      const first = await world.settled("again", "it is complete", ({ phase }) => phase === "Completed")
      await world.kubectl("delete", "kafkabackup", "again")
      await world.apply(resource("again"))
      const second = await world.settled("again", "it is complete again", ({ phase }) => phase === "Completed")
      assert.notStrictEqual(second.lastBackupId, first.lastBackupId)
      assert.strictEqual(second.adoptedBackups, 1)
      assert.deepStrictEqual(
        successes(second).map(({ backupId }: any) => backupId),
        [second.lastBackupId, first.lastBackupId]
      )
      await world.kubectl("patch", "kafkabackup", "again", "--type=merge", "-p", '{"spec":{"retention":{"backups":1}}}')
      await world.settled("again", "one backup is left", (now) => successes(now).length === 1)
      assert.deepStrictEqual(world.sets("again"), [second.lastBackupId])
      const events = await world.json("events.events.k8s.io")
      const adoptions = events.items.filter(
        (one: any) => one.regarding.name === "again" && one.reason === "BackupsAdopted"
      )
      assert.lengthOf(adoptions, 1)
    })

    it("writes nothing while nothing happens", async () => {
      await world.settled("minutely", "it is quiet", isQuiet)
      await new Promise((resolve) => setTimeout(resolve, 20_000))
      const versions = async () =>
        (await world.json("kafkabackups")).items.map((one: any) => one.metadata.resourceVersion)
      const before = await versions()
      await new Promise((resolve) => setTimeout(resolve, 40_000))
      assert.deepStrictEqual(await versions(), before)
    })

    it("tells in its metrics what happened", async () => {
      const { text } = await operator.get("/metrics")
      assert.match(text, /kafka_backup_operator_last_success_timestamp_seconds\{[^}]*name="slow"\} \d+/)
      assert.notMatch(text, /name="gone"/)
      assert.strictEqual((await operator.get("/readyz")).status, 200)
    })

    it("ends in order when it is asked to, and its successor takes over at once", async () => {
      assert.strictEqual(await operator.stop(), 0)
      const lease = ["lease", "kafka-backup-operator", "--namespace=kafka-backup-system"]
      const holder = await Kubectl.succeed(apiserver, ["get", ...lease, "-o", "jsonpath={.spec.holderIdentity}"])
      assert.strictEqual(holder, "", "the lease is given back")
      operator = await world.start("fourth")
      await world.until("the successor leads", async () => (await operator.get("/readyz")).text.includes("leading"))
    })

    it("never holds up the end of its namespace, whatever was asked for", async () => {
      await world.apply(resource("last", { deletionPolicy: "Delete" }))
      await world.settled("last", "it is complete", ({ phase }) => phase === "Completed")
      await Kubectl.succeed(apiserver, ["delete", "namespace", world.namespace, "--timeout=120s"])
      assert.notMatch(operator.log, /"level":"(error|fatal)"/u)
      const said = /the stored backups are kept\. To remove them, run: (.*?)(?=","|\n)/u.exec(operator.log)?.[1]
      assert.isDefined(said)
      assert.lengthOf(world.sets("last"), 1)
      mkdirSync(join(world.folder, "shell"))
      symlinkSync(world.folder, join(world.folder, "shell", "volumes"))
      typed(JSON.parse(`"${said}"`) as string, join(world.folder, "shell"))
      assert.lengthOf(world.sets("last"), 0)
    })
  }
)
