import * as SummaryCodec from "../../src/outcome/SummaryCodec.ts"
import * as Labels from "../../src/operator/Labels.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import { type ApiClient, ApiRefusal, type Json } from "../../test/harness/processnode/ApiClient.ts"
import * as NodeObject from "../../test/harness/processnode/NodeObject.ts"
import * as PodStatus from "../../test/harness/processnode/PodStatus.ts"

const heartbeatMillis = 10_000

/** What a run of nothing leaves behind. */
const message = (backupId: string, now: Date): string => {
  const millis = now.getTime()
  return SummaryCodec.encode({
    version: 1,
    command: "run",
    outcome: "success",
    exitCode: 0,
    startedAt: now.toISOString(),
    completedAt: now.toISOString(),
    backupId,
    size: 1_048_576,
    records: 10_000,
    addedBytes: 1_048_576,
    addedRecords: 10_000,
    notes: [],
    catalogue: {
      total: 1,
      sets: [{ backupId, startedMillis: millis, completedMillis: millis, size: 1_048_576, records: 10_000 }]
    }
  })
}

/** A node on which every pod of one namespace succeeds as soon as it is there; no process is started for it. */
export class FastNode {
  readonly #client: ApiClient
  readonly #name: string
  readonly #namespace: string
  readonly #end = new AbortController()
  readonly #seen = new Set<string>()
  #heartbeat: NodeJS.Timeout | undefined
  #watching: Promise<void> = Promise.resolve()
  /** Errors, which are not reported elsewhere. */
  readonly errors: Array<unknown> = []

  private constructor(client: ApiClient, name: string, namespace: string) {
    this.#client = client
    this.#name = name
    this.#namespace = namespace
  }

  static async start(client: ApiClient, name: string, namespace: string): Promise<FastNode> {
    const node = new FastNode(client, name, namespace)
    try {
      await NodeObject.register(client, name, {})
      node.#heartbeat = setInterval(
        () => void NodeObject.renew(client, name).catch((error: unknown) => node.errors.push(error)),
        heartbeatMillis
      )
      await NodeObject.takeOver(client, name, namespace)
      node.#watching = node.#watch()
    } catch (error) {
      await node.stop()
      throw error
    }
    return node
  }

  async #watch(): Promise<void> {
    const path = `/api/v1/namespaces/${this.#namespace}/pods?watch=true&fieldSelector=spec.nodeName=${this.#name}`
    while (!this.#end.signal.aborted) {
      await this.#client
        .watch(path, this.#end.signal, ({ object, type }) => {
          if (type !== "ADDED" && type !== "MODIFIED") return
          if (this.#seen.has(object["metadata"].uid)) return
          this.#seen.add(object["metadata"].uid)
          void this.#succeed(object).catch((error: unknown) => this.errors.push(error))
        })
        .catch((error: unknown) => {
          if (!this.#end.signal.aborted) this.errors.push(error)
        })
    }
  }

  async #succeed({ metadata, spec }: Json): Promise<void> {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`
    const [container] = spec.containers
    const say = (status: Json) => this.#client.patch(path, { status }, "strategic-merge-patch")
    const startedAt = new Date()
    try {
      await say(PodStatus.running(container, 0, undefined, startedAt))
      const now = new Date()
      const { annotations } = metadata
      const slotMillis = Date.parse(annotations[Labels.slotAnnotation])
      const terminated = PodStatus.terminated(
        { code: 0 },
        {
          isOutOfMemory: false,
          startedAt,
          now,
          message: message(BackupId.forSlot(annotations[Labels.resourceAnnotation], slotMillis), now)
        }
      )
      await say(PodStatus.over(container, 0, terminated, now))
    } catch (error) {
      if (!(error instanceof ApiRefusal && error.status === 404)) throw error
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#heartbeat)
    this.#end.abort()
    await this.#watching
    await NodeObject.giveUp(this.#client, this.#namespace)
    await NodeObject.unregister(this.#client, this.#name)
  }
}
