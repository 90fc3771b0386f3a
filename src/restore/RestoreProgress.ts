import type { ResolvedBackup } from "../outcome/RestoreSummary.ts"
import type { Interruption, Outage, Paused } from "../worker/BreakerJournal.ts"
import type { PlannedPartition, RestorePlan } from "./RestorePlan.ts"
import * as Plan from "./RestorePlan.ts"

/** What one attempt of a restore has done so far: written by it, read by displays, metrics and the operator. */
export interface RestoreProgress {
  step: "connecting" | "checking" | "writing" | "done"
  backupId: string | undefined
  /** The backup that is restored; undefined until there is a plan. */
  resolved: ResolvedBackup | undefined
  /** Of the plan. */
  partitions: number
  recordsTotal: number
  /** Written, read back and compared. */
  partitionsDone: number
  /** Records that are in the target, as far as it is known: those that an earlier attempt wrote count when compared. */
  records: number
  /** Compressed bytes that this attempt wrote. */
  bytes: number
  /** When this attempt began to write, in milliseconds since 1970. */
  startedWritingMillis: number | undefined
  /** What the restore waits for before it begins: a Secret that is missing, for people. */
  awaited: string | undefined
  /** Set while the restore waits for a store or a broker that does not answer. */
  paused: Paused | undefined
  /** Every store and broker that stopped answering, in the order in which they first did. */
  interruptions: ReadonlyArray<Interruption>
  /** Every store and broker that does not answer now. */
  outages: ReadonlyArray<Outage>
}

export const make = (): RestoreProgress => ({
  step: "connecting",
  backupId: undefined,
  resolved: undefined,
  partitions: 0,
  recordsTotal: 0,
  partitionsDone: 0,
  records: 0,
  bytes: 0,
  startedWritingMillis: undefined,
  awaited: undefined,
  paused: undefined,
  interruptions: [],
  outages: []
})

/** Takes the plan's totals over. */
export const planned = (progress: RestoreProgress, plan: RestorePlan): void => {
  progress.backupId = plan.backupId
  progress.partitions = plan.topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
  progress.recordsTotal = Plan.records(plan)
}

/** Counts the records of each partition once, whether this attempt appended them or an earlier one. */
export const counting = (progress: RestoreProgress) => {
  const appended = new Map<PlannedPartition, number>()
  return {
    onAppended: (records: number, bytes: number, partition: PlannedPartition): void => {
      const before = appended.get(partition) ?? 0
      const now = Math.min(partition.records, before + records)
      appended.set(partition, now)
      progress.records += now - before
      progress.bytes += bytes
    },
    onProven: (partition: PlannedPartition): void => {
      progress.records += partition.records - (appended.get(partition) ?? 0)
      appended.set(partition, partition.records)
      progress.partitionsDone++
    }
  }
}

/** Share of the records that are in the target, 0 to 100; undefined before there is a plan. */
export const percent = ({ recordsTotal, records, step }: RestoreProgress): number | undefined =>
  step === "connecting" || step === "checking"
    ? undefined
    : recordsTotal === 0
      ? 100
      : Math.min(100, (records / recordsTotal) * 100)

/** What a restore serves under `/progress`, as JSON writes it: fields without a value are absent. */
export const report = (progress: RestoreProgress) => ({ ...progress, percent: percent(progress) ?? null })
