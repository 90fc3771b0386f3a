import { it } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import type { KubeObject } from "../../src/kubernetes/Objects.ts"
import { OperatorHarness } from "../../src/testing/OperatorHarness.ts"
import type { Condition, Status } from "../../src/status/Status.ts"

/** The operator in its world, without a word on the console. */
export const quiet = OperatorHarness.layer.pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))

/** When every story begins: ten minutes before a slot. */
export const beginning = "2026-11-25T11:50:00Z"

/** A KafkaBackup of the topic `orders`, kept in the bucket `backups`. Without `schedule` a one-time one. */
export const backupOf = (name: string, spec: Readonly<Record<string, unknown>> = {}) => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name },
  spec: {
    kafkaCluster: { bootstrapServers: ["kafka:9092"] },
    topics: ["orders"],
    storage: { storageType: "s3", s3: { bucket: "backups", region: "eu-central-1" } },
    ...spec
  }
})

export const hourly = (name: string, spec: Readonly<Record<string, unknown>> = {}) =>
  backupOf(name, { schedule: "0 * * * *", ...spec })

/** A harness at `beginning`, with a cluster that has a hundred orders. No operator runs yet. */
export const world = Effect.gen(function* () {
  const harness = yield* OperatorHarness
  yield* TestClock.setTime(Date.parse(beginning))
  const kafka = yield* harness.kafka("kafka:9092")
  yield* kafka.createTopic("orders", { partitions: 2 })
  yield* kafka.produce(
    "orders",
    0,
    Array.from({ length: 100 }, (_, n) => ({ key: `k${n}`, value: `v${n}` }))
  )
  return { ...harness, cluster: kafka, backups: yield* harness.store("s3:backups") }
})

/** A test that plays one story. */
export const story = <E>(name: string, play: Effect.Effect<void, E, OperatorHarness>) =>
  it.effect(name, () => Effect.provide(play, quiet))

export const condition = ({ conditions }: Status, type: string): Condition | undefined =>
  conditions?.find((one) => one.type === type)

/** Outcomes in the history, newest first. */
export const outcomes = ({ backupHistory = [] }: Status): ReadonlyArray<string> =>
  backupHistory.map(({ outcome }) => outcome)

/** Ids of the sets whose manifest lies in the store, oldest first. */
export const setsIn = (keys: ReadonlyArray<string>): ReadonlyArray<string> =>
  keys.flatMap((key) => /([^/]+)\/manifest\.json$/.exec(key)?.[1] ?? []).toSorted()

export const purposeOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.["kafka.oso.sh/purpose"]

export const runsAmong = <A extends KubeObject>(jobs: ReadonlyArray<A>): ReadonlyArray<A> =>
  jobs.filter((job) => purposeOf(job) === "run")

/** One value of a metric whose labels contain all of `labels`; undefined where there is no such series. */
export const metric = (text: string, name: string, ...labels: ReadonlyArray<string>): number | undefined => {
  const line = text
    .split("\n")
    .find((each) => each.startsWith(`kafka_backup_operator_${name}`) && labels.every((label) => each.includes(label)))
  return line === undefined ? undefined : Number(line.split(" ").at(-1))
}
