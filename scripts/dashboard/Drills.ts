import { graph, type Plan, rows, words } from "./Panels.ts"
import { counted, each, either, gained, named, of, resource, since } from "./Query.ts"

const drillAge = `(time() - max by (${resource}) (${either("drill_last_passed_timestamp_seconds", "drill_scheduled_since_timestamp_seconds")}))`

/** Proof that a backup can be restored, and how long that takes. */
export const drills: ReadonlyArray<Plan> = [
  graph({
    title: "The newest backup is restorable",
    description:
      "Condition Restorable. No: a drill could not restore it, or what it restored differs. No line: no spec.drill, so nobody knows. Runbook: KafkaBackupNotRestorable.",
    queries: [{ expr: each("restorable"), legend: named }],
    max: 1,
    mappings: words(["No", "red"], ["Yes", "green"])
  }),
  graph({
    title: "Time since a drill passed, in intervals",
    description:
      "Time since the last drill that passed, in intervals of spec.drill.schedule. From 2 on it is an alert: the proof is too old. Runbook: KafkaBackupDrillOverdue.",
    queries: [
      {
        expr: `(${drillAge} / max by (${resource}) (max_over_time(${of("drill_expected_interval_seconds")}[4d]))) and on (${resource}) ${of("drill_expected_interval_seconds")}`,
        legend: named
      }
    ],
    from: [[2, "red"]]
  }),
  graph({
    title: "How long a restore would take",
    description:
      "A restore of the whole backup, as the newest drill measured it. Above your recovery time objective: restore the most important topics first, or with more parallelism.",
    queries: [{ expr: each("drill_estimated_restore_seconds"), legend: named }],
    unit: "s"
  }),
  graph({
    title: "Drills in a day",
    description:
      "By outcome. Incomplete ones proved nothing: the cluster did not answer, or no verified backup was there.",
    queries: [{ expr: gained("drills_total", ["outcome"], "1d"), legend: "{{outcome}}" }]
  }),
  rows({
    title: "Why drills failed",
    description:
      "Drills that failed or were not completed in the chosen time, by resource and reason. docs/reference/exit-codes.md explains each. Empty: none.",
    labels: { resource_namespace: "Namespace", name: "KafkaBackup", reason: "Reason" },
    sortBy: "Drills",
    width: 12,
    columns: [
      {
        name: "Drills",
        expr: `${counted("drill_failures_total", ["resource_namespace", "name", "reason"], "$__range")} > 0`
      }
    ]
  }),
  graph({
    title: "Active and queued drills",
    description:
      "Queued above 0 for long: raise --max-concurrent-drills, or spread the minutes of the schedules. The age of the last drill that passed climbs meanwhile.",
    queries: [
      { expr: `max(${of("active_drills")})`, legend: "active" },
      { expr: `max(${of("queued_drills")})`, legend: "queued" }
    ]
  }),
  graph({
    title: "How long the last drill took",
    description:
      "By resource. Close to the interval of spec.drill.schedule: lower spec.drill.maxBytes, or drill less often.",
    queries: [{ expr: each("drill_last_duration_seconds"), legend: named }],
    unit: "s"
  }),
  graph({
    title: "Seconds since a drill passed",
    description: "The same as above as a time. A line that only rises: drills do not pass. No line: none ever has.",
    queries: [{ expr: since("drill_last_passed_timestamp_seconds"), legend: named }],
    unit: "s"
  })
]
