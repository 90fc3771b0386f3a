import { graph, number, type Plan, rows, words } from "./Panels.ts"
import { count, each, either, named, of, resource, since } from "./Query.ts"

/**
 * Of the alert KafkaBackupOverdue: since when a backup is missing, counted from the last success or, where that is
 * later, from when the schedule was made, edited or resumed.
 */
const age = `(time() - max by (${resource}) (${either("last_success_timestamp_seconds", "scheduled_since_timestamp_seconds")}))`

const interval = `max by (${resource}) (max_over_time(${of("schedule_expected_interval_seconds")}[4d]))`

/** Age in intervals of the schedule, while a schedule counts. */
const intervals = `((${age} / ${interval}) and on (${resource}) ${of("schedule_expected_interval_seconds")})`

const runbook = (alert: string) => `Runbook: docs/guides/operations.md, ${alert}.`

/** Am I safe? */
export const safety: ReadonlyArray<Plan> = [
  number({
    title: "Overdue",
    description: `KafkaBackups whose last success is older than one and a half intervals of their schedule. Should be 0: each of them would lose more than you planned for. Find it in the table below, and read its condition Ready. ${runbook("KafkaBackupOverdue")}`,
    queries: [{ expr: count(`${intervals} > 1.5`) }],
    from: [[1, "red"]]
  }),
  number({
    title: "Last run failed",
    description: `KafkaBackups whose newest run ended without a backup. The earlier backups are untouched. The resource's backupHistory says why and what to do. ${runbook("KafkaBackupFailed")}`,
    queries: [{ expr: count(`${each("last_run_failed")} == 1`) }],
    from: [[1, "orange"]]
  }),
  number({
    title: "Never backed up",
    description:
      "KafkaBackups without a single successful backup. New ones are here until their first slot. One that stays here protects nothing: read its condition Ready.",
    queries: [{ expr: count(`${each("ready")} unless on (${resource}) ${each("last_success_timestamp_seconds")}`) }],
    from: [[1, "orange"]]
  }),
  number({
    title: "Damaged",
    description: `KafkaBackups with stored backups that are known to be damaged. Restore from the newest whole one, and make a new backup while Kafka still has the records. ${runbook("KafkaBackupDamaged")}`,
    queries: [{ expr: count(`${each("damaged_backups")} > 0`) }],
    from: [[1, "red"]]
  }),
  number({
    title: "Not restorable",
    description: `KafkaBackups whose newest drill failed, or whose newest backup is known to be damaged. Treat it as if there were no backup. ${runbook("KafkaBackupNotRestorable")}`,
    queries: [{ expr: count(`${each("restorable")} == 0`) }],
    from: [[1, "red"]]
  }),
  number({
    title: "Suspended",
    description: `KafkaBackups with spec.suspend: true. Nothing else reports them as missing. Resume what was suspended for a maintenance that is over. ${runbook("KafkaBackupSuspended")}`,
    queries: [{ expr: count(`${each("suspended")} == 1`) }],
    from: [[1, "orange"]]
  }),
  rows({
    title: "Every KafkaBackup",
    description:
      "One row for each resource, the oldest backup first. Intervals: its age in intervals of its schedule; from 1.5 on it is overdue. Empty cells are facts that are not known: no success yet, no schedule, no drill.",
    labels: { resource_namespace: "Namespace", name: "KafkaBackup" },
    sortBy: "Intervals",
    columns: [
      { name: "Ready", expr: each("ready"), mappings: words(["No", "red"], ["Yes", "green"]) },
      { name: "Newest backup, age", expr: since("last_success_timestamp_seconds"), unit: "s" },
      {
        name: "Intervals",
        expr: intervals,
        from: [
          [1.1, "orange"],
          [1.5, "red"]
        ]
      },
      { name: "Last run", expr: each("last_run_failed"), mappings: words(["Succeeded", "green"], ["Failed", "red"]) },
      { name: "Suspended", expr: each("suspended"), mappings: words(["No", "text"], ["Yes", "orange"]) },
      { name: "Damaged backups", expr: each("damaged_backups"), from: [[1, "red"]] },
      { name: "Restorable", expr: each("restorable"), mappings: words(["No", "red"], ["Yes", "green"]) },
      { name: "Records", expr: each("last_success_records") },
      { name: "Size", expr: each("last_success_size_bytes"), unit: "bytes" }
    ]
  }),
  graph({
    title: "Age of the newest backup",
    description:
      "What would be lost if the cluster were lost now: everything since then. A healthy line is a saw: it falls at each slot. A line that only rises is a schedule that does not work.",
    queries: [{ expr: since("last_success_timestamp_seconds"), legend: named }],
    unit: "s"
  }),
  graph({
    title: "Age in intervals of the schedule",
    description: `The same for schedules of any length: about 1 right before a slot, and from 1.5 on an alert. ${runbook("KafkaBackupOverdue")}`,
    queries: [{ expr: intervals, legend: named }],
    from: [[1.5, "red"]]
  })
]
