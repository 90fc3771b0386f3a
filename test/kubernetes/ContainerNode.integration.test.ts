import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { version } from "../../src/version.ts"
import { ContainerNode } from "../harness/ContainerNode.ts"
import { type Json, until } from "../harness/processnode/ApiClient.ts"
import { productImage } from "../harness/productImage.ts"
import { describeWith } from "../harness/services.ts"

const namespace = `container-node-${crypto.randomUUID().slice(0, 8)}`

/** As the operator's pods are: nobody's user, nothing to write to but what is mounted. */
const restricted = {
  pod: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: "RuntimeDefault" } },
  container: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } }
}

describeWith(["controlPlane", "kubelet"], "a node with containers", ({ apiserver, kubelet }) => {
  let node: ContainerNode
  const pods = `/api/v1/namespaces/${namespace}/pods`

  beforeAll(async () => {
    node = await ContainerNode.use(apiserver, kubelet, [namespace])
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" }
    await node.client.patch(`/api/v1/namespaces/${namespace}`, { metadata: { labels } })
  })
  afterAll(async () => {
    await node?.client.delete(`/api/v1/namespaces/${namespace}`)
    await node?.stop()
  })

  const run = (name: string, container: Json, spec: Json = {}): Promise<Json> =>
    node.client.create(pods, {
      metadata: { name },
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 5,
        automountServiceAccountToken: false,
        dnsPolicy: "Default",
        securityContext: restricted.pod,
        containers: [
          {
            name: "main",
            image: kubelet.busybox,
            imagePullPolicy: "Never",
            securityContext: restricted.container,
            ...container
          }
        ],
        ...spec
      }
    })

  const terminated = (name: string): Promise<Json> =>
    until(`${name} has ended`, async () => {
      const { status } = await node.client.get(`${pods}/${name}`)
      return status.containerStatuses?.[0].state.terminated
    })

  it("runs a restricted pod as its user on a read-only root, and hands its message over", async () => {
    await run(
      "restricted",
      {
        args: ["sh", "-c", "touch /x 2>/dev/null || echo $(id -u) $(cat /secret/key) > /dev/termination-log; exit 42"],
        volumeMounts: [{ name: "secret", mountPath: "/secret", readOnly: true }]
      },
      { volumes: [{ name: "secret", secret: { secretName: "one", defaultMode: 0o440 } }] }
    )
    await node.client.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: "one" },
      stringData: { key: "value" }
    })
    const { exitCode, message, reason } = await terminated("restricted")
    assert.deepStrictEqual({ exitCode, message, reason }, { exitCode: 42, message: "1000 value\n", reason: "Error" })
  })

  it("refuses a pod that wants to be root", async () => {
    const refused = await run("root", {}, { securityContext: {} }).then(
      () => "taken",
      (error: Error) => error.message
    )
    assert.include(refused, 'violates PodSecurity "restricted:latest"')
  })

  it("kills what takes more memory than its limit", async () => {
    const limit = { memory: "32Mi", cpu: "1" }
    await run("greedy", {
      args: ["sh", "-c", "exec tail /dev/zero"],
      resources: { limits: limit, requests: limit }
    })
    assert.deepInclude(await terminated("greedy"), { exitCode: 137, reason: "OOMKilled" })
  })

  it("ends a deleted pod by SIGTERM", async () => {
    const script = "trap 'echo told to end; exit 0' TERM; echo ready; while true; do sleep 0.1; done"
    await run("patient", { args: ["sh", "-c", script] })
    await until("it runs", async () => (node.log(namespace, "patient").includes("ready") ? true : undefined))
    let log = ""
    await node.client.delete(`${pods}/patient`)
    await until(
      "it is gone",
      async () => {
        log = node.log(namespace, "patient") || log
        return (await node.client.find(`${pods}/patient`)) === undefined ? true : undefined
      },
      60_000,
      20
    )
    assert.include(log, "told to end")
  })

  it("starts what npm run build makes, with nothing else than Node in its image", async () => {
    await productImage(node, "kafka-backup.test/kafka-backup:1")
    await run("product", { image: "kafka-backup.test/kafka-backup:1", args: ["--version"] })
    const { exitCode } = await terminated("product")
    const log = node.log(namespace, "product")
    assert.strictEqual(exitCode, 0, log)
    assert.include(log, `kafka-backup ${version}`)
  })
})
