import { graph, type Plan } from "./Panels.ts"

/*
 * From the pods of runs, by way of the PodMonitor in deploy/monitoring: `namespace` is the resource's own there, and
 * `kafka_oso_sh_name` the label that podTargetLabels copies. src/worker/RunMetrics.ts has the metrics.
 */

const chosen = `namespace=~"$namespace", kafka_oso_sh_name=~"$resource"`
const by = "namespace, kafka_oso_sh_name"
const named = "{{namespace}}/{{kafka_oso_sh_name}}"

/** Runs while they last. */
export const activeRuns: ReadonlyArray<Plan> = [
  graph({
    title: "Progress of active runs",
    description:
      "Share of the planned offsets that are covered, over all pods of a run. A flat line: see what it waits for beside. No line: no run is active, or the PodMonitor is not applied.",
    queries: [
      {
        expr: `sum by (${by}) (kafka_backup_run_offsets_done{${chosen}}) / (sum by (${by}) (kafka_backup_run_offsets{${chosen}}) > 0)`,
        legend: named
      }
    ],
    unit: "percentunit",
    max: 1
  }),
  graph({
    title: "Read from Kafka and stored",
    description:
      "Bytes per second of active runs. Read is what brokers sent; stored is after compression. Both at 0: the run waits, or compares with what is there.",
    queries: [
      {
        expr: `sum by (${by}) (rate(kafka_backup_run_fetched_bytes_total{${chosen}}[$__rate_interval]))`,
        legend: `${named} read`
      },
      {
        expr: `sum by (${by}) (rate(kafka_backup_run_stored_bytes_total{${chosen}}[$__rate_interval]))`,
        legend: `${named} stored`
      }
    ],
    unit: "Bps"
  }),
  graph({
    title: "Waiting for a store or a broker",
    description:
      "Runs that are paused, by what they wait for. They go on by themselves when it answers; the resource's condition Ready has the cause. docs/guides/interruptions.md.",
    queries: [{ expr: `max by (${by}, target) (kafka_backup_run_paused{${chosen}})`, legend: `${named} {{target}}` }],
    max: 1
  }),
  graph({
    title: "Seconds waited for stores and brokers",
    description:
      "Of the active attempt. Long waits at each run: the cluster or the storage is not there when the schedule asks.",
    queries: [
      {
        expr: `max by (${by}, target) (kafka_backup_circuit_waited_seconds_total{${chosen}})`,
        legend: `${named} {{target}}`
      }
    ],
    unit: "s"
  })
]
