import { assert } from "vitest"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import type { Json } from "../harness/processnode/ApiClient.ts"
import { OperatorWorld } from "./operatorWorld.ts"

const program = fileURLToPath(new URL("quickRun.ts", import.meta.url))

/** One start of a run's pod. */
export interface Start {
  readonly name: string
  readonly command: string
  readonly slot: string
  readonly trigger?: string
}

export const successes = (status: Json): ReadonlyArray<Json> =>
  (status["backupHistory"] ?? []).filter(({ outcome }: Json) => outcome === "success")

export const isQuiet = (status: Json): boolean => status["activeRun"] === undefined

/** What a status says, without names, times and versions: equal for histories that should be told alike. */
export const gist = (status: Json): Json => ({
  phase: status["phase"],
  handledTrigger: status["handledTrigger"],
  pendingTrigger: status["pendingTrigger"],
  activeRun: status["activeRun"],
  skippedSlots: status["skippedSlots"],
  records: status["lastBackupRecords"],
  history: (status["backupHistory"] ?? []).map(({ cause, outcome, reason, records }: Json) => ({
    cause,
    outcome,
    reason,
    records
  })),
  conditions: (status["conditions"] ?? []).map(({ reason, status, type }: Json) => `${type}=${status} ${reason}`)
})

/** An OperatorWorld whose runs end at once and back nothing up, and that is asked without kubectl. */
export class QuickWorld {
  readonly world: OperatorWorld
  readonly #journal: string

  private constructor(world: OperatorWorld) {
    this.world = world
    this.#journal = join(world.folder, "journal")
    writeFileSync(this.#journal, "")
    for (const image of world.node.images.keys()) {
      world.node.images.set(image, [process.execPath, program, this.#journal])
    }
  }

  static async make(apiserver: ApiServer, namespace: string): Promise<QuickWorld> {
    return new QuickWorld(await OperatorWorld.make(apiserver, namespace))
  }

  async create(name: string, spec: Json = {}): Promise<void> {
    await this.world.node.client.create(this.#resources, {
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        kafkaCluster: { bootstrapServers: ["nowhere:9092"] },
        topics: ["any"],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
        ...spec
      }
    })
  }

  async annotate(name: string, annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.world.node.client.patch(`${this.#resources}/${name}`, { metadata: { annotations } })
  }

  trigger(name: string, token: string): Promise<void> {
    return this.annotate(name, { "kafka.oso.sh/trigger-backup": token })
  }

  async status(name: string): Promise<Json> {
    return (await this.world.node.client.get(`${this.#resources}/${name}`))["status"] ?? {}
  }

  /** Of the resource's runs, oldest first. */
  async jobs(name: string): Promise<ReadonlyArray<Json>> {
    const selector = `labelSelector=kafka.oso.sh/name=${name},kafka.oso.sh/purpose=run`
    const found = await this.world.node.client.list(
      `/apis/batch/v1/namespaces/${this.world.namespace}/jobs?${selector}`
    )
    const created = ({ metadata }: Json): string => metadata.creationTimestamp
    return found.toSorted((a, b) => created(a).localeCompare(created(b)))
  }

  /** Starts of the pods of the resource's runs. */
  started(name: string): ReadonlyArray<Start> {
    return readFileSync(this.#journal, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Start)
      .filter((start) => start.name === name && start.command === "run")
  }

  /** The resource's runs do not end before `release`. */
  hold(name: string): void {
    writeFileSync(this.#hold(name), "")
  }

  release(name: string): void {
    rmSync(this.#hold(name), { force: true })
  }

  until(what: string, isDone: () => Promise<boolean>, seconds?: number): Promise<void> {
    return this.world.until(what, isDone, seconds)
  }

  /** Waits until the status is as wanted; gives it. An API server that is away is asked again. */
  async settled(name: string, what: string, isWanted: (status: Json) => boolean, seconds = 90): Promise<Json> {
    let last: Json = {}
    const look = async () => {
      last = await this.status(name).catch((error: unknown) => ({ error: String(error) }))
      return last["error"] === undefined && isWanted(last)
    }
    await this.until(`${name}: ${what}`, look, seconds).catch((error: Error) => {
      throw new Error(`${error.message}\nlast status: ${JSON.stringify(last, null, 2)}`)
    })
    return last
  }

  /** Waits until so many runs are told of as successes, none is active, and all Jobs may go. */
  async served(name: string, runs: number, seconds?: number): Promise<Json> {
    const status = await this.settled(
      name,
      `${runs} runs are told`,
      (now) => successes(now).length + (now["historyTruncated"] ?? 0) === runs && isQuiet(now),
      seconds
    )
    await this.until(
      `${name}: its Jobs may go`,
      async () => (await this.jobs(name)).every(({ spec }) => spec.ttlSecondsAfterFinished !== undefined),
      30
    )
    return status
  }

  /**
   * One Job, one start of a pod and one entry of the history for each of the expected triggers; undefined is any other
   * cause.
   */
  async assertOnceEach(name: string, tokens: ReadonlyArray<string | undefined>): Promise<void> {
    const token = ({ metadata }: Json): string | undefined => metadata.annotations["kafka.oso.sh/trigger"]
    const jobs = await this.jobs(name)
    assert.sameMembers(jobs.map(token), [...tokens], `${name}: Jobs`)
    assert.sameMembers(
      this.started(name).map(({ trigger }) => trigger),
      [...tokens],
      `${name}: starts of pods`
    )
    const { backupHistory, historyTruncated = 0 } = await this.status(name)
    const history: ReadonlyArray<Json> = backupHistory ?? []
    assert.includeMembers(
      jobs.map(({ metadata }) => metadata.name),
      history.map(({ jobName }) => jobName),
      `${name}: history`
    )
    const sets = new Set(history.map(({ backupId }) => backupId)).size
    assert.strictEqual(sets + historyTruncated, tokens.length, `${name}: sets`)
  }

  /**
   * The node says that it is ready, after an outage in which nobody heard that it is alive; Kubernetes sends pods there
   * again.
   */
  async revive(): Promise<void> {
    const { client, name } = this.world.node
    const path = `/api/v1/nodes/${name}`
    const at = `${new Date().toISOString().slice(0, 19)}Z`
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "it is back" }
    await this.until("the node is back", async () => {
      const node = await client
        .patch(
          `${path}/status`,
          { status: { conditions: [{ ...ready, lastHeartbeatTime: at, lastTransitionTime: at }] } },
          "strategic-merge-patch"
        )
        .catch(() => undefined)
      const taints: ReadonlyArray<Json> = node?.["spec"].taints ?? []
      return node !== undefined && !taints.some(({ key }) => key.startsWith("node.kubernetes.io/"))
    })
  }

  end(): Promise<void> {
    return this.world.end()
  }

  /** As `end`, of a world whose API server was away: its node could not reach that either, and says so. */
  async endAfterOutage(): Promise<void> {
    await this.end().catch((error: unknown) => {
      const causes = error instanceof AggregateError ? error.errors : [error]
      const others = causes.filter(
        (cause) => !/ECONNREFUSED|ECONNRESET|aborted|hang up|no answer within|: (403|429|5\d\d) /u.test(String(cause))
      )
      rmSync(this.world.folder, { recursive: true, force: true })
      if (others.length > 0) throw new AggregateError(others, others.join("; "))
    })
  }

  get #resources(): string {
    return `/apis/kafka.oso.sh/v1alpha1/namespaces/${this.world.namespace}/kafkabackups`
  }

  #hold(name: string): string {
    return join(this.world.folder, `hold-${name}`)
  }
}
