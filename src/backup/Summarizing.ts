import { Exit } from "effect"
import type { CatalogueSummary, RunSummary } from "../outcome/RunSummary.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Explanation from "../worker/Explanation.ts"
import type { RunReport } from "./RunReport.ts"

const gone = (from: number, until: number) =>
  until - from === 1
    ? `offset ${from} was gone before it could be read`
    : `offsets ${from} to ${until - 1} were gone before they could be read`

const notes = ({ gaps, notes: others, openTransactions }: RunReport): ReadonlyArray<string> => [
  ...openTransactions.map(
    ({ partition, topic, until }) => `${topic}/${partition} is held back at offset ${until} by an open transaction`
  ),
  ...gaps.map(({ from, partition, topic, until }) => `${topic}/${partition} has a gap: ${gone(from, until)}`),
  ...others
]

/** The end of a run, from its report and from what retention found in storage. */
export const ofRun = (report: RunReport, catalogue?: CatalogueSummary): RunSummary => ({
  version: 1,
  command: "run",
  outcome: report.outcome,
  exitCode: report.exitCode,
  startedAt: report.startedAt,
  completedAt: report.completedAt,
  ...(report.backupId === undefined ? {} : { backupId: report.backupId }),
  ...(report.totals === undefined ? {} : { size: report.totals.storedBytes, records: report.totals.records }),
  ...(report.added === undefined ? {} : { addedBytes: report.added.storedBytes, addedRecords: report.added.records }),
  ...(report.alreadyComplete === undefined ? {} : { alreadyComplete: report.alreadyComplete }),
  ...(report.error === undefined
    ? {}
    : { reason: report.error.reason, message: report.error.message, advice: report.error.advice }),
  notes: notes(report),
  ...(report.retention === undefined ? {} : { removed: report.retention.removed.length }),
  ...(catalogue === undefined ? {} : { catalogue })
})

/** What a command on sets has to tell when it ends well. */
export interface MaintenanceResult {
  readonly removed?: number
  readonly catalogue?: CatalogueSummary
}

/** The end of a command on sets. Instants are milliseconds since 1970. */
export const ofMaintenance = (
  command: "prune" | "list",
  startedMillis: number,
  completedMillis: number,
  exit: Exit.Exit<MaintenanceResult, unknown>
): RunSummary => {
  const common = {
    version: 1,
    command,
    startedAt: new Date(startedMillis).toISOString(),
    completedAt: new Date(completedMillis).toISOString(),
    notes: []
  } as const
  if (Exit.isSuccess(exit)) {
    const { catalogue, removed } = exit.value
    return {
      ...common,
      outcome: "success",
      exitCode: exitCodes.success,
      ...(removed === undefined ? {} : { removed }),
      ...(catalogue === undefined ? {} : { catalogue })
    }
  }
  const { advice, exitCode, message, reason } = Explanation.explain(exit.cause)
  return {
    ...common,
    outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
    exitCode,
    reason,
    message,
    advice
  }
}
