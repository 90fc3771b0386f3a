import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Install from "../../scripts/services/Install.ts"
import * as Ports from "../../scripts/services/Ports.ts"
import { root } from "../docs/repository.ts"
import * as Answer from "../harness/Answer.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { ProcessNode } from "../harness/ProcessNode.ts"
import { OwnControlPlane } from "./OwnControlPlane.ts"

const system = "kafka-backup-system"
const namespace = "kafka"
const image = "localhost/kafka-backup:quick-start"

/**
 * What kind gives to the quick start: an empty cluster that a shell's kubectl and helm speak to, and nodes whose pods
 * are processes of this checkout.
 */
export class QuickStartWorld {
  readonly apiserver: ApiServer
  readonly #plane: OwnControlPlane
  readonly #folder = mkdtempSync(join(tmpdir(), "kafka-backup-quick-start-"))
  readonly #helm: string
  readonly #port: number
  #node: ProcessNode | undefined

  private constructor(plane: OwnControlPlane, helm: string, port: number) {
    this.apiserver = plane.apiserver
    this.#plane = plane
    this.#helm = helm
    this.#port = port
  }

  static async make(): Promise<QuickStartWorld> {
    const [helm, [port = 0]] = [await Install.helm(), await Ports.free(1)]
    return new QuickStartWorld(await OwnControlPlane.start(), helm, port)
  }

  /** Executes commands as a shell does that stops at the first failure; gives what they print. */
  async shell(commands: string): Promise<string> {
    const { kubeconfig, kubectl } = this.apiserver
    const PATH = [dirname(kubectl), dirname(this.#helm), process.env["PATH"]].join(delimiter)
    const home = { HOME: this.#folder, HELM_CACHE_HOME: this.#folder, HELM_CONFIG_HOME: this.#folder }
    const child = spawn("bash", ["-euo", "pipefail", "-c", commands], {
      cwd: root,
      env: { ...process.env, ...home, HELM_DATA_HOME: this.#folder, KUBECONFIG: kubeconfig, PATH }
    })
    const { code, stderr, stdout } = await Answer.of(child)
    if (code === 0) return stdout
    const logs = this.#node?.pods.map(({ log, name }) => `${name}:\n${log.slice(-3000)}`).join("\n---\n")
    throw new Error(`${commands}ended with ${code}:\n${stderr}${stdout}\n${logs}`)
  }

  /** The node, and a volume for the claim `backups`, as kind's provisioner would make it. */
  async joinNode(): Promise<void> {
    this.#node = await ProcessNode.start(this.apiserver, {
      namespaces: [namespace, system],
      images: { [image]: [process.execPath, join(root, "src", "main.ts")] }
    })
    const folder = join(this.#folder, "backups")
    mkdirSync(folder)
    const volume = {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "backups" },
      spec: {
        accessModes: ["ReadWriteOnce"],
        capacity: { storage: "1Gi" },
        hostPath: { path: folder },
        claimRef: { namespace, name: "backups" }
      }
    }
    await Kubectl.succeed(this.apiserver, ["apply", "-f", "-"], JSON.stringify(volume))
  }

  /**
   * Options for `helm install` on such a node: one replica at a port of its own, and where the token of its account
   * lies, since a process has no file system of its own; by a path that is no mount's.
   */
  get installOptions(): string {
    const env = [{ name: "KUBECONFIG", value: `/proc/self/root${this.#kubeconfig}` }]
    return ` --set replicas=1 --set metrics.port=${this.#port} --set-json 'extraEnv=${JSON.stringify(env)}'\n`
  }

  get #kubeconfig(): string {
    return join(this.#folder, "operator.kubeconfig")
  }

  /** What a kubelet mounts into the operator's pod: the token of its account. */
  async giveToken(): Promise<void> {
    const { caPem, server } = this.apiserver
    const create = ["create", "token", "kafka-backup-operator", `--namespace=${system}`]
    const token = await Kubectl.succeed(this.apiserver, create)
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server, "certificate-authority": caPem } }],
      users: [{ name: "operator", user: { token: token.trim() } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "operator" } }],
      "current-context": "c"
    }
    writeFileSync(this.#kubeconfig, JSON.stringify(config), { mode: 0o600 })
  }

  async end(): Promise<void> {
    await this.#node?.stop()
    await this.#plane.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
