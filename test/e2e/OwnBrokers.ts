import { readFileSync } from "node:fs"
import * as Kafka from "../../scripts/services/Kafka.ts"
import { RememberingFleet } from "./RememberingFleet.ts"

/** How long a broker may take to stop or to boot: a busy machine needs many times the 3 to 7 s of an idle one. */
const patienceMillis = 180_000

/** Brokers of a cluster that one test file has for itself, because it ends them. Their controller stays. */
export const brokerIds = [1, 2, 3] as const
export type BrokerId = (typeof brokerIds)[number]

const nameOf = (id: BrokerId): string => `kafka3-${id}`

export class OwnBrokers {
  readonly #fleet: RememberingFleet
  /** Comma-separated `host:port` of the three brokers. */
  readonly bootstrap: string

  private constructor(fleet: RememberingFleet, bootstrap: string) {
    this.#fleet = fleet
    this.bootstrap = bootstrap
  }

  /** `classpath` is that of `services.java`, which has Kafka itself, too. */
  static async start(classpath: string): Promise<OwnBrokers> {
    const fleet = new RememberingFleet()
    try {
      const cluster = await Kafka.prepareCluster(fleet, { isControlledApart: true })
      Kafka.format(classpath, cluster.nodes)
      return new OwnBrokers(fleet, (await cluster.start(classpath)).bootstrap)
    } catch (error) {
      await fleet.stop()
      throw error
    }
  }

  /** As on a node that loses power. */
  async kill(id: BrokerId): Promise<void> {
    await this.#end(id, "SIGKILL")
  }

  /** As in a rolling restart: the broker hands its partitions over first. */
  async shutDown(id: BrokerId): Promise<void> {
    await this.#end(id, "SIGTERM")
  }

  /** With the same data, at the same port. */
  async startAgain(id: BrokerId): Promise<void> {
    const ups = (log: string) => log.split(Kafka.upMessage).length
    const { logFile } = this.#fleet.member(nameOf(id)).started
    const before = ups(readFileSync(logFile, "utf8"))
    await this.#fleet.startAgain(nameOf(id)).ready((log) => ups(log) > before, patienceMillis)
  }

  async stop(): Promise<void> {
    await this.#fleet.stop()
  }

  async #end(id: BrokerId, signal: NodeJS.Signals): Promise<void> {
    const { ended, pid } = this.#fleet.member(nameOf(id)).started
    process.kill(pid, signal)
    await ended
  }
}
