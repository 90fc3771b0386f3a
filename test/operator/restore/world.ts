import { Effect } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import type { KubeObject } from "../../../src/kubernetes/Objects.ts"
import * as Previous from "../../../src/status/Previous.ts"
import type { RestoreStatus } from "../../../src/status/restore/RestoreFacts.ts"
import { backupOf, purposeOf, world } from "../world.ts"

export { story } from "../world.ts"

const namespace = "kafka-backup"

/** A KafkaRestore of the backup into the cluster `target:9092`. */
export const restoreOf = (
  name: string,
  backupId: string,
  spec: Readonly<Record<string, unknown>> = {}
): KubeObject => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaRestore",
  metadata: { name, namespace },
  spec: {
    backupId,
    targetCluster: { bootstrapServers: ["target:9092"] },
    storage: { storageType: "s3", s3: { bucket: "backups", region: "eu-central-1" } },
    ...spec
  }
})

/** A KafkaRestore that takes backup and storage from a KafkaBackup. */
export const restoreFrom = (name: string, backupRef: object): KubeObject => {
  const { backupId: _backupId, storage: _storage, ...spec } = restoreOf(name, "").spec as Record<string, unknown>
  return { ...restoreOf(name, ""), spec: { ...spec, backupRef } } as KubeObject
}

export const ready = ({ conditions }: RestoreStatus) => conditions?.find(({ type }) => type === "Ready")
export const reasonOf = ({ conditions }: RestoreStatus, type: string) =>
  conditions?.find((one) => one.type === type)?.reason

/** A cluster with a backup of a hundred orders, an empty one at `target:9092`, and kubectl for restores. */
export const restoreWorld = Effect.gen(function* () {
  const made = yield* world
  const { advance, kafka, kubectl, kubernetes, start } = made
  const first = yield* start({ name: "operator-0" })
  yield* kubectl.apply(backupOf("shop"))
  yield* advance("1 minute")
  const backupId = (yield* kubectl.status("shop")).lastBackupId ?? ""
  yield* first.stop
  const target = yield* kafka("target:9092")
  const { behind } = kubernetes
  const ref = (name: string) => ({ namespace, name })
  const get = (name: string) => behind.get(Kind.kafkaRestores, ref(name))
  const status = (name: string) => Effect.map(get(name), ({ status }) => Previous.readRestore(status))
  return {
    ...made,
    target,
    backupId,
    apply: (restore: KubeObject) => behind.create(Kind.kafkaRestores, restore),
    patch: (name: string, patch: Readonly<Record<string, unknown>>) =>
      behind.patch(Kind.kafkaRestores, ref(name), patch),
    /** Without a value it is removed. */
    retry: (name: string, token: string | null) =>
      behind.patch(Kind.kafkaRestores, ref(name), { metadata: { annotations: { "kafka.oso.sh/retry": token } } }),
    remove: (name: string, propagation: "Background" | "Foreground" = "Background") =>
      behind.remove(Kind.kafkaRestores, ref(name), { propagation }),
    get,
    status,
    /** Lets time pass until Ready has the reason, however slow the machine is, and for what follows it. */
    reached: Effect.fnUntraced(function* (name: string, reason: string) {
      for (let n = 0; n < 60; n++) {
        yield* advance("10 seconds")
        if (reasonOf(yield* status(name), "Ready") === reason) break
      }
      yield* advance("30 seconds")
      return yield* status(name)
    }),
    restoreJobs: Effect.map(behind.list(Kind.jobs, { namespace }), ({ items }) =>
      items.filter((job) => purposeOf(job) === "restore")
    ),
    /** Reasons of Events about restores, oldest first. */
    restoreEvents: Effect.map(kubectl.events, (events) =>
      events.filter(({ regarding }) => regarding?.kind === "KafkaRestore").map(({ reason }) => reason ?? "")
    )
  }
})
