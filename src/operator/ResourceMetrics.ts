import { Effect } from "effect"
import type { EndedRun, Facts } from "../status/Facts.ts"
import type { Status } from "../status/Status.ts"
import * as Ready from "../status/Ready.ts"
import * as Format from "../status/Format.ts"
import type { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import type { ResourceState } from "../telemetry/OperatorReport.ts"
import type { Observed } from "./Observed.ts"

/** Reports what a reconcile wrote: the resource's state, and what is new in it. */
export const report = Effect.fn("ResourceMetrics.report")(function* (
  metrics: OperatorMetrics["Service"],
  { name, namespace, previous }: Pick<Observed, "name" | "namespace" | "previous">,
  facts: Facts,
  next: Status
) {
  const ref = { namespace, name }
  yield* metrics.resource(ref, state(facts, next))
  for (const run of facts.ended.filter((ended) => isNew(previous, next, ended))) {
    yield* metrics.runEnded(ref, {
      outcome: run.outcome,
      durationSeconds: (run.endMillis - run.startMillis) / 1000,
      reason: run.reason,
      addedBytes: run.addedBytes,
      addedRecords: run.addedRecords,
      verifiedBytes: run.verifiedBytes,
      healedObjects: run.healedObjects
    })
  }
  for (const { count, reason } of facts.skipped) yield* metrics.slotsSkipped(ref, reason, count)
  for (const { isSuccess, task } of facts.maintenance) {
    if (task === "prune") yield* metrics.pruneEnded(ref, isSuccess ? "success" : "failed")
  }
})

/** The run is in the history now and was not before. */
const isNew = (previous: Status, next: Status, run: EndedRun): boolean => {
  const holds = ({ backupHistory }: Status) =>
    backupHistory?.some(({ jobName, outcome }) => jobName === run.jobName && outcome === run.outcome) ?? false
  return holds(next) && !holds(previous)
}

/** A condition's answer; undefined while it is Unknown or absent. */
const answerOf = ({ conditions }: Status, type: "Ready" | "DataVerified"): boolean | undefined => {
  const status = conditions?.find((condition) => condition.type === type)?.status
  return status === "True" ? true : status === "False" ? false : undefined
}

/** From the status, so that another replica says the same of a run that ended before it led. */
const lastOutcome = ({ backupHistory = [] }: Status): ResourceState["lastOutcome"] => {
  const outcome = backupHistory.find((entry) => entry.outcome !== "skipped")?.outcome
  return outcome === "skipped" ? undefined : outcome
}

const state = ({ queue, state }: Facts, next: Status): ResourceState => {
  const { lastBackupRecords = 0, lastBackupSize = 0, phase = "Pending", scheduledSince } = next
  const succeeded = Ready.succeededTime(next)
  const oldestTime = next.verification?.oldestTime
  return {
    phase,
    isReady: answerOf(next, "Ready") === true,
    isSuspended: state?._tag === "Suspended",
    lastOutcome: lastOutcome(next),
    lastSuccess:
      succeeded === undefined
        ? undefined
        : { atMillis: Format.millis(succeeded), sizeBytes: lastBackupSize, records: lastBackupRecords },
    queuedSinceMillis: queue?.sinceMillis,
    damagedBackups: next.damage?.backups,
    lockedBackups: next.locked?.backups ?? 0,
    isDataVerified: answerOf(next, "DataVerified"),
    oldestReadMillis: oldestTime === undefined ? undefined : Format.millis(oldestTime),
    storedBytes: next.verification?.storedBytes,
    expected:
      state?._tag === "Scheduled" && state.intervalSeconds !== undefined && scheduledSince !== undefined
        ? { intervalSeconds: state.intervalSeconds, sinceMillis: Format.millis(scheduledSince) }
        : undefined
  }
}
