import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import type { Json } from "../harness/processnode/ApiClient.ts"
import { ApiProxy, type Asked, type Fault, type Passed } from "./ApiProxy.ts"
import type { OperatorProcess } from "./operatorWorld.ts"
import { gist, QuickWorld } from "./QuickWorld.ts"

/** What is done to one request of a history. `kill` is of the operator, which is started again. */
export type Strike =
  | "kill before it is sent"
  | "kill after it is done"
  | "lose its answer"
  | "401"
  | "403"
  | "409"
  | "410"
  | "429"
  | "500"
  | "503"

export const strikes: ReadonlyArray<Strike> = [
  "kill before it is sent",
  "kill after it is done",
  "lose its answer",
  "409",
  "kill after it is done",
  "429",
  "kill before it is sent",
  "500",
  "410",
  "kill after it is done",
  "503",
  "401",
  "403"
]

const reasons = {
  "401": "Unauthorized",
  "403": "Forbidden",
  "409": "Conflict",
  "410": "Expired",
  "429": "TooManyRequests",
  "500": "InternalError",
  "503": "ServiceUnavailable"
} as const

const token = "again"

/** The tokens of a history's runs. */
export const tokens = [undefined, token] as const

export interface Told {
  readonly gist: Json
  readonly passed: ReadonlyArray<Passed>
  /** What the strike met. */
  readonly struck: Asked | undefined
}

/** A place where histories are played, one after the other: start of the operator, apply, run, trigger, run. */
export class Stage {
  readonly quick: QuickWorld
  readonly #proxy: ApiProxy

  private constructor(quick: QuickWorld, proxy: ApiProxy) {
    this.quick = quick
    this.#proxy = proxy
  }

  static async make(apiserver: ApiServer, namespace: string): Promise<Stage> {
    const [quick, proxy] = await Promise.all([QuickWorld.make(apiserver, namespace), ApiProxy.before(apiserver)])
    quick.world.writeKubeconfig(quick.world.token, proxy.address)
    return new Stage(quick, proxy)
  }

  /** Plays the history of a resource; the `nth` request meets `strike`. Throws when it does not come to its end. */
  async play(name: string, nth?: number, strike?: Strike): Promise<Told> {
    const { quick } = this
    let struck: Asked | undefined
    let operator: Promise<OperatorProcess>
    const launch = () => quick.world.launch(name, "--no-leader-election")
    const again = async () => {
      await (await operator).kill()
      operator = launch()
    }
    this.#proxy.begin((asked) => {
      if (strike === undefined || nth === undefined || asked.nth < nth || struck !== undefined) return undefined
      const isRead = asked.method === "GET"
      if (strike === "410" && !isRead) return undefined
      struck = asked
      return faultOf(strike, again)
    })
    operator = launch()
    await quick.create(name)
    await quick.served(name, 1)
    await quick.trigger(name, token)
    const status = await quick.served(name, 2)
    await (await operator).kill()
    return { gist: gist(status), passed: this.#proxy.passed, struck }
  }

  async end(): Promise<void> {
    await this.quick.end()
    await this.#proxy[Symbol.asyncDispose]()
  }
}

const faultOf = (strike: Strike, kill: () => Promise<void>): Fault => {
  switch (strike) {
    case "kill before it is sent":
      return { _tag: "Before", work: kill }
    case "kill after it is done":
      return { _tag: "After", work: kill }
    case "lose its answer":
      return { _tag: "After", work: async () => {} }
    default:
      return {
        _tag: "Answer",
        status: Number(strike),
        reason: reasons[strike],
        ...(strike === "429" ? { retryAfter: 1 } : {})
      }
  }
}
