/*
 * Every metric of the operator, as data: the source of what is registered, of docs/reference/metrics.md, and of what
 * alerts may name. Labels of a resource are `resource_namespace` and `name`, never `namespace`: a scrape has a label of
 * that name already, the operator's own.
 */

/** One metric family. */
export interface Family {
  readonly type: "counter" | "gauge" | "histogram"
  readonly help: string
  readonly labels: ReadonlyArray<string>
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly boundaries?: ReadonlyArray<number>
}

const ofResource = ["resource_namespace", "name"] as const

/** The prefix of every name. */
export const prefix = "kafka_backup_operator_"

/** From a backup of seconds to one of a day. */
const runSeconds = [5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 86_400]
const reconcileSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** By their names without `prefix`. */
export const families = {
  last_success_timestamp_seconds: {
    type: "gauge",
    help: "When the last successful backup was complete; absent before the first",
    labels: ofResource
  },
  last_success_size_bytes: {
    type: "gauge",
    help: "Stored bytes of all objects that the last successful backup names",
    labels: ofResource
  },
  last_success_records: { type: "gauge", help: "Records in the last successful backup", labels: ofResource },
  schedule_expected_interval_seconds: {
    type: "gauge",
    help: "Seconds between the next two slots of the schedule; absent without a schedule and while suspended",
    labels: ofResource
  },
  scheduled_since_timestamp_seconds: {
    type: "gauge",
    help: "Since when backups are expected: creation, or the last edit or resumption of the schedule; absent without a schedule and while suspended",
    labels: ofResource
  },
  queued_since_timestamp_seconds: {
    type: "gauge",
    help: "Since when a run is due and queued; absent while none is",
    labels: ofResource
  },
  ready: { type: "gauge", help: "1 while condition Ready is True, else 0", labels: ofResource },
  suspended: {
    type: "gauge",
    help: "1 while no scheduled backup starts because spec.suspend is true, else 0",
    labels: ofResource
  },
  last_run_failed: {
    type: "gauge",
    help: "1 while the run that ended last ended without a backup, 0 once one has succeeded; absent before the first",
    labels: ofResource
  },
  runs_total: { type: "counter", help: "Runs that ended, by outcome", labels: [...ofResource, "outcome"] },
  run_failures_total: {
    type: "counter",
    help: "Runs that ended without a backup, by reason (Other: after 32 different reasons of one resource)",
    labels: [...ofResource, "reason"]
  },
  run_bytes_total: { type: "counter", help: "Stored bytes that successful runs added", labels: ofResource },
  run_records_total: { type: "counter", help: "Records that successful runs added", labels: ofResource },
  run_verified_bytes_total: {
    type: "counter",
    help: "Stored bytes of kept backups that successful runs read again",
    labels: ofResource
  },
  run_healed_objects_total: {
    type: "counter",
    help: "Damaged objects of earlier backups whose records successful runs read from Kafka again",
    labels: ofResource
  },
  damaged_backups: {
    type: "gauge",
    help: "Stored backups that are known to be damaged; absent until a run has looked",
    labels: ofResource
  },
  locked_backups: {
    type: "gauge",
    help: "Stored backups that are past retention and stay, because the store locks them; 0 where there is none",
    labels: ofResource
  },
  data_verified: {
    type: "gauge",
    help: "1 while condition DataVerified is True, 0 while it is False; absent while it is Unknown",
    labels: ofResource
  },
  oldest_read_timestamp_seconds: {
    type: "gauge",
    help: "When the stored byte that was not read for longest was last read, or written: time() minus this is its age",
    labels: ofResource
  },
  stored_bytes: {
    type: "gauge",
    help: "Stored bytes of all backups of the resource, each object counted once; absent where runs read nothing again",
    labels: ofResource
  },
  last_run_duration_seconds: { type: "gauge", help: "How long the run that ended last took", labels: ofResource },
  skipped_slots_total: {
    type: "counter",
    help: "Slots that got no run of their own, by reason",
    labels: [...ofResource, "reason"]
  },
  prunes_total: { type: "counter", help: "Prune Jobs that ended, by outcome", labels: [...ofResource, "outcome"] },
  run_duration_seconds: {
    type: "histogram",
    help: "How long runs of all resources took",
    labels: ["outcome"],
    boundaries: runSeconds
  },
  resources: { type: "gauge", help: "KafkaBackups, by phase", labels: ["phase"] },
  restorable: {
    type: "gauge",
    help: "1 while condition Restorable is True, 0 while it is False; absent while it is Unknown and without spec.drill",
    labels: ofResource
  },
  drill_last_passed_timestamp_seconds: {
    type: "gauge",
    help: "When the last drill that passed ended; absent before the first",
    labels: ofResource
  },
  drill_expected_interval_seconds: {
    type: "gauge",
    help: "Seconds between the next two slots of spec.drill.schedule; absent while suspended",
    labels: ofResource
  },
  drill_scheduled_since_timestamp_seconds: {
    type: "gauge",
    help: "Since when drills are expected: when their schedule was added, last edited or resumed; absent while suspended",
    labels: ofResource
  },
  drill_estimated_restore_seconds: {
    type: "gauge",
    help: "How long a restore of the whole backup takes, as the newest drill with a result measured it",
    labels: ofResource
  },
  drill_last_duration_seconds: { type: "gauge", help: "How long the drill that ended last took", labels: ofResource },
  drills_total: {
    type: "counter",
    help: "Drills that ended, by outcome (passed, failed, incomplete)",
    labels: [...ofResource, "outcome"]
  },
  drill_failures_total: {
    type: "counter",
    help: "Drills that failed or were not completed, by reason (Other: after 32 different reasons of one resource)",
    labels: [...ofResource, "reason"]
  },
  restores: { type: "gauge", help: "KafkaRestores, by phase", labels: ["phase"] },
  restore_ready: {
    type: "gauge",
    help: "1 while condition Ready of the KafkaRestore is True, else 0",
    labels: ofResource
  },
  restore_failed: {
    type: "gauge",
    help: "1 while the phase of the KafkaRestore is Failed, else 0",
    labels: ofResource
  },
  restore_progress_ratio: {
    type: "gauge",
    help: "Share of the restore's records that are in the target cluster, 0 to 1",
    labels: ofResource
  },
  restore_records: { type: "gauge", help: "Records that are in the target cluster", labels: ofResource },
  restores_ended_total: {
    type: "counter",
    help: "Jobs of restores that ended, by outcome (success, dry_run, failed, interrupted)",
    labels: [...ofResource, "outcome"]
  },
  restore_failures_total: {
    type: "counter",
    help: "Jobs of restores that failed, by reason (Other: after 32 different reasons of one resource)",
    labels: [...ofResource, "reason"]
  },
  restore_last_duration_seconds: {
    type: "gauge",
    help: "How long the restore took that ended last, from its start over all of its Jobs",
    labels: ofResource
  },
  offset_resets: { type: "gauge", help: "KafkaOffsetResets, by phase", labels: ["phase"] },
  offset_reset_failed: {
    type: "gauge",
    help: "1 while the phase of the KafkaOffsetReset is Failed",
    labels: ofResource
  },
  offset_resets_ended_total: {
    type: "counter",
    help: "Jobs of KafkaOffsetResets that ended, by outcome (success, dry_run, failed, interrupted)",
    labels: [...ofResource, "outcome"]
  },
  offset_rollbacks: { type: "gauge", help: "KafkaOffsetRollbacks, by phase", labels: ["phase"] },
  offset_rollback_failed: {
    type: "gauge",
    help: "1 while the phase of the KafkaOffsetRollback is Failed",
    labels: ofResource
  },
  offset_rollbacks_ended_total: {
    type: "counter",
    help: "Jobs of KafkaOffsetRollbacks that ended, by outcome (success, dry_run, failed, interrupted)",
    labels: [...ofResource, "outcome"]
  },
  active_runs: { type: "gauge", help: "Runs whose Job is not finished", labels: [] },
  starting_runs: {
    type: "gauge",
    help: "Active runs none of whose containers has started; after a minute they do not count towards --max-concurrent-runs",
    labels: []
  },
  queued_runs: {
    type: "gauge",
    help: "Runs that are due and queued because as many are active as the operator allows",
    labels: []
  },
  active_drills: { type: "gauge", help: "Drills whose Job is not finished; they do not count as runs", labels: [] },
  queued_drills: {
    type: "gauge",
    help: "Drills that are due and queued because as many are active as the operator allows",
    labels: []
  },
  work_queue_depth: { type: "gauge", help: "Resources that wait to be reconciled", labels: [] },
  reconciles_total: { type: "counter", help: "Reconciles of resources, by result", labels: ["result"] },
  reconcile_duration_seconds: {
    type: "histogram",
    help: "How long reconciles of resources took",
    labels: [],
    boundaries: reconcileSeconds
  },
  api_requests_total: {
    type: "counter",
    help: "Requests to the API server, by verb, kind and HTTP status (error: no answer)",
    labels: ["verb", "kind", "code"]
  },
  api_request_duration_seconds: {
    type: "histogram",
    help: "How long the API server took to answer; for a watch, until its answer began",
    labels: ["verb"],
    boundaries: requestSeconds
  },
  events_dropped_total: {
    type: "counter",
    help: "Events that were not written, by reason",
    labels: ["reason"]
  },
  leader: { type: "gauge", help: "1 in the replica that leads, 0 in those on standby", labels: [] },
  leader_transitions_total: {
    type: "counter",
    help: "How often this replica gained or lost the lead",
    labels: []
  },
  event_loop_lag_seconds: {
    type: "gauge",
    help: "How late timers fired since the last sample: mean, 99th percentile (p99) and max",
    labels: ["statistic"]
  },
  build_info: { type: "gauge", help: "Always 1; the label names the running version", labels: ["version"] }
} as const satisfies Readonly<Record<string, Family>>

export type FamilyName = keyof typeof families

export type LabelsOf<N extends FamilyName> = Readonly<Record<(typeof families)[N]["labels"][number], string>>
