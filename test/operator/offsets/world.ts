import { Effect } from "effect"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import type { KubeObject } from "../../../src/kubernetes/Objects.ts"
import type { OffsetStatus } from "../../../src/status/offsets/OffsetFacts.ts"
import * as Previous from "../../../src/status/Previous.ts"
import { purposeOf, world } from "../world.ts"

export { story } from "../world.ts"

const namespace = "kafka-backup"

export const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset })

export const bucket = (name: string) => ({ storageType: "s3", s3: { bucket: name, region: "eu-central-1" } })

const resource = (kind: string, name: string, spec: object): KubeObject => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind,
  metadata: { name, namespace },
  spec: { kafkaCluster: { bootstrapServers: ["kafka:9092"] }, ...spec } as Readonly<Record<string, unknown>>
})

export const resetOf = (name: string, spec: object) =>
  resource("KafkaOffsetReset", name, { strategy: "earliest", consumerGroups: ["billing", "busy"], ...spec })

export const rollbackOf = (name: string, spec: object) => resource("KafkaOffsetRollback", name, spec)

export const ready = ({ conditions }: OffsetStatus) => conditions?.find(({ type }) => type === "Ready")

const kinds = { KafkaOffsetReset: Kind.kafkaOffsetResets, KafkaOffsetRollback: Kind.kafkaOffsetRollbacks }

/** A cluster with a hundred orders and two groups that have read some, and kubectl for resources about offsets. */
export const offsetWorld = Effect.gen(function* () {
  const made = yield* world
  const { advance, cluster, kubectl, kubernetes } = made
  const { behind } = kubernetes
  yield* cluster.commitGroupOffsets("billing", [at("orders", 0, 40)])
  yield* cluster.commitGroupOffsets("busy", [at("orders", 0, 60)])
  const kindOf = (name: string) => kinds[name.startsWith("back") ? "KafkaOffsetRollback" : "KafkaOffsetReset"]
  const ref = (name: string) => ({ namespace, name })
  const status = (name: string) =>
    Effect.map(behind.get(kindOf(name), ref(name)), (found) => Previous.readOffsets(found.status))
  return {
    ...made,
    /** Names of rollbacks begin with `back`. */
    apply: (object: KubeObject) => behind.create(kindOf(object.metadata.name), object),
    patch: (name: string, patch: Readonly<Record<string, unknown>>) => behind.patch(kindOf(name), ref(name), patch),
    retry: (name: string, token: string) =>
      behind.patch(kindOf(name), ref(name), { metadata: { annotations: { "kafka.oso.sh/retry": token } } }),
    remove: (name: string) => behind.remove(kindOf(name), ref(name), { propagation: "Background" }),
    status,
    /** Lets time pass until Ready has the reason, and for what follows it. */
    reached: Effect.fnUntraced(function* (name: string, reason: string) {
      for (let n = 0; n < 30; n++) {
        yield* advance("10 seconds")
        if (ready(yield* status(name))?.reason === reason) break
      }
      yield* advance("30 seconds")
      return yield* status(name)
    }),
    /** What a group has committed, by partition of the topic orders. */
    committed: (groupId: string) =>
      Effect.map(cluster.wire.groupOffsets(["orders"]), (groups) =>
        Object.fromEntries(
          (groups.find((group) => group.groupId === groupId)?.offsets ?? []).map(({ offset, partition }) => [
            partition,
            offset
          ])
        )
      ),
    offsetJobs: Effect.map(behind.list(Kind.jobs, { namespace }), ({ items }) =>
      items.filter((job) => purposeOf(job) === "offsets")
    ),
    offsetEvents: (name: string) =>
      Effect.map(kubectl.events, (events) =>
        events.filter(({ regarding }) => regarding?.name === name).map(({ reason }) => reason ?? "")
      )
  }
})
