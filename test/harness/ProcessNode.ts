import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import { Fleet } from "../../scripts/services/Fleet.ts"
import { ApiClient, ApiRefusal, type Json, until, type WatchEvent } from "./processnode/ApiClient.ts"
import * as HostVolume from "./processnode/HostVolume.ts"
import { LogServer } from "./processnode/LogServer.ts"
import * as NodeObject from "./processnode/NodeObject.ts"
import { PodProcess } from "./processnode/PodProcess.ts"

/*
 * A node of the cluster whose pods are processes of this machine: no containers, no images, no root, and yet real
 * schedulers, Job controllers, exit codes and signals. What differs from a kubelet:
 *
 * - Only the first container of a pod runs; probes, init containers and resource limits are not there.
 * - There is no file system of its own: paths of volumes and of the termination message are translated wherever
 *   arguments and variables mention them, but not inside files. The folder above a mount is known where that is called
 *   the same here as in the container. Read-only mounts and users are not enforced.
 * - A process is not number 1 of anything: without a handler, SIGTERM ends it.
 * - What the kubelet retries after ten seconds or a minute is retried after one.
 */

export interface Options {
  /** Those whose pods come here, and no other's; made when they are not there. */
  readonly namespaces: ReadonlyArray<string>
  /** What an image starts, to which the container's `args` are added; a container's `command` stands in for it. */
  readonly images: Readonly<Record<string, ReadonlyArray<string>>>
  /** For node selectors of pods. */
  readonly labels?: Readonly<Record<string, string>>
}

/** Which pod is meant. */
export interface Which {
  readonly job?: string
  readonly name?: string
  readonly namespace?: string
}

const heartbeatMillis = 10_000

export class ProcessNode {
  readonly name = `process-${crypto.randomUUID().slice(0, 8)}`
  /** What images start; tests may add to it. */
  readonly images: Map<string, ReadonlyArray<string>>
  /** The API server, for what else a test has to ask. */
  readonly client: ApiClient
  readonly #fleet = new Fleet()
  readonly #pods = new Map<string, PodProcess>()
  readonly #lives = new Set<Promise<void>>()
  readonly #end = new AbortController()
  readonly #errors: Array<unknown> = []
  /** Second and third part of the addresses of its pods. */
  readonly #network = [100 + Math.floor(Math.random() * 150), Math.floor(Math.random() * 256)]
  #addresses = 0
  #logs: LogServer | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #watching: Promise<void> = Promise.resolve()
  readonly namespaces: ReadonlyArray<string>

  private constructor(apiserver: ApiServer, { images, namespaces }: Options) {
    this.client = new ApiClient(apiserver)
    this.images = new Map(Object.entries(images))
    this.namespaces = namespaces
  }

  /** A node that is ready, and all of the namespaces' pods on their way to it. */
  static async start(apiserver: ApiServer, options: Options): Promise<ProcessNode> {
    const node = new ProcessNode(apiserver, options)
    try {
      const logs = await LogServer.start((namespace, name) => node.find({ namespace, name }))
      node.#logs = logs
      await NodeObject.register(node.client, node.name, options.labels ?? {}, logs.port)
      node.#beat()
      node.#watching = node.#watch()
      for (const namespace of options.namespaces) await NodeObject.takeOver(node.client, node.name, namespace)
    } catch (error) {
      await node.stop()
      throw error
    }
    return node
  }

