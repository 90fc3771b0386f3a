import type { Exit } from "effect"
import type { CatalogueSummary, LockedSummary, RunSummary } from "../outcome/RunSummary.ts"
import type { DamageSummary } from "../outcome/VerificationSummary.ts"
import type { Protection } from "../storage/Protection.ts"
import * as CommandSummary from "../worker/CommandSummary.ts"
import type { RunReport } from "./RunReport.ts"

const gap = (from: number, until: number) =>
  until - from === 1
    ? `Kafka deleted offset ${from} before it could be read`
    : `Kafka deleted offsets ${from} to ${until - 1} before they could be read`

/** Full reads that nobody has to be told of: names of FullReason.ts. */
const expected: ReadonlySet<string> = new Set(["FullAsked", "FullDue", "NoEarlierBackup"])

const notes = ({ gaps, notes: others, openTransactions, readInFull }: RunReport): ReadonlyArray<string> => [
  ...openTransactions.map(
    ({ partition, topic, until }) =>
      `the backup of ${topic}/${partition} ends at offset ${until}: a transaction is open there`
  ),
  ...gaps.map(({ from, partition, topic, until }) => `${topic}/${partition} has a gap: ${gap(from, until)}`),
  ...(readInFull ?? [])
    .filter(({ reason }) => !expected.has(reason))
    .map(
      ({ partitions, why }) =>
        `${partitions} ${partitions === 1 ? "partition was" : "partitions were"} read in full: ${why}`
    ),
  ...others
]

/** The backups that retention held back, in one text. */
export const heldBack = (
  held: ReadonlyArray<{ readonly backupId: string; readonly why: string }> = []
): { readonly heldBack?: string } =>
  held.length === 0 ? {} : { heldBack: held.map(({ backupId, why }) => `${backupId}: ${why}`).join("; ") }

/** The backups that retention leaves because the store locks them. Others that stay for now are not counted. */
export const locked = (
  kept: ReadonlyArray<{ readonly lock?: Protection }> = []
): { readonly locked?: LockedSummary } => {
  const locks = kept.flatMap(({ lock }) => (lock === undefined ? [] : [lock]))
  if (locks.length === 0) return {}
  const ends = locks.flatMap(({ untilMillis }) => (untilMillis === undefined ? [] : [untilMillis]))
  const held = locks.filter(({ isHeld, untilMillis }) => isHeld === true || untilMillis === undefined).length
  return {
    locked: {
      sets: locks.length,
      ...(ends.length === 0 ? {} : { firstMillis: Math.min(...ends), lastMillis: Math.max(...ends) }),
      ...(held === 0 ? {} : { held })
    }
  }
}

/** The summary of a run, from its report and from the sets that retention found in storage. */
export const ofRun = (report: RunReport, catalogue?: CatalogueSummary, shard?: RunSummary["shard"]): RunSummary => ({
  version: 1,
  command: "run",
  outcome: report.outcome,
  exitCode: report.exitCode,
  startedAt: report.startedAt,
  completedAt: report.completedAt,
  ...(report.backupId === undefined ? {} : { backupId: report.backupId }),
  ...(report.totals === undefined
    ? {}
    : {
        size: report.totals.storedBytes,
        records: report.totals.records,
        topics: report.totals.topics,
        partitions: report.totals.partitions
      }),
  ...(report.added === undefined ? {} : { addedBytes: report.added.storedBytes, addedRecords: report.added.records }),
  ...(report.alreadyComplete === undefined ? {} : { alreadyComplete: report.alreadyComplete }),
  ...(report.made === undefined
    ? {}
    : {
        made: {
          startedMillis: Date.parse(report.made.startedAt),
          completedMillis: Date.parse(report.made.completedAt)
        }
      }),
  ...(report.error === undefined
    ? {}
    : { reason: report.error.reason, message: report.error.message, advice: report.error.advice }),
  ...(report.waitedFor === undefined ? {} : { waitedFor: report.waitedFor }),
  ...(shard === undefined ? {} : { shard }),
  notes: notes(report),
  ...(report.retention === undefined ? {} : { removed: report.retention.removed.length }),
  ...(report.retention?.rules === undefined ? {} : { retention: report.retention.rules }),
  ...heldBack(report.retention?.heldBack),
  ...locked(report.retention?.locked),
  ...(report.verification === undefined ? {} : { verification: report.verification }),
  ...(report.healedObjects === undefined ? {} : { healedObjects: report.healedObjects }),
  ...(report.damaged === undefined ? {} : { damaged: report.damaged }),
  ...(catalogue === undefined ? {} : { catalogue })
})

/** The result of a command on sets that succeeded. */
export interface MaintenanceResult {
  readonly removed?: number
  readonly retention?: string
  readonly heldBack?: string
  readonly locked?: LockedSummary
  readonly notes?: ReadonlyArray<string>
  /** Which of the resource's backups are known to be damaged; `sets` is 0 where none is. */
  readonly damaged?: DamageSummary
  readonly catalogue?: CatalogueSummary
}

/** The summary of a command on sets. Instants are milliseconds since 1970. */
export const ofMaintenance = (
  command: "prune" | "list",
  startedMillis: number,
  completedMillis: number,
  exit: Exit.Exit<MaintenanceResult, unknown>
): RunSummary =>
  CommandSummary.of(
    command,
    startedMillis,
    completedMillis,
    exit,
    ({ catalogue, damaged, heldBack: held, locked: lockedSets, notes = [], removed, retention }) => ({
      notes,
      ...(retention === undefined ? {} : { retention }),
      ...(removed === undefined ? {} : { removed }),
      ...(held === undefined ? {} : { heldBack: held }),
      ...(lockedSets === undefined ? {} : { locked: lockedSets }),
      ...(damaged === undefined ? {} : { damaged }),
      ...(catalogue === undefined ? {} : { catalogue })
    })
  )
