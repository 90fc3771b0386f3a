import { type ApiServer, start } from "../../scripts/services/ControlPlane.ts"
import { accepts, isAlive } from "../../scripts/services/Fleet.ts"
import * as Install from "../../scripts/services/Install.ts"
import { RememberingFleet } from "./RememberingFleet.ts"

/** A control plane that one test file has for itself, because it breaks it. */
export class OwnControlPlane {
  readonly #fleet: RememberingFleet
  readonly apiserver: ApiServer

  private constructor(fleet: RememberingFleet, apiserver: ApiServer) {
    this.#fleet = fleet
    this.apiserver = apiserver
  }

  static async start(): Promise<OwnControlPlane> {
    const programs = await Install.controlPlane()
    const fleet = new RememberingFleet()
    try {
      return new OwnControlPlane(fleet, await start(fleet, programs))
    } catch (error) {
      await fleet.stop()
      throw error
    }
  }

  /** kube-apiserver as on a node that loses power. */
  async killApiServer(): Promise<void> {
    const { started } = this.#fleet.member("kube-apiserver")
    process.kill(started.pid, "SIGKILL")
    await started.ended
  }

  /** With the same flags, at the same port. */
  async startApiServer(): Promise<void> {
    const again = this.#fleet.startAgain("kube-apiserver")
    const port = Number(new URL(this.apiserver.server).port)
    await again.ready(() => accepts("127.0.0.1", port), 120_000)
  }

  /** As with a disk that hangs: connections stand and nothing is answered, until `thawEtcd`. */
  freezeEtcd(): void {
    process.kill(this.#fleet.member("etcd").started.pid, "SIGSTOP")
  }

  thawEtcd(): void {
    const { pid } = this.#fleet.member("etcd").started
    if (isAlive(pid)) process.kill(pid, "SIGCONT")
  }

  async stop(): Promise<void> {
    this.thawEtcd()
    await this.#fleet.stop()
  }
}
