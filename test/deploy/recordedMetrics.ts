import { Clock, Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { nameLabel } from "../../src/operator/Labels.ts"
import { families, prefix } from "../../src/telemetry/OperatorFamilies.ts"
import * as OperatorMetrics from "../../src/telemetry/OperatorMetrics.ts"
import { pods } from "../../src/testing/Faults.ts"
import * as RunMetrics from "../../src/worker/RunMetrics.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { bucket, resetOf, rollbackOf } from "../operator/offsets/world.ts"
import { restoreOf, restoreWorld } from "../operator/restore/world.ts"
import { drilled } from "../operator/drill/world.ts"
import { backupOf, hourly } from "../operator/world.ts"

/** What a scrape adds to each series. */
const ofOperator = `job="kafka-backup-operator",namespace="kafka-backup-system",pod="operator-0",instance="10.0.0.1:8080"`
const ofAnother = ofOperator.replace("operator-0", "operator-1")
const ofRun = `job="kafka-backup-runs",namespace="kafka-backup",pod="orders-run",kafka_oso_sh_name="orders"`

/** Between two scrapes. */
const every = "30 seconds"

/** The samples of a page with the labels of its scrape and their time, as OpenMetrics has them. */
const stamped = (page: string, labels: string, millis: number): ReadonlyArray<string> =>
  page
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const cut = line.lastIndexOf(" ")
      const series = line.slice(0, cut)
      const whole = series.endsWith("}") ? `${series.slice(0, -1)},${labels}}` : `${series}{${labels}}`
      return `${whole} ${line.slice(cut + 1)} ${millis / 1000}`
    })

/**
 * What only the client of a real API server, the sampler of a process and a drill of real duration measure, from the
 * same renderer.
 */
const measuredElsewhere = Effect.gen(function* () {
  const metrics = yield* OperatorMetrics.OperatorMetrics
  const names = [
    "api_requests_total",
    "api_request_duration_seconds",
    "event_loop_lag_seconds",
    "drill_estimated_restore_seconds"
  ] as const
  yield* metrics.drill(
    { namespace: "kafka-backup", name: "orders" },
    { isRestorable: undefined, lastPassedMillis: undefined, estimatedSeconds: 312, expected: undefined }
  )
  return Effect.gen(function* () {
    yield* metrics.apiRequest({ verb: "patch", kind: "kafkabackups", status: 200, millis: 12 })
    yield* metrics.apiRequest({ verb: "create", kind: "jobs", status: 409, millis: 7 })
    yield* metrics.eventLoopLag({ mean: 0.001, p99: 0.004, max: 0.02 })
    const lines = (yield* metrics.text).split("\n")
    return lines.filter((line) => names.some((name) => line.startsWith(prefix + name))).join("\n")
  })
}).pipe(Effect.provide(OperatorMetrics.layer("test")))

/** A run that reads on, and waits for its storage. */
const runThat = (seconds: number) =>
  RunMetrics.text(
    {
      ...RunProgress.make(),
      step: "reading",
      offsets: 100_000,
      offsetsDone: Math.min(100_000, seconds * 10),
      fetchedBytes: seconds * 1_000_000,
      storedBytes: seconds * 200_000,
      interruptions: [{ target: "storage", openings: 1, waitedMillis: 3000, cause: "no route" }]
    },
    0
  )

export interface Recorded {
  /** In OpenMetrics, oldest first. */
  readonly text: string
  readonly fromMillis: number
  readonly untilMillis: number
}

/**
 * The metrics of an operator over two and a half hours in which everything happens that the dashboard shows: backups
 * that succeed, fail, wait, are skipped and suspended, a damaged object that a drill finds and a run heals, restores
 * and work on offsets.
 */
export const record = Effect.gen(function* () {
  const { advance, apply, backupId, backups, cluster, kubectl, kubernetes, start, target } = yield* restoreWorld
  const elsewhere = yield* measuredElsewhere
  const replica = yield* start({ elect: true, settings: { maxConcurrentRuns: 1 } })
  const fromMillis = yield* Clock.currentTimeMillis
  const lines: Array<string> = []
  const pass = Effect.fnUntraced(function* (minutes: number) {
    for (let n = 0; n < minutes * 2; n++) {
      yield* advance(every)
      const now = yield* Clock.currentTimeMillis
      lines.push(
        ...stamped(yield* replica.metrics, ofOperator, now),
        ...stamped(yield* elsewhere, ofAnother, now),
        ...stamped(yield* runThat((now - fromMillis) / 1000), ofRun, now)
      )
    }
  })

  yield* kubernetes.node.trouble(({ metadata }) =>
    ["stuck", "slow"].includes(metadata.labels?.[nameLabel] ?? "") ? pods.unschedulable() : undefined
  )
  yield* kubectl.apply(drilled("orders", {}, { retention: { backups: 1 } }))
  yield* kubectl.apply(hourly("missing", { topics: ["no-such-topic"] }))
  yield* kubectl.apply(hourly("suspended", { suspend: true }))
  yield* kubectl.apply(backupOf("stuck", { schedule: "0,30 * * * *" }))
  // Its runs take longer than its interval.
  yield* kubectl.apply(backupOf("slow", { schedule: "*/5 * * * *" }))
  yield* cluster.commitGroupOffsets("billing", [{ topic: "orders", partition: 0, offset: 40 }])
  yield* pass(20)
  yield* apply(restoreOf("back", backupId))
  yield* kubernetes.behind.create(
    Kind.kafkaOffsetResets,
    resetOf("early", { consumerGroups: ["billing"], createSnapshot: true, storage: bucket("snapshots") })
  )
  yield* kubernetes.behind.create(
    Kind.kafkaOffsetRollbacks,
    rollbackOf("back", { snapshotId: "unknown", storage: bucket("snapshots") })
  )
  yield* pass(10)
  // Its topics have records now.
  yield* apply(restoreOf("again", backupId))
  yield* pass(9.5)
  // Waits for the one that is stuck, which takes the only place for a minute.
  yield* kubectl.trigger("orders", "now")
  yield* pass(45.5)
  const key = (yield* backups.keys).find((each) => each.includes("orders") && each.includes("/partition=0/"))!
  yield* backups.tamper(key, (bytes) => bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte)))
  yield* kubectl.apply(hourly("new"))
  yield* target.deleteTopic("orders")
  yield* pass(65)
  const untilMillis = yield* Clock.currentTimeMillis
  return { text: [...lines, "# EOF", ""].join("\n"), fromMillis, untilMillis } satisfies Recorded
})

/** Families that no series of the record is of. */
export const absent = ({ text }: Recorded): ReadonlyArray<string> =>
  Object.keys(families).filter((name) => !new RegExp(`^${prefix}${name}(_bucket)?\\{`, "mu").test(text))
