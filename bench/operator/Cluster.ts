import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseAllDocuments, stringify } from "yaml"
import * as Cache from "../../scripts/services/Cache.ts"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Kubeconfig from "../../scripts/services/Kubeconfig.ts"
import * as BackupId from "../../src/identity/BackupId.ts"
import type { HistoryEntry, Status } from "../../src/status/Status.ts"
import * as Format from "../../src/status/Format.ts"
import * as Kubectl from "../../test/harness/Kubectl.ts"
import { ApiClient, until } from "../../test/harness/processnode/ApiClient.ts"
import { FastNode } from "./FastNode.ts"

const systemNamespace = "kafka-backup-system"
export const namespace = "bench-operator"
const resources = `/apis/kafka.oso.sh/v1alpha1/namespaces/${namespace}/kafkabackups`
/** Requests of the bench's own at the same time. */
const hands = 8

const nameOf = (n: number) => `backup-${String(n).padStart(4, "0")}`

/** As large as what people write. */
const backup = (n: number, schedule: string) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name: nameOf(n), labels: { team: `team-${n % 20}` } },
  spec: {
    schedule,
    kafkaCluster: {
      bootstrapServers: ["kafka-0.kafka:9093", "kafka-1.kafka:9093", "kafka-2.kafka:9093"],
      securityProtocol: "SASL_SSL",
      saslSecret: {
        name: "kafka-credentials",
        mechanism: "SCRAM-SHA-512",
        usernameKey: "username",
        passwordKey: "password"
      }
    },
    topics: [`team-${n % 20}-orders-*`, `team-${n % 20}-payments`],
    compression: "zstd",
    retention: { backups: 100 },
    storage: {
      storageType: "s3",
      s3: {
        bucket: "backups",
        region: "eu-central-1",
        prefix: nameOf(n),
        credentialsSecret: { name: "s3-credentials" }
      }
    }
  }
})

/** The status after a hundred hours of success: `last` is the newest. */
const withHistory = (name: string, last: HistoryEntry): Pick<Status, "backupHistory"> => ({
  backupHistory: Array.from({ length: 100 }, (_, n): HistoryEntry => {
    if (n === 0) return last
    const slotMillis = Format.millis(last.startTime) - n * 3_600_000
    return {
      backupId: BackupId.forSlot(name, slotMillis),
      startTime: Format.time(slotMillis),
      completionTime: Format.time(slotMillis + 95_000),
      outcome: "success",
      cause: "schedule",
      jobName: `${name}-${Math.floor(slotMillis / 60_000)}`,
      size: 1_000_000_000 + n,
      records: 10_000_000 + n,
      addedBytes: 10_000_000 + n,
      addedRecords: 100_000 + n
    }
  })
})

/** Does `work` for every number below `count`, a few at a time. */
const each = async (count: number, work: (n: number) => Promise<unknown>): Promise<void> => {
  let next = 0
  const hand = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: hands }, hand))
}

/** What was seen of the Jobs, in the order of their versions. */
export interface JobsSeen {
  readonly made: number
  readonly succeeded: number
  readonly mostActive: number
  /** When the last of them was made, in milliseconds since 1970. */
  readonly lastMadeMillis: number
}

/** A namespace for KafkaBackups on a real control plane, with the rights that deploy/ gives the operator. */
export class Cluster {
  readonly #apiserver: ApiServer
  readonly client: ApiClient
  readonly #folder = mkdtempSync(join(tmpdir(), "kafka-backup-bench-"))
  #node: FastNode | undefined
  /** Of the operator's ServiceAccount. */
  readonly kubeconfig = join(this.#folder, "kubeconfig")

  constructor(apiserver: ApiServer) {
    this.#apiserver = apiserver
    this.client = new ApiClient(apiserver)
  }

  /** Applies definition and rights, and makes the namespace and its node. */
  async prepare(): Promise<void> {
    const kubectl = (args: ReadonlyArray<string>, input?: string) => Kubectl.succeed(this.#apiserver, args, input)
    const overlay = join(Cache.root, "deploy", "overlays", "cluster-wide")
    const rendered = await kubectl(["kustomize", overlay, "--load-restrictor=LoadRestrictionsNone"])
    const wanted = parseAllDocuments(rendered)
      .map((document) => document.toJS() as { readonly kind: string })
      .filter(({ kind }) => kind !== "Deployment")
    await kubectl(
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      wanted.map((one) => stringify(one)).join("---\n")
    )
    await kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd/kafkabackups.kafka.oso.sh"])
    const account = ["kafka-backup-operator", `--namespace=${systemNamespace}`]
    const token = (await kubectl(["create", "token", ...account, "--duration=4h"])).trim()
    const { caPem, server } = this.#apiserver
    if (caPem === undefined) throw new Error("the kubeconfig names no file of an authority")
    Kubeconfig.write(this.kubeconfig, { server, caPem, token })
    this.#node = await FastNode.start(this.client, `bench-${crypto.randomUUID().slice(0, 8)}`, namespace)
  }

  create(count: number, schedule: string): Promise<void> {
    return each(count, (n) => this.client.create(resources, backup(n, schedule)))
  }

  /** Gives every resource the history of a hundred runs; its newest run stays. */
  async fillHistories(count: number): Promise<void> {
    await each(count, async (n) => {
      const path = `${resources}/${nameOf(n)}`
      const { status } = await this.client.get(path)
      await this.client.patch(`${path}/status`, { status: withHistory(nameOf(n), status.backupHistory[0]) })
    })
  }

  async jobs(): Promise<JobsSeen> {
    const items = await this.client.list(`/apis/batch/v1/namespaces/${namespace}/jobs`)
    const made = items.map(({ metadata }) => Date.parse(metadata.creationTimestamp))
    return {
      made: items.length,
      succeeded: items.filter(({ status }) =>
        status.conditions?.some(({ type }: { type: string }) => type === "Complete")
      ).length,
      mostActive: this.#mostActive,
      lastMadeMillis: Math.max(0, ...made)
    }
  }

  #mostActive = 0
  readonly #end = new AbortController()

  /** Counts unfinished Jobs from now on, change by change. */
  watchJobs(): void {
    const active = new Set<string>()
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs?watch=true&timeoutSeconds=3600`
    void this.client
      .watch(path, this.#end.signal, ({ object, type }) => {
        const conditions: ReadonlyArray<{ readonly type: string }> = object["status"]?.conditions ?? []
        const isOver = type === "DELETED" || conditions.some((one) => one.type === "Complete" || one.type === "Failed")
        if (isOver) active.delete(object["metadata"].uid)
        else active.add(object["metadata"].uid)
        this.#mostActive = Math.max(this.#mostActive, active.size)
      })
      .catch((error: unknown) => void this.errors.push(error))
  }

  readonly #errors: Array<unknown> = []
  get errors(): Array<unknown> {
    return this.#errors
  }
  get nodeErrors(): ReadonlyArray<unknown> {
    return this.#node?.errors ?? []
  }

  /** Removes all that was made but definition and rights. */
  async end(): Promise<void> {
    this.#end.abort()
    await Kubectl.run(this.#apiserver, ["delete", "kafkabackups", "--all", `--namespace=${namespace}`, "--wait=false"])
    await Kubectl.run(this.#apiserver, ["delete", "namespace", namespace, "--wait=false"])
    await until(
      "the namespace is gone",
      async () => ((await this.client.find(`/api/v1/namespaces/${namespace}`)) === undefined ? true : undefined),
      600_000,
      1000
    )
    await this.#node?.stop()
    this.client.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
