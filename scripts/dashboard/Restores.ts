import { graph, number, type Plan, rows } from "./Panels.ts"
import { count, counted, each, named, of } from "./Query.ts"

/** Restores, and resets and rollbacks of consumer groups' offsets. */
export const restores: ReadonlyArray<Plan> = [
  number({
    title: "Failed restores",
    description:
      "KafkaRestores whose phase is Failed. Nothing tries them again: read condition Ready, remove the cause, then annotate with kafka.oso.sh/retry. Runbook: KafkaRestoreFailed.",
    queries: [{ expr: count(`${each("restore_failed")} == 1`) }],
    from: [[1, "red"]],
    width: 8
  }),
  number({
    title: "Failed offset resets",
    description:
      "KafkaOffsetResets whose phase is Failed. The groups have the offsets that condition Ready names. Remove the cause, then annotate with kafka.oso.sh/retry.",
    queries: [{ expr: count(`${each("offset_reset_failed")} == 1`) }],
    from: [[1, "orange"]],
    width: 8
  }),
  number({
    title: "Failed offset rollbacks",
    description:
      "KafkaOffsetRollbacks whose phase is Failed. Condition Ready says what was and was not set back. Remove the cause, then annotate with kafka.oso.sh/retry.",
    queries: [{ expr: count(`${each("offset_rollback_failed")} == 1`) }],
    from: [[1, "orange"]],
    width: 8
  }),
  graph({
    title: "Progress of restores",
    description:
      "Share of the records that are in the target cluster. A flat line below 100 %: the restore waits for a broker or the storage, or its pod does not run.",
    queries: [{ expr: each("restore_progress_ratio"), legend: named }],
    unit: "percentunit",
    max: 1
  }),
  graph({
    title: "Records restored",
    description:
      "Records that are in the target cluster. Its slope is the speed: what is left divided by it is the time left.",
    queries: [{ expr: each("restore_records"), legend: named }]
  }),
  graph({
    title: "KafkaRestores by phase",
    description: "Pending for long: something is still to be decided or to be confirmed; condition Ready says what.",
    queries: [{ expr: `max by (phase) (${of("restores")})`, legend: "{{phase}}" }]
  }),
  graph({
    title: "Restores that ended in a day",
    description: "Jobs of restores, by outcome. dry_run wrote nothing. Interrupted ones continue where they stopped.",
    queries: [{ expr: counted("restores_ended_total", ["outcome"], "1d"), legend: "{{outcome}}" }]
  }),
  rows({
    title: "Why restores failed",
    description:
      "Jobs of restores that failed in the chosen time, by resource and reason. docs/reference/exit-codes.md explains each. Empty: none failed.",
    labels: { resource_namespace: "Namespace", name: "KafkaRestore", reason: "Reason" },
    sortBy: "Jobs",
    width: 12,
    columns: [
      {
        name: "Jobs",
        expr: `${counted("restore_failures_total", ["resource_namespace", "name", "reason"], "$__range")} > 0`
      }
    ]
  }),
  graph({
    title: "How long the last restore took",
    description: "From its start over all of its Jobs. Compare it with your recovery time objective.",
    queries: [{ expr: each("restore_last_duration_seconds"), legend: named }],
    unit: "s"
  }),
  graph({
    title: "Offset resets and rollbacks by phase",
    description:
      "KafkaOffsetResets and KafkaOffsetRollbacks. Failed ones need a person: their condition Ready says what to do.",
    queries: [
      { expr: `max by (phase) (${of("offset_resets")})`, legend: "reset {{phase}}" },
      { expr: `max by (phase) (${of("offset_rollbacks")})`, legend: "rollback {{phase}}" }
    ]
  }),
  graph({
    title: "Offset resets and rollbacks that ended in a day",
    description: "Their Jobs, by outcome. dry_run changed nothing.",
    queries: [
      { expr: counted("offset_resets_ended_total", ["outcome"], "1d"), legend: "reset {{outcome}}" },
      { expr: counted("offset_rollbacks_ended_total", ["outcome"], "1d"), legend: "rollback {{outcome}}" }
    ]
  })
]
