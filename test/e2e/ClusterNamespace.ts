import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Kubectl from "../harness/Kubectl.ts"

/** A namespace of a real cluster, as somebody with kubectl sees it. */
export class ClusterNamespace {
  readonly apiserver: ApiServer
  readonly namespace: string

  constructor(apiserver: ApiServer, namespace: string) {
    this.apiserver = apiserver
    this.namespace = namespace
  }

  /** What helps to understand why something did not happen. */
  protected logs(): string {
    return ""
  }

  /** What a user types, in the namespace. */
  kubectl(...args: ReadonlyArray<string>): Promise<string> {
    return Kubectl.succeed(this.apiserver, [...args, `--namespace=${this.namespace}`])
  }

  apply(manifest: object): Promise<string> {
    return Kubectl.succeed(
      this.apiserver,
      ["apply", `--namespace=${this.namespace}`, "-f", "-"],
      JSON.stringify(manifest)
    )
  }

  async json(...args: ReadonlyArray<string>): Promise<any> {
    return JSON.parse(await this.kubectl("get", ...args, "-o", "json"))
  }

  async status(name: string): Promise<any> {
    return (await this.json("kafkabackup", name)).status ?? {}
  }

  /** Waits, looking twice a second. */
  async until(what: string, isDone: () => Promise<boolean>, seconds = 120): Promise<void> {
    const since = performance.now()
    while (performance.now() - since < seconds * 1000) {
      if (await isDone()) return
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    throw new Error(`still not after ${seconds} s: ${what}\n${this.logs()}`)
  }

  /** Waits until the status is as wanted; gives it. */
  async settled(name: string, what: string, isWanted: (status: any) => boolean, seconds = 120): Promise<any> {
    let last: unknown
    await this.until(
      `${name}: ${what}`,
      async () => {
        last = await this.status(name)
        return isWanted(last)
      },
      seconds
    ).catch((error: Error) => {
      throw new Error(`${error.message}\nlast status: ${JSON.stringify(last, null, 2)}`)
    })
    return last
  }
}
