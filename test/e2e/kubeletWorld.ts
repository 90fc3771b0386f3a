import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import { Fleet } from "../../scripts/services/Fleet.ts"
import * as Kafka from "../../scripts/services/Kafka.ts"
import type * as Kubelet from "../../scripts/services/Kubelet.ts"
import { defaultUser } from "../../src/operator/jobs/JobSettings.ts"
import { ContainerNode } from "../harness/ContainerNode.ts"
import { Forwarder } from "../harness/Forwarder.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import * as HostVolume from "../harness/processnode/HostVolume.ts"
import { productImage } from "../harness/productImage.ts"
import { ClusterNamespace } from "./ClusterNamespace.ts"
import * as PodOperatorManifests from "./PodOperatorManifests.ts"

/*
 * The operator as pods of a real node, installed by `kubectl apply -k` from the image that scripts/image.ts makes, and
 * its Jobs beside it. Brokers and API server are reached at the node's address, where pods' network ends.
 */

const image = "kafka-backup.test/kafka-backup:e2e"

const deployment = "deployment/kafka-backup-operator"

/** One that the NetworkPolicy of deploy/ lets the operator reach. */
const apiPort = 6443

export class KubeletWorld extends ClusterNamespace {
  readonly systemNamespace: string
  readonly folder = mkdtempSync(join(tmpdir(), "kafka-backup-kubelet-"))
  readonly #fleet = new Fleet()
  #node: ContainerNode | undefined
  #forwarder: Forwarder | undefined
  #java: JavaKafka | undefined
  #bootstrap = ""

  private constructor(apiserver: ApiServer, namespace: string) {
    super(apiserver, namespace)
    this.systemNamespace = `${namespace}-system`
  }

  /** Both namespaces enforce the restricted standard. The claim `backups` is there. */
  static async make(
    apiserver: ApiServer,
    kubelet: Kubelet.ContainerNode,
    classpath: string,
    namespace: string
  ): Promise<KubeletWorld> {
    const world = new KubeletWorld(apiserver, namespace)
    try {
      await world.#begin(kubelet, classpath)
      return world
    } catch (error) {
      await world.end()
      throw error
    }
  }

  get node(): ContainerNode {
    return this.#node!
  }

  /** Of a broker that pods reach, and its Java client. */
  get bootstrap(): string {
    return this.#bootstrap
  }

  get java(): JavaKafka {
    return this.#java!
  }

  async #begin(kubelet: Kubelet.ContainerNode, classpath: string): Promise<void> {
    const node = await ContainerNode.use(this.apiserver, kubelet, [this.namespace, this.systemNamespace])
    this.#node = node
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" }
    await node.client.patch(`/api/v1/namespaces/${this.namespace}`, { metadata: { labels } })
    const address = await node.address()
    const { hostname: host, port } = new URL(this.apiserver.server)
    this.#forwarder = await Forwarder.start({ host: address, port: apiPort }, { host, port: Number(port) })
    await Promise.all([this.#startKafka(classpath, address), productImage(node, image), this.#makeVolume()])
    await this.#install(address)
  }

  async #startKafka(classpath: string, address: string): Promise<void> {
    const broker = await Kafka.prepareAt(this.#fleet, address)
    Kafka.format(classpath, broker.nodes)
    this.#bootstrap = (await broker.start(classpath)).plaintext
    this.#java = await JavaKafka.start({ classpath, bootstrap: this.#bootstrap })
  }

  async #makeVolume(): Promise<void> {
    const folder = join(this.folder, "backups")
    mkdirSync(folder)
    // No kubelet changes whose a hostPath is.
    chownSync(folder, defaultUser, defaultUser)
    await HostVolume.provide(this.node.client, {
      name: this.namespace,
      namespace: this.namespace,
      claim: "backups",
      folder
    })
  }

  async #install(address: string): Promise<void> {
    const manifests = PodOperatorManifests.write({
      folder: join(this.folder, "install"),
      image,
      systemNamespace: this.systemNamespace,
      watchedNamespace: this.namespace,
      apiserver: { address, port: apiPort }
    })
    await Kubectl.succeed(this.apiserver, ["apply", "--server-side", "--force-conflicts", "-k", manifests])
    await this.#rolledOut()
  }

  /** Waits until the operator's pods are as the Deployment says. */
  async #rolledOut(): Promise<void> {
    await this.system("rollout", "status", deployment, "--timeout=120s").catch(async (error: Error) => {
      throw new Error(`${error.message}\n${await this.system("get", "events,pods")}\n${this.logs()}`)
    })
  }

  /** What an administrator types, in the operator's namespace. */
  system(...args: ReadonlyArray<string>): Promise<string> {
    return Kubectl.succeed(this.apiserver, [...args, `--namespace=${this.systemNamespace}`])
  }

  /** The operator's pods. */
  async operators(): Promise<ReadonlyArray<any>> {
    return JSON.parse(await this.system("get", "pods", "-o", "json")).items
  }

  /** Has Jobs use an image that the node does not have and may not pull, as somebody who mistypes its name. */
  async misnameImage(missing: string): Promise<void> {
    const { spec } = JSON.parse(await this.system("get", deployment, "-o", "json"))
    const [{ args, name }] = spec.template.spec.containers
    const container = {
      name,
      args: [...args, "--image-pull-policy=Never"],
      env: [{ name: "IMAGE_OF_JOBS", value: missing }]
    }
    const patch = { spec: { template: { spec: { containers: [container] } } } }
    await this.system("patch", deployment, "--patch", JSON.stringify(patch))
    await this.#rolledOut()
  }

  /** Pods of a resource's Jobs, oldest first. */
  async pods(resource: string): Promise<ReadonlyArray<any>> {
    return (await this.json("pods", "-l", `kafka.oso.sh/name=${resource}`, "--sort-by=.metadata.creationTimestamp"))
      .items
  }

  /** How a pod was last seen before it was gone. */
  async lastOf(pod: any): Promise<any> {
    const { name, resourceVersion } = pod.metadata
    const only = `fieldSelector=metadata.name=${name}&resourceVersion=${resourceVersion}&timeoutSeconds=90`
    const gone = new AbortController()
    let last = pod
    await this.node.client.watch(
      `/api/v1/namespaces/${this.namespace}/pods?watch=true&${only}`,
      gone.signal,
      (event) => {
        last = event.object
        if (event.type === "DELETED") gone.abort()
      }
    )
    return last
  }

  protected override logs(): string {
    return this.#node === undefined
      ? ""
      : [this.systemNamespace, this.namespace]
          .map((namespace) => this.node.logs(namespace).slice(-6000))
          .join("\n---\n")
  }

  /** Folders of sets on the claim, below a sub-path. */
  sets(subPath: string): ReadonlyArray<string> {
    return readdirSync(join(this.folder, "backups", subPath)).filter((name) => !/^[._]/.test(name))
  }

  async end(): Promise<void> {
    await Kubectl.run(this.apiserver, ["delete", "kafkabackups", "--all", `--namespace=${this.namespace}`])
    const namespaces = [this.namespace, this.systemNamespace]
    await Kubectl.run(this.apiserver, ["delete", "namespace", ...namespaces, "--timeout=60s", "--ignore-not-found"])
    await this.#node?.client.delete(`/api/v1/persistentvolumes/${this.namespace}`)
    await this.#node?.stop()
    await this.#forwarder?.stop()
    await this.#java?.close()
    await this.#fleet.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
