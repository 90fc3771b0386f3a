import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import type * as Kubelet from "../../scripts/services/Kubelet.ts"
import { ApiClient, type Json } from "./processnode/ApiClient.ts"
import * as NodeObject from "./processnode/NodeObject.ts"

/** The real node of `npm run services`, for the pods of some namespaces. Images have to be there: it pulls none. */
export class ContainerNode {
  readonly client: ApiClient
  readonly #node: Kubelet.ContainerNode
  readonly #namespaces: ReadonlyArray<string>

  private constructor(client: ApiClient, node: Kubelet.ContainerNode, namespaces: ReadonlyArray<string>) {
    this.client = client
    this.#node = node
    this.#namespaces = namespaces
  }

  /** All of the namespaces' pods on their way to it; namespaces are made when they are not there. */
  static async use(
    apiserver: ApiServer,
    node: Kubelet.ContainerNode,
    namespaces: ReadonlyArray<string>
  ): Promise<ContainerNode> {
    const client = new ApiClient(apiserver)
    for (const namespace of namespaces) await NodeObject.takeOver(client, node.node, namespace)
    return new ContainerNode(client, node, namespaces)
  }

  /** Gives the node the image of an archive. */
  load(archive: string): void {
    const [program = "", ...args] = this.#node.imports
    execFileSync(program, [...args, archive], { stdio: ["ignore", "ignore", "pipe"] })
  }

  /** Where pods find this machine. */
  async address(): Promise<string> {
    const { status } = await this.client.get(`/api/v1/nodes/${this.#node.node}`)
    return status.addresses.find(({ type }: Json) => type === "InternalIP").address
  }

  /** What a pod's containers wrote so far, each line behind its time and stream. */
  log(namespace: string, pod: string): string {
    return this.#logs(`${namespace}_${pod}_`)
  }

  /** The same of all pods of a namespace that are still there. */
  logs(namespace: string): string {
    return this.#logs(`${namespace}_`)
  }

  #logs(start: string): string {
    return readdirSync(this.#node.logs)
      .filter((name) => name.startsWith(start))
      .flatMap((pod) => {
        const folder = join(this.#node.logs, pod)
        return readdirSync(folder, { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith(".log"))
          .toSorted()
          .map((name) => readFileSync(join(folder, name), "utf8"))
      })
      .join("")
  }

  /** Gives the namespaces up. */
  async stop(): Promise<void> {
    for (const namespace of this.#namespaces) await NodeObject.giveUp(this.client, namespace)
    this.client.close()
  }
}
