import * as Format from "../status/Format.ts"
import type { HistoryEntry, Status } from "../status/Status.ts"
import type { Ending } from "./Ending.ts"
import * as Following from "./Following.ts"
import * as Progress from "./Progress.ts"

/** The end of a run that a trigger asked for. */
export interface EndedRun extends Ending {
  readonly run: HistoryEntry
}

/** What is known of the run before it is waited for. */
export interface Asked {
  readonly token: string
  /** Backups of the history at the time of asking. */
  readonly known: ReadonlySet<string>
}

export const idsOf = ({ backupHistory = [] }: Status): ReadonlySet<string> =>
  new Set(backupHistory.flatMap(({ backupId }) => backupId ?? []))

const ended = (run: HistoryEntry): EndedRun => {
  const { backupId, message, outcome, reason, records, size } = run
  const holds = [
    records === undefined ? undefined : `${Format.count(records)} records`,
    size === undefined ? undefined : Format.bytes(size)
  ].filter((part) => part !== undefined)
  return {
    run,
    outcome: outcome === "success" ? "success" : outcome === "interrupted" ? "interrupted" : "failed",
    reason,
    message:
      outcome === "success"
        ? `${backupId ?? "the backup"} is complete and verified${holds.length === 0 ? "" : `: ${holds.join(" in ")}`}`
        : `${backupId ?? "the run"}: ${message ?? "no reason was reported"}`
  }
}

const readyText = ({ conditions = [] }: Status): string => {
  const ready = conditions.find(({ type }) => type === "Ready")
  return ready === undefined ? "the operator has not reported on this resource yet" : ready.message
}

/**
 * How far the run of the trigger is. A new trigger waits for the active run to end; once the operator has handled it,
 * its run is the one with the cause `trigger` that was not there before. Pure.
 */
export const of = (status: Status, { known, token }: Asked): Following.Step<EndedRun> => {
  const { activeRun, backupHistory = [], handledTrigger, pendingTrigger, progress } = status
  if (handledTrigger !== token) {
    if (activeRun !== undefined || pendingTrigger?.token === token) {
      return Following.going(`waiting for the run ${activeRun?.backupId ?? "before it"} to end`)
    }
    return Following.going(`waiting for the operator: ${readyText(status)}`)
  }
  // The newest first: only one run has started since.
  const run = backupHistory.find(
    ({ backupId, cause }) => cause === "trigger" && backupId !== undefined && !known.has(backupId)
  )
  if (activeRun !== undefined && activeRun.cause === "trigger") {
    return Following.going(`${activeRun.backupId}: ${Progress.line(progress)}`)
  }
  return run === undefined ? Following.going(`waiting for the run: ${readyText(status)}`) : Following.over(ended(run))
}
