import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseAllDocuments, stringify } from "yaml"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { ProcessNode } from "../harness/ProcessNode.ts"
import { ClusterNamespace } from "./ClusterNamespace.ts"

/*
 * The operator as it is installed: its manifests on a real control plane, its process logged in as its ServiceAccount
 * with the rights of its role and no others, and its Jobs' pods as processes of a node.
 */

const root = fileURLToPath(new URL("../../", import.meta.url))
const main = join(root, "src", "main.ts")
/** What the node runs for it is this checkout. */
export const image = "kafka-backup:e2e"
/** The image that deploy/base names. */
const published = "ghcr.io/kafka-backup-operator/kafka-backup:0.1.0"
const systemNamespace = "kafka-backup-system"

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

interface Manifest {
  readonly kind: string
}

/** One operator process. */
export class OperatorProcess {
  #log = ""
  readonly ended: Promise<number | null>
  readonly process: ChildProcess
  readonly address: string

  constructor(process: ChildProcess, address: string) {
    this.process = process
    this.address = address
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#log += chunk.toString()))
    }
    this.ended = new Promise((resolve) => process.once("close", (code) => resolve(code)))
  }

  get log(): string {
    return this.#log
  }

  /** As a node that is lost, or a pod that runs out of memory. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL")
    await this.ended
  }

  /** As `kubectl rollout` does; gives the exit code. */
  stop(): Promise<number | null> {
    this.process.kill("SIGTERM")
    return this.ended
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.address}${path}`)
    return { status: response.status, text: await response.text() }
  }

  /** The value of a series, by the text before its value. */
  async metric(series: string): Promise<number | undefined> {
    const { text } = await this.get("/metrics")
    const line = text.split("\n").find((one) => one.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  }
}

export class OperatorWorld extends ClusterNamespace {
  readonly #processes: Array<OperatorProcess> = []
  readonly node: ProcessNode
  /** Of the operator's ServiceAccount. */
  readonly kubeconfig: string
  readonly token: string
  readonly folder: string

  private constructor(apiserver: ApiServer, namespace: string, node: ProcessNode, folder: string, token: string) {
    super(apiserver, namespace)
    this.node = node
    this.folder = folder
    this.token = token
    this.kubeconfig = join(folder, "operator.kubeconfig")
  }

  /** Installs what deploy/ has but the Deployment, and makes a namespace with a node and the claim `backups`. */
  static async make(apiserver: ApiServer, namespace: string): Promise<OperatorWorld> {
    const folder = mkdtempSync(join(tmpdir(), "kafka-backup-operator-"))
    const kubectl = (args: ReadonlyArray<string>, input?: string) => Kubectl.succeed(apiserver, args, input)
    const rendered = await kubectl([
      "kustomize",
      join(root, "deploy", "overlays", "cluster-wide"),
      "--load-restrictor=LoadRestrictionsNone"
    ])
    // Under the admission policies, too, which allow one image.
    const wanted = parseAllDocuments(rendered.replaceAll(published, image))
      .map((document) => document.toJS() as Manifest)
      .filter(({ kind }) => kind !== "Deployment")
    await kubectl(
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      wanted.map((one) => stringify(one)).join("---\n")
    )
    // A definition has no conditions at all in its first moments, which kubectl wait takes for an error.
    for (let attempt = 0; attempt < 60; attempt++) {
      const isThere = await Kubectl.run(apiserver, ["get", "kafkabackups", "-n", namespace])
      if (isThere.code === 0) break
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    const token = (
      await kubectl(["create", "token", "kafka-backup-operator", `--namespace=${systemNamespace}`, "--duration=4h"])
    ).trim()
    const node = await ProcessNode.start(apiserver, {
      namespaces: [namespace],
      images: { [image]: [process.execPath, main] }
    })
    const volume = join(folder, "backups")
    mkdirSync(volume, { recursive: true })
    await node.provide(namespace, "backups", volume)
    const world = new OperatorWorld(apiserver, namespace, node, folder, token)
    world.writeKubeconfig(token)
    return world
  }

  writeKubeconfig(token: string, server = this.apiserver.server): void {
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server, "certificate-authority": this.apiserver.caPem } }],
      users: [{ name: "operator", user: { token } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "operator" } }],
      "current-context": "c"
    }
    writeFileSync(this.kubeconfig, JSON.stringify(config), { mode: 0o600 })
  }

  /** Starts an operator for the namespace alone; gives it once it answers. */
  async start(name: string, ...more: ReadonlyArray<string>): Promise<OperatorProcess> {
    const started = await this.launch(name, ...more)
    await this.until(`operator ${name} answers`, async () => {
      const { exitCode } = started.process
      if (exitCode !== null) throw new Error(`operator ${name} ended:\n${started.log}`)
      return (await started.get("/healthz").catch(() => undefined))?.status === 200
    })
    return started
  }

  /** As `start`, and does not wait for it. */
  async launch(name: string, ...more: ReadonlyArray<string>): Promise<OperatorProcess> {
    const port = await freePort()
    const args = [
      "operator",
      `--image=${image}`,
      `--listen=127.0.0.1:${port}`,
      `--namespace=${systemNamespace}`,
      `--identity=${name}`,
      `--watch-namespace=${this.namespace}`,
      ...more
    ]
    const child = spawn(process.execPath, [main, ...args], {
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
      stdio: ["ignore", "pipe", "pipe"]
    })
    const started = new OperatorProcess(child, `http://127.0.0.1:${port}`)
    this.#processes.push(started)
    return started
  }

  protected override logs(): string {
    return this.#processes.map(({ log }) => log.slice(-4000)).join("\n---\n")
  }

  /** Folders of sets on the claim, below a sub-path. */
  sets(subPath: string): ReadonlyArray<string> {
    try {
      return readdirSync(join(this.folder, "backups", subPath)).filter((name) => !/^[._]/.test(name))
    } catch {
      return []
    }
  }

  read(subPath: string, file: string): string {
    return readFileSync(join(this.folder, "backups", subPath, file), "utf8")
  }

  async end(): Promise<void> {
    for (const { process } of this.#processes) process.kill("SIGKILL")
    await Promise.all(this.#processes.map(({ ended }) => ended))
    await Kubectl.run(this.apiserver, [
      "delete",
      "kafkabackups",
      "--all",
      `--namespace=${this.namespace}`,
      "--wait=false"
    ])
    await Kubectl.run(this.apiserver, ["delete", "namespace", this.namespace, "--wait=false"])
    await this.node.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
