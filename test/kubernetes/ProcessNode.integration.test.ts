import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { type ApiClient, type Json, until } from "../harness/processnode/ApiClient.ts"
import { ProcessNode } from "../harness/ProcessNode.ts"
import { describeWith } from "../harness/services.ts"

const unique = (name: string): string => `${name}-${crypto.randomUUID().slice(0, 8)}`

/** A Job whose container is a shell; `script` sees what `container` adds. */
const shell = (name: string, script: string, container: Json = {}, { pod = {}, ...spec }: Json = {}): Json => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: {
    backoffLimit: 0,
    ...spec,
    template: {
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 2,
        containers: [{ name: "main", image: "shell:test", args: [script], ...container }],
        ...pod
      }
    }
  }
})

/** A Job that goes on until it is ended, and says how it took SIGTERM. */
const patient = 'trap "echo told to end; exit 0" TERM; while true; do sleep 0.1; done'
const stubborn = 'trap "" TERM; while true; do sleep 0.1; done'

const ignoringDisruption = {
  podFailurePolicy: {
    rules: [
      { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }
    ]
  }
}

describeWith("controlPlane", "a node of processes", ({ apiserver }) => {
  let node: ProcessNode
  let client: ApiClient
  const namespace = unique("process-node")
  const jobs = `/apis/batch/v1/namespaces/${namespace}/jobs`
  const inNamespace = `/api/v1/namespaces/${namespace}`
  const volumes = mkdtempSync(join(tmpdir(), "kafka-backup-volumes-"))

  beforeAll(async () => {
    node = await ProcessNode.start(apiserver, { namespaces: [namespace], images: { "shell:test": ["/bin/sh", "-c"] } })
    client = node.client
  })
  afterAll(async () => {
    await client?.delete(inNamespace)
    await node?.stop()
    rmSync(volumes, { recursive: true, force: true })
  })

  const condition = (type: string, name: string): Promise<Json> =>
    until(`${name} is ${type}`, async () => {
      const { status } = await client.get(`${jobs}/${name}`)
      return status.conditions?.find((one: Json) => one["type"] === type && one["status"] === "True")
    })

  const podsOf = (job: string) => client.list(`${inNamespace}/pods?labelSelector=batch.kubernetes.io/job-name=${job}`)

  const podOf = async (job: string): Promise<Json> => (await podsOf(job))[0] ?? assert.fail(`${job} has no pod`)

  const run = (name: string, script: string, container: Json = {}, more: Json = {}) =>
    client.create(jobs, shell(name, script, container, more))

  const terminatedOf = (pod: Json): Json => pod["status"].containerStatuses[0].state.terminated

  /** Waits for what the only container of a Job's pod waits for. */
  const waiting = (job: string, reason: string): Promise<Json> =>
    until(`${job} waits: ${reason}`, async () => {
      const state = (await podsOf(job))[0]?.["status"]?.containerStatuses?.[0].state.waiting
      return state?.reason === reason ? state : undefined
    })

  it("completes a Job: bound by the scheduler, run as a process, counted by the Job controller", async () => {
    await run("hello", "echo hello $NAME from $POD_IP; exit 0", {
      env: [
        { name: "NAME", value: "world" },
        { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }
      ]
    })
    await condition("Complete", "hello")
    const pod = await podOf("hello")
    assert.strictEqual(pod["status"].phase, "Succeeded")
    assert.deepInclude(terminatedOf(pod), { exitCode: 0, reason: "Completed" })
    const { podIP } = pod["status"]
    assert.match(podIP, /^127\.\d+\.\d+\.\d+$/)
    assert.strictEqual(node.find({ job: "hello" })?.log, `hello world from ${podIP}\n`)
  })

  it("expands $(NAME) in arguments and variables as the kubelet does", async () => {
    await run("expands", 'printf "%s|%s" "$BOTH" "$(ONE) $$(ONE) $(NONE)"', {
      command: ["/bin/sh", "-c"],
      args: ["printf '%s|%s|%s' \"$BOTH\" '$(ONE)' '$$(ONE)'"],
      env: [
        { name: "ONE", value: "1" },
        { name: "BOTH", value: "$(ONE)+$(LATER)" },
        { name: "LATER", value: "2" }
      ]
    })
    await condition("Complete", "expands")
    assert.strictEqual(node.find({ job: "expands" })?.log, "1+$(LATER)|1|$(ONE)")
  })

  it("hands the termination message over, cut to 4096 bytes", async () => {
    await run("speaks", "printf done > /dev/termination-log")
    await run("talks", "head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log; exit 1")
    await condition("Complete", "speaks")
    await condition("Failed", "talks")
    assert.strictEqual(terminatedOf(await podOf("speaks"))["message"], "done")
    assert.lengthOf(terminatedOf(await podOf("talks"))["message"], 4096)
  })

  it("lets an exit code fail a Job by its podFailurePolicy, without another try", async () => {
    await run("hopeless", "exit 42", {}, { backoffLimit: 6, ...ignoringDisruption })
    assert.strictEqual((await condition("Failed", "hopeless"))["reason"], "PodFailurePolicy")
    assert.lengthOf(await podsOf("hopeless"), 1)
    assert.deepInclude(terminatedOf(await podOf("hopeless")), { exitCode: 42, reason: "Error" })
  })

  it("shows a Secret's named keys as files, without those that are optional and missing, and follows a rotation", async () => {
    const secret = `${inNamespace}/secrets`
    await client.create(secret, { metadata: { name: "login" }, stringData: { password: "old", other: "unseen" } })
    const sources = [
      {
        secret: {
          name: "login",
          optional: true,
          items: ["password", "absent"].map((key) => ({ key, path: `login/${key}` }))
        }
      },
      { secret: { name: "nowhere", optional: true, items: [{ key: "a", path: "nowhere/a" }] } }
    ]
    await run(
      "reads",
      "ls /secrets/*; until grep -q new /secrets/login/password; do sleep 0.1; done; cat $FILE",
      {
        env: [{ name: "FILE", value: "/secrets/login/password" }],
        volumeMounts: [{ name: "secrets", mountPath: "/secrets", readOnly: true }]
      },
      { pod: { volumes: [{ name: "secrets", projected: { sources } }] } }
    )
    await node.started({ job: "reads" })
    await client.patch(`${secret}/login`, { stringData: { password: "new" } })
    await condition("Complete", "reads")
    assert.strictEqual(node.find({ job: "reads" })?.log, "password\nnew")
  })

  it("waits for a Secret that must be there, and says so", async () => {
    const variable = { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "late", key: "password" } } }
    await run("needs", "echo $PASSWORD", { env: [variable] })
    const { message } = await waiting("needs", "CreateContainerConfigError")
    assert.strictEqual(message, 'secret "late" not found')
    await client.create(`${inNamespace}/secrets`, { metadata: { name: "late" }, stringData: { password: "here" } })
    await condition("Complete", "needs")
    assert.strictEqual(node.find({ job: "needs" })?.log, "here\n")
  })

  it("says by an Event which volume cannot be mounted", async () => {
    const volume = { name: "must", secret: { secretName: "never" } }
    const mount = { name: "must", mountPath: "/must" }
    await run("unmounted", "true", { volumeMounts: [mount] }, { pod: { volumes: [volume] } })
    const event = await until("an Event", async () =>
      (await client.list(`${inNamespace}/events`)).find(({ reason }) => reason === "FailedMount")
    )
    assert.strictEqual(event["message"], 'MountVolume.SetUp failed for volume "must" : secret "never" not found')
    await waiting("unmounted", "ContainerCreating")
    await client.delete(`${jobs}/unmounted`, { propagationPolicy: "Foreground" })
    await until("it is gone", async () => ((await podsOf("unmounted")).length === 0 ? true : undefined))
  })

  it("waits for an unknown image", async () => {
    await run("imageless", "echo pulled", { image: "unknown:1" })
    await waiting("imageless", "ImagePullBackOff")
    node.images.set("unknown:1", ["/bin/sh", "-c"])
    await condition("Complete", "imageless")
  })

  it("keeps what is written to a claim", async () => {
    const folder = join(volumes, "claim")
    await node.provide(namespace, "backups", folder)
    await run(
      "keeps",
      "echo kept > /volumes/backups/file; mkdir /tmp/scratch && echo $TMPDIR",
      {
        volumeMounts: [
          { name: "storage", mountPath: "/volumes/backups" },
          { name: "tmp", mountPath: "/tmp" }
        ]
      },
      {
        pod: {
          volumes: [
            { name: "storage", persistentVolumeClaim: { claimName: "backups" } },
            { name: "tmp", emptyDir: {} }
          ]
        }
      }
    )
    await condition("Complete", "keeps")
    assert.strictEqual(readFileSync(join(folder, "file"), "utf8"), "kept\n")
  })

  it("ends a deleted Job's process by SIGTERM, and a stubborn one after its grace by SIGKILL", async () => {
    await run("patient", patient)
    await run("stubborn", stubborn)
    const [polite, rude] = await Promise.all([node.started({ job: "patient" }), node.started({ job: "stubborn" })])
    await until("both began", async () => {
      const phases = await Promise.all([podOf("patient"), podOf("stubborn")])
      return phases.every(({ status }) => status.phase === "Running") ? true : undefined
    })
    for (const name of ["patient", "stubborn"]) {
      await client.delete(`${jobs}/${name}`, { propagationPolicy: "Foreground" })
    }
    for (const name of ["patient", "stubborn"]) {
      await until(`${name} is gone`, async () =>
        (await client.find(`${jobs}/${name}`)) === undefined ? true : undefined
      )
      assert.lengthOf(await podsOf(name), 0)
    }
    assert.include(polite.log, "told to end")
    assert.strictEqual(polite.object["status"].containerStatuses[0].state.terminated.exitCode, 0)
    assert.strictEqual(rude.object["status"].containerStatuses[0].state.terminated.exitCode, 137)
    assert.isFalse(rude.isRunning)
  })

  it("reports a process killed for its memory as a kubelet does", async () => {
    await run("greedy", patient)
    const pod = await node.started({ job: "greedy" })
    pod.outOfMemory()
    await condition("Failed", "greedy")
    assert.deepInclude(terminatedOf(await podOf("greedy")), { exitCode: 137, reason: "OOMKilled" })
  })

  it("does not count an eviction against a Job that ignores disruptions", async () => {
    const script = `if [ -e /volume/second ]; then exit 0; fi; touch /volume/second; ${stubborn}`
    await run(
      "evicted",
      script,
      { volumeMounts: [{ name: "storage", mountPath: "/volume" }] },
      {
        ...ignoringDisruption,
        pod: { volumes: [{ name: "storage", hostPath: { path: volumes } }] }
      }
    )
    const pod = await node.started({ job: "evicted" })
    await until("it has begun", async () => (pod.object["status"].phase === "Running" ? true : undefined))
    await pod.evict()
    await condition("Complete", "evicted")
    const { status } = await client.get(`${jobs}/evicted`)
    assert.strictEqual(status.succeeded, 1)
    assert.isUndefined(status.failed)
  })

  it("puts a pod out for want of memory: failed, disrupted, still there to be read", async () => {
    await run("pressed", patient, {}, { backoffLimit: 0 })
    const pod = await node.started({ job: "pressed" })
    pod.evictForPressure()
    await condition("Failed", "pressed")
    const { status } = await until("it is marked", async () => {
      const one = await podOf("pressed")
      return one["status"].reason === "Evicted" ? one : undefined
    })
    const disruption = status.conditions.find(({ type }: Json) => type === "DisruptionTarget")
    assert.deepInclude(disruption, { status: "True", reason: "TerminationByKubelet" })
  })

  it("lets a Job's deadline end its process", async () => {
    await run("late", patient, {}, { activeDeadlineSeconds: 1 })
    assert.strictEqual((await condition("Failed", "late"))["reason"], "DeadlineExceeded")
    await until("it has ended", async () => (node.find({ job: "late" })?.isRunning === false ? true : undefined))
  })

  it("lets a finished Job go after its time to live, with its pod", async () => {
    await run("brief", "true", {}, { ttlSecondsAfterFinished: 1 })
    await until("the Job is gone", async () => ((await client.find(`${jobs}/brief`)) === undefined ? true : undefined))
    await until("its pod is gone", async () => ((await podsOf("brief")).length === 0 ? true : undefined))
  })

  it("lets a namespace go while a process runs in it", async () => {
    await using second = await ProcessNode.start(apiserver, {
      namespaces: [unique("going")],
      images: { "shell:test": ["/bin/sh", "-c"] }
    })
    const name = second.namespaces[0] ?? ""
    await client.create(`/apis/batch/v1/namespaces/${name}/jobs`, shell("last", patient))
    const pod = await second.started({ job: "last", namespace: name })
    await client.delete(`/api/v1/namespaces/${name}`)
    await until("the namespace is gone", async () =>
      (await client.find(`/api/v1/namespaces/${name}`)) === undefined ? true : undefined
    )
    assert.isFalse(pod.isRunning)
    assert.isUndefined(node.find({ job: "last" }))
  })

  it("leaves no process and no bound pod behind when it stops", async () => {
    const name = unique("stopped")
    const second = await ProcessNode.start(apiserver, {
      namespaces: [name],
      images: { "shell:test": ["/bin/sh", "-c"] }
    })
    await client.create(`/apis/batch/v1/namespaces/${name}/jobs`, shell("running", stubborn))
    const pod = await second.started({ job: "running" })
    await second.stop()
    assert.isFalse(pod.isRunning)
    const bound = await client.list(`/api/v1/pods?fieldSelector=spec.nodeName=${second.name}`)
    assert.lengthOf(bound, 0)
    await client.delete(`/api/v1/namespaces/${name}`)
  })
})
