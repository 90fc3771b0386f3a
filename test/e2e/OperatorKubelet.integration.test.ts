import { statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import { defaultUser } from "../../src/operator/jobs/JobSettings.ts"
import { describeWith } from "../harness/services.ts"
import { KubeletWorld } from "./kubeletWorld.ts"
import { unique } from "./scenes.ts"

/** The operator and its Jobs as containers, in namespaces that enforce the restricted Pod Security Standard. */
describeWith(
  ["controlPlane", "kubelet", "java"],
  "the operator on a node with containers",
  ({ apiserver, java, kubelet }) => {
    let world: KubeletWorld

    const resource = (name: string, spec: object = {}) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        kafkaCluster: { bootstrapServers: [world.bootstrap] },
        topics: ["orders"],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
        ...spec
      }
    })

    const condition = (status: any, type: string): any => status.conditions?.find((one: any) => one.type === type)
    const terminated = (pod: any): any => pod.status.containerStatuses?.[0].state.terminated
    const mountPaths = (pod: any): ReadonlyArray<string> =>
      pod.spec.containers[0].volumeMounts.map(({ mountPath }: any) => mountPath)

    /** What both of our containers keep to, as the API server took it. */
    const assertRestricted = ({ spec }: any) => {
      const [{ securityContext }] = spec.containers
      assert.isTrue(securityContext.readOnlyRootFilesystem)
      assert.isFalse(securityContext.allowPrivilegeEscalation)
      assert.deepStrictEqual(securityContext.capabilities, { drop: ["ALL"] })
      assert.deepInclude(spec.securityContext, { runAsNonRoot: true, runAsUser: defaultUser, runAsGroup: defaultUser })
      assert.deepStrictEqual(spec.securityContext.seccompProfile, { type: "RuntimeDefault" })
    }

    beforeAll(async () => {
      world = await KubeletWorld.make(apiserver, kubelet, java.classpath, unique("op-kubelet"))
      await world.java.createTopics({ name: "orders", partitions: 3 }, { name: "slow" })
      await world.java.load({ topic: "orders", count: 3000, seed: 1, shape: "json" })
      await world.java.load({ topic: "slow", count: 4000, seed: 2, shape: "json" })
    })
    afterAll(() => world?.end())

    it("runs from its manifests with its ServiceAccount's token: one replica leads, the other stands by", async () => {
      const pods = await world.operators()
      assert.lengthOf(pods, 2)
      for (const pod of pods) {
        assertRestricted(pod)
        assert.deepStrictEqual(mountPaths(pod), ["/tmp", "/var/run/secrets/kubernetes.io/serviceaccount"])
        assert.strictEqual(pod.status.containerStatuses[0].restartCount, 0)
      }
      const answers = await Promise.all(
        pods.map(async ({ status }) => (await fetch(`http://${status.podIP}:8080/readyz`)).text())
      )
      assert.lengthOf(
        answers.filter((text) => text.includes("leading")),
        1,
        answers.join("; ")
      )
    })

    it("backs up to a volume in a pod that is nobody to the cluster and can write nowhere else", async () => {
      await world.apply(resource("once"))
      const status = await world.settled("once", "its backup is complete", ({ phase }) => phase === "Completed")
      assert.strictEqual(status.lastBackupRecords, 3000)
      assert.strictEqual(condition(status, "Ready").status, "True")
      assert.strictEqual(condition(status, "Verified").status, "True")
      assert.deepStrictEqual(world.sets("once"), [status.lastBackupId])
      const { gid, uid } = statSync(join(world.folder, "backups", "once", status.lastBackupId))
      assert.deepStrictEqual([uid, gid], [defaultUser, defaultUser])

      const pods = await world.pods("once")
      assert.lengthOf(pods, 1)
      assertRestricted(pods[0])
      // No token among them, and the root cannot be written: the run needed nothing else.
      assert.deepStrictEqual(mountPaths(pods[0]), ["/tmp", "/var/lib/kafka-backup/volumes/backups"])
      assert.isFalse(pods[0].spec.automountServiceAccountToken)
      assert.strictEqual(terminated(pods[0]).exitCode, 0)
      const { backupId, outcome, records } = JSON.parse(terminated(pods[0]).message)
      assert.deepStrictEqual([outcome, backupId, records], ["success", status.lastBackupId, 3000])
    })

    it("says that a run needs more memory than it may have, and where to raise that", async () => {
      await world.apply(resource("greedy", { resources: { limits: { memory: "32Mi" } }, job: { backoffLimit: 1 } }))
      await world.settled("greedy", "it waits for its second attempt", (now) =>
        (condition(now, "Progressing")?.message ?? "").includes("attempt 2 of 2 after OOMKilled")
      )
      const status = await world.settled("greedy", "its run has failed", ({ phase }) => phase === "Failed")
      const pods = await world.pods("greedy")
      assert.deepStrictEqual(
        pods.map((pod) => [terminated(pod).exitCode, terminated(pod).reason]),
        [
          [137, "OOMKilled"],
          [137, "OOMKilled"]
        ]
      )
      const advice = "needed more memory than its limit of 32Mi; raise spec.resources.limits.memory"
      const [run] = status.backupHistory
      assert.deepStrictEqual([run.outcome, run.reason], ["failed", "OOMKilled"])
      assert.include(run.message, advice)
      assert.strictEqual(condition(status, "Ready").reason, "BackupFailed")
      assert.include(condition(status, "Ready").message, advice)
    })

    it("goes on where a deleted pod stopped, and shows how far it is", async () => {
      // Longer than the run: nothing is remembered but what SIGTERM makes it remember.
      const checkpointIntervalSecs = 600
      await world.apply(
        resource("slow", { topics: ["slow"], rateLimit: { recordsPerSecond: 300 }, checkpointIntervalSecs })
      )
      // From the pod's own address.
      await world.settled("slow", "progress is shown", ({ progress }) => (progress?.records ?? 0) > 600)
      const [first] = await world.pods("slow")
      const last = world.lastOf(first)
      await world.kubectl("delete", "pod", first.metadata.name)
      const ended = terminated(await last)
      assert.strictEqual(ended.exitCode, exitCodes.interrupted)
      assert.strictEqual(JSON.parse(ended.message).outcome, "interrupted")

      const status = await world.settled("slow", "it is complete", ({ phase }) => phase === "Completed")
      assert.strictEqual(status.lastBackupRecords, 4000)
      assert.lengthOf(status.backupHistory, 1)
      const { addedRecords } = status.backupHistory[0]
      assert.isAbove(addedRecords, 0)
      assert.isBelow(addedRecords, 4000)
      assert.strictEqual(condition(status, "Verified").status, "True")
      assert.deepStrictEqual(world.sets("slow"), [status.lastBackupId])
      assert.lengthOf((await world.json("jobs", "-l", "kafka.oso.sh/name=slow")).items, 1)
      const [second] = await world.pods("slow")
      // Never two at a time.
      assert.isAtLeast(Date.parse(second.metadata.creationTimestamp), Date.parse(ended.finishedAt))
    })

    it("says that the image of its Jobs cannot be had", async () => {
      const missing = "kafka-backup.test/mistyped:e2e"
      await world.misnameImage(missing)
      await world.apply(resource("imageless"))
      const status = await world.settled("imageless", "its pod is in trouble", (now) =>
        (condition(now, "Progressing")?.message ?? "").includes("ImagePullFailed")
      )
      assert.strictEqual(condition(status, "Ready").reason, "PodTrouble")
      assert.include(condition(status, "Ready").message, `cannot get its image ${missing} (ErrImageNeverPull)`)
      assert.include(condition(status, "Ready").message, "check the operator's image option")
    })
  }
)
