import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseAllDocuments } from "yaml"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Ports from "../../scripts/services/Ports.ts"
import * as Helm from "../harness/Helm.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import type { Json } from "../harness/processnode/ApiClient.ts"
import { ProcessNode } from "../harness/ProcessNode.ts"
import { ClusterNamespace } from "./ClusterNamespace.ts"

/*
 * The operator as Helm installs it: a Deployment whose pods, and those of Jobs, are processes of a node. Processes have
 * no file system of their own, so KUBECONFIG tells the operator where the token of its account lies.
 */

const root = fileURLToPath(new URL("../../", import.meta.url))
const chart = join(root, "deploy", "helm", "kafka-backup-operator")
const release = "kafka-backup-operator"
const repository = "kafka-backup.test/kafka-backup"

/** The image of the operator and its Jobs; what the node runs for it is this checkout. */
const image = `${repository}:e2e`

export class HelmWorld extends ClusterNamespace {
  readonly system: string
  readonly node: ProcessNode
  readonly folder: string
  readonly #kubeconfig: string
  readonly #ports: ReadonlyArray<number>

  private constructor(apiserver: ApiServer, namespace: string, node: ProcessNode, ports: ReadonlyArray<number>) {
    super(apiserver, namespace)
    this.system = `${namespace}-system`
    this.node = node
    this.folder = mkdtempSync(join(tmpdir(), "kafka-backup-helm-"))
    this.#kubeconfig = join(this.folder, "operator.kubeconfig")
    this.#ports = ports
  }

  /** The two namespaces, a node, the claim `backups`, and the operator's account with its token. */
  static async make(apiserver: ApiServer, namespace: string): Promise<HelmWorld> {
    const main = join(root, "src", "main.ts")
    const node = await ProcessNode.start(apiserver, {
      namespaces: [namespace, `${namespace}-system`],
      images: { [image]: [process.execPath, main] }
    })
    const world = new HelmWorld(apiserver, namespace, node, await Ports.free(2))
    const volume = join(world.folder, "backups")
    mkdirSync(volume)
    await node.provide(namespace, "backups", volume)
    await Kubectl.succeed(apiserver, ["create", "serviceaccount", release, `--namespace=${world.system}`])
    const token = await Kubectl.succeed(apiserver, ["create", "token", release, `--namespace=${world.system}`])
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: apiserver.server, "certificate-authority": apiserver.caPem } }],
      users: [{ name: "operator", user: { token: token.trim() } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "operator" } }],
      "current-context": "c"
    }
    writeFileSync(world.#kubeconfig, JSON.stringify(config), { mode: 0o600 })
    return world
  }

  /** By a path that is no mount's: the node would take one below /tmp for the pod's own. */
  get #reachable(): ReadonlyArray<Json> {
    return [{ name: "KUBECONFIG", value: `/proc/self/root${this.#kubeconfig}` }]
  }

  /** What kustomize installed before there was a chart, with one replica. */
  async installEarlier(): Promise<void> {
    for (const name of readdirSync(join(root, "crds")).filter((name) => name.startsWith("kafka"))) {
      await Kubectl.succeed(this.apiserver, [
        "apply",
        "--server-side",
        "--force-conflicts",
        "-f",
        join(root, "crds", name)
      ])
    }
    await Kubectl.established(this.apiserver, "crd/kafkabackups.kafka.oso.sh")
    const text = readFileSync(join(root, "test", "e2e", "installed-0.1.yaml"), "utf8")
      .replaceAll("kafka-backup-system", this.system)
      .replaceAll(/^( *namespace:|.* value:) kafka-backup$/gmu, `$1 ${this.namespace}`)
      .replaceAll(/ghcr\.io\/\S+/gu, image)
      .replace("--listen=:8080", `--listen=:${this.#ports[0]}`)
      .replace("replicas: 2", "replicas: 1")
    const items = parseAllDocuments(text).map((document) => document.toJS() as any)
    const { spec } = items.find(({ kind }) => kind === "Deployment")
    spec.template.spec.containers[0].env.push(...this.#reachable)
    await Kubectl.succeed(
      this.apiserver,
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items })
    )
    await this.rolledOut()
  }

  /** Takes over what kustomize has installed, with the values of one namespace and another port: made anew for that. */
  async takeOver(): Promise<void> {
    const old = ["delete", "deployment,service", release, `--namespace=${this.system}`]
    await Kubectl.succeed(this.apiserver, old)
    const values = {
      "image.repository": repository,
      "image.tag": "e2e",
      replicas: 1,
      "watch.scope": "Namespaces",
      "watch.namespaces": [this.namespace],
      "metrics.port": this.#ports[1],
      extraEnv: this.#reachable
    }
    const options = Object.entries(values).flatMap(([path, value]) => [
      "--set-json",
      `${path}=${JSON.stringify(value)}`
    ])
    await this.helm("upgrade", "--install", release, chart, "--take-ownership", "--force-conflicts", ...options)
    await this.rolledOut()
  }

  helm(...args: ReadonlyArray<string>): Promise<string> {
    return Helm.succeed(this.apiserver, [...args, `--namespace=${this.system}`])
  }

  async rolledOut(): Promise<void> {
    const status = ["rollout", "status", `deployment/${release}`, `--namespace=${this.system}`, "--timeout=90s"]
    await Kubectl.succeed(this.apiserver, status).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.logs()}`)
    })
  }

  /** The newest pod of a resource's Job, as a process. */
  async running(resource: string) {
    const [job] = (await this.json("jobs", "-l", `kafka.oso.sh/name=${resource}`)).items
    return { job, pod: await this.node.started({ job: job.metadata.name }) }
  }

  protected override logs(): string {
    return this.node.pods.map(({ log, name }) => `${name}:\n${log.slice(-4000)}`).join("\n---\n")
  }

  async end(): Promise<void> {
    const { apiserver, namespace, system } = this
    await Helm.run(apiserver, ["uninstall", release, `--namespace=${system}`, "--ignore-not-found"])
    await Kubectl.run(apiserver, ["delete", "kafkabackups", "--all", `--namespace=${namespace}`, "--wait=false"])
    await Kubectl.run(apiserver, ["delete", "namespace", namespace, system, "--wait=false"])
    await this.node.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
