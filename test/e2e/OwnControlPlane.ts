import { type ApiServer, start } from "../../scripts/services/ControlPlane.ts"
import { accepts, Fleet, isAlive, type Started, type Surroundings } from "../../scripts/services/Fleet.ts"
import * as Install from "../../scripts/services/Install.ts"

/** How a member of the fleet was started, so that it can be again. */
interface Member {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  started: Started
}

class RememberingFleet extends Fleet {
  readonly members = new Map<string, Member>()

  override start(
    name: string,
    program: string,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>> = {},
    surroundings: Surroundings = {}
  ): Started {
    const started = super.start(name, program, args, env, surroundings)
    this.members.set(name, { program, args, env, started })
    return started
  }
}

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
    const { started } = this.#member("kube-apiserver")
    process.kill(started.pid, "SIGKILL")
    await started.ended
  }

  /** With the same flags, at the same port. */
  async startApiServer(): Promise<void> {
    const { args, env, program } = this.#member("kube-apiserver")
    const again = this.#fleet.start("kube-apiserver", program, args, env)
    const port = Number(new URL(this.apiserver.server).port)
    await again.ready(() => accepts("127.0.0.1", port), 120_000)
  }

  /** As with a disk that hangs: connections stand and nothing is answered, until `thawEtcd`. */
  freezeEtcd(): void {
    process.kill(this.#member("etcd").started.pid, "SIGSTOP")
  }

  thawEtcd(): void {
    const { pid } = this.#member("etcd").started
    if (isAlive(pid)) process.kill(pid, "SIGCONT")
  }

  async stop(): Promise<void> {
    this.thawEtcd()
    await this.#fleet.stop()
  }

  #member(name: string): Member {
    const found = this.#fleet.members.get(name)
    if (found === undefined) throw new Error(`no ${name} was started`)
    return found
  }
}