  /** All pods that were ever bound here, oldest first. */
  get pods(): ReadonlyArray<PodProcess> {
    return [...this.#pods.values()]
  }

  /** Those whose process runs now. */
  get running(): ReadonlyArray<PodProcess> {
    return this.pods.filter(({ isRunning }) => isRunning)
  }

  /** The newest pod that is meant, if any was bound here. */
  find(which: Which): PodProcess | undefined {
    return this.pods.findLast((pod) => isMeant(pod, which))
  }

  /** Waits for a process that is meant and runs. */
  started(which: Which, withinMillis?: number): Promise<PodProcess> {
    const find = async () => this.running.findLast((pod) => isMeant(pod, which))
    return until(`a process of ${JSON.stringify(which)} on ${this.name}`, find, withinMillis)
  }

  /**
   * Makes a folder a claim of a namespace, bound to a volume of its own. Call it as its mount path ends (`backups` for
   * `/volumes/backups`), so that arguments can name the folder above.
   */
  async provide(namespace: string, claim: string, folder: string): Promise<void> {
    const name = `${this.name}-${namespace}-${claim}`
    await HostVolume.provide(this.client, { name, labels: { [volumeLabel]: this.name }, namespace, claim, folder })
  }

  /**
   * Ends the processes, gives the namespaces up and takes the node away. Throws when the node itself went wrong before.
   */
  async stop(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#end.abort()
    await this.#watching
    for (const pod of this.#pods.values()) pod.gone()
    await Promise.all(this.#lives)
    for (const namespace of this.namespaces) await NodeObject.giveUp(this.client, namespace)
    await NodeObject.removePods(this.client, this.name).catch((error: unknown) => this.#errors.push(error))
    for (const { metadata } of await this.client.list(
      `/api/v1/persistentvolumes?labelSelector=${volumeLabel}=${this.name}`
    )) {
      await this.client.delete(`/api/v1/persistentvolumes/${metadata.name}`)
    }
    await NodeObject.unregister(this.client, this.name)
    await this.#logs?.stop()
    await this.#fleet.stop()
    this.client.close()
    if (this.#errors.length > 0)
      throw new AggregateError(this.#errors, `${this.name} went wrong: ${this.#errors.join("; ")}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #beat(): void {
    this.#heartbeat = setInterval(() => {
      NodeObject.renew(this.client, this.name).catch((error: unknown) => this.#report(error))
    }, heartbeatMillis)
  }

  #report(error: unknown): void {
    if (!this.#end.signal.aborted) this.#errors.push(error)
  }

  /** Pods bound here, as they come, change and go, until `stop`. */
  async #watch(): Promise<void> {
    const here = `/api/v1/pods?fieldSelector=spec.nodeName=${this.name}`
    while (!this.#end.signal.aborted) {
      try {
        const { items, metadata } = await this.client.get(here)
        const present = new Set(items.map((pod: Json) => pod["metadata"].uid))
        for (const pod of items) this.#see(pod)
        for (const [uid, pod] of this.#pods) if (!present.has(uid)) pod.gone()
        // For a limited time: the next list finds changes that the watch has missed.
        const since = `${here}&watch=true&timeoutSeconds=30&resourceVersion=${metadata.resourceVersion}`
        await this.client.watch(since, this.#end.signal, (event) => this.#hear(event))
      } catch (error) {
        if (this.#end.signal.aborted) return
        // The resourceVersion has expired: list again.
        if (!(error instanceof ApiRefusal && error.status === 410)) this.#report(error)
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    }
  }

  #hear({ object, type }: WatchEvent): void {
    if (type === "ERROR") throw new ApiRefusal("watch of pods", object["code"], object)
    if (type === "DELETED") this.#pods.get(object["metadata"].uid)?.gone()
    else this.#see(object)
  }

  #see(pod: Json): void {
    const { uid } = pod["metadata"]
    const known = this.#pods.get(uid)
    if (known !== undefined) return known.changed(pod)
    const address = `127.${this.#network.join(".")}.${2 + (this.#addresses++ % 250)}`
    const report = (error: unknown) => this.#report(error)
    const world = { client: this.client, fleet: this.#fleet, nodeName: this.name, images: this.images, report }
    const process = new PodProcess(world, pod, address)
    this.#pods.set(uid, process)
    const life = process.live().catch(report)
    this.#lives.add(life)
    void life.then(() => this.#lives.delete(life))
  }
}

const volumeLabel = "kafka-backup.test/made-by"

const isMeant = (pod: PodProcess, { job, name, namespace }: Which): boolean =>
  (job === undefined || pod.labels["batch.kubernetes.io/job-name"] === job) &&
  (name === undefined || pod.name === name) &&
  (namespace === undefined || pod.namespace === namespace)
