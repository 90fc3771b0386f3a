import { graph, type Plan, words } from "./Panels.ts"
import { each, gained, named, since } from "./Query.ts"

const ofResource = ["resource_namespace", "name"] as const

/** Retention, reading again, damage. */
export const storedData: ReadonlyArray<Plan> = [
  graph({
    title: "Damaged backups",
    description:
      "Stored backups that are known to be damaged. Above 0: restore from status.damage.newestWholeBackupId, and trigger a backup, which often heals them. Runbook: KafkaBackupDamaged.",
    queries: [{ expr: each("damaged_backups"), legend: named }],
    from: [[1, "red"]]
  }),
  graph({
    title: "Backups past retention that the store locks",
    description:
      "Backups that are kept beyond spec.retention until a lock or a hold in the store ends (status.locked says when). Above 0 for good: align the lock with the retention of backups.",
    queries: [{ expr: each("locked_backups"), legend: named }]
  }),
  graph({
    title: "Objects healed in a day",
    description:
      "Damaged objects whose records a run read from Kafka again. Something damages the storage even where everything was healed: find out what.",
    queries: [{ expr: gained("run_healed_objects_total", ofResource, "1d"), legend: named }]
  }),
  graph({
    title: "Stored data is read again as promised",
    description:
      "Condition DataVerified. No: a byte was not read again for longer than spec.verification.percentPerRun promises; damage would be found late. Runbook: KafkaBackupDataNotVerified.",
    queries: [{ expr: each("data_verified"), legend: named }],
    max: 1,
    mappings: words(["No", "red"], ["Yes", "green"])
  }),
  graph({
    title: "Longest unread byte",
    description:
      "For how long the stored byte that waits longest has not been read. So old damage may be before anybody knows of it. It should end its climb at the promise of percentPerRun.",
    queries: [{ expr: since("oldest_read_timestamp_seconds"), legend: named }],
    unit: "s"
  }),
  graph({
    title: "Bytes read again in a day",
    description:
      "Stored bytes of kept backups that successful runs read again. 0: verification is off, or its time is used up (status.verification.cutShort).",
    queries: [{ expr: gained("run_verified_bytes_total", ofResource, "1d"), legend: named }],
    unit: "bytes"
  }),
  graph({
    title: "Prunes in a day",
    description:
      "Jobs of spec.retention, by outcome. Failed: storage keeps more than you asked for, most often because a right to delete is missing. Runbook: KafkaBackupPruneFailed.",
    queries: [{ expr: gained("prunes_total", ["outcome"], "1d"), legend: "{{outcome}}" }]
  })
]
