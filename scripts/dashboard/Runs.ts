import { graph, type Plan, rows } from "./Panels.ts"
import { counted, gained, each, named, of, quantile, since } from "./Query.ts"

/** How runs end, and how long they take and wait. */
export const runs: ReadonlyArray<Plan> = [
  graph({
    title: "Runs that ended",
    description:
      "Per hour, by outcome. Failed runs left no backup; interrupted ones were stopped and continue in the next attempt. Any of these: look at the reasons beside.",
    queries: [{ expr: gained("runs_total", ["outcome"], "$__interval"), legend: "{{outcome}}" }],
    bars: "1h"
  }),
  rows({
    title: "Why runs failed",
    description:
      "Runs without a backup in the chosen time, by resource and reason. docs/reference/exit-codes.md explains each reason and what to do. Empty: none failed.",
    labels: { resource_namespace: "Namespace", name: "KafkaBackup", reason: "Reason" },
    sortBy: "Runs",
    width: 12,
    columns: [
      {
        name: "Runs",
        expr: `${counted("run_failures_total", ["resource_namespace", "name", "reason"], "$__range")} > 0`
      }
    ]
  }),
  graph({
    title: "How long the last run took",
    description:
      "By resource. A line that climbs towards the interval of the schedule ends in skipped slots (Overlapping): raise spec.job.parallelism or resources, or widen the schedule.",
    queries: [{ expr: each("last_run_duration_seconds"), legend: named }],
    unit: "s"
  }),
  graph({
    title: "How long runs take, all resources",
    description:
      "Median and 90th percentile of successful runs in a day. A jump without new topics: slower brokers, storage, or a lower CPU limit.",
    queries: [
      { expr: quantile(0.5, "run_duration_seconds", [], "1d", { outcome: "success" }), legend: "median" },
      { expr: quantile(0.9, "run_duration_seconds", [], "1d", { outcome: "success" }), legend: "90 %" }
    ],
    unit: "s"
  }),
  graph({
    title: "Active, starting and queued runs",
    description:
      "Queued above 0 for long: as many runs are active as --max-concurrent-runs allows. Starting above 0 for long: pods that do not start; kubectl describe says why. Runbook: KafkaBackupRunsQueued.",
    queries: [
      { expr: `max(${of("active_runs")})`, legend: "active" },
      { expr: `max(${of("starting_runs")})`, legend: "starting" },
      { expr: `max(${of("queued_runs")})`, legend: "queued" }
    ]
  }),
  graph({
    title: "Waiting in the queue",
    description:
      "How long a run that is due has waited. No line: none waits. More than ten minutes is an alert. Runbook: KafkaBackupRunsQueued.",
    queries: [{ expr: since("queued_since_timestamp_seconds"), legend: named }],
    unit: "s",
    from: [[600, "red"]]
  }),
  graph({
    title: "Skipped slots",
    description:
      "Slots without a run of their own, in a day, by reason. Overlapping: runs take longer than the interval. Missed, TooLate: no run could start then. Runbook: KafkaBackupSlotsSkipped.",
    queries: [
      {
        expr: `${gained("skipped_slots_total", ["resource_namespace", "name", "reason"], "1d")} > 0`,
        legend: `${named} {{reason}}`
      }
    ]
  }),
  graph({
    title: "KafkaBackups by phase",
    description:
      "Running: a run is active. Completed and Failed: how the last run ended. Pending: no run yet. Failed that stays above 0 is a resource that needs a person.",
    queries: [{ expr: `max by (phase) (${of("resources")})`, legend: "{{phase}}" }]
  })
]
