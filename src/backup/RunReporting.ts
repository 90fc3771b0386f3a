import { Cause, Effect, Schema } from "effect"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import { heldBack } from "../manifest/RunPlan.ts"
import type { RunIdentity } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Explanation from "../worker/Explanation.ts"
import type { RunSuccess } from "./Run.ts"
import type { RunProgress } from "../worker/RunProgress.ts"
import { RunReport } from "./RunReport.ts"

/** What is known of a run however it ends; filled while it goes on. */
export interface RunContext {
  readonly startedMillis: number
  readonly progress: RunProgress
  identity: RunIdentity | undefined
  store: ObjectStoreShape | undefined
}

const common = ({ identity, progress, startedMillis, store }: RunContext, completedMillis: number) => ({
  version: 1 as const,
  ...(identity === undefined ? {} : { identity }),
  ...(progress.backupId === undefined ? {} : { backupId: progress.backupId }),
  ...(progress.attempt === 0 ? {} : { attempt: progress.attempt }),
  ...(store === undefined ? {} : { location: store.location }),
  startedAt: new Date(startedMillis).toISOString(),
  completedAt: new Date(completedMillis).toISOString(),
  added: {
    records: progress.records,
    fetchedBytes: progress.fetchedBytes,
    storedBytes: progress.storedBytes,
    segments: progress.segments
  },
  ...(progress.interruptions.length === 0 ? {} : { interruptions: progress.interruptions })
})

/** The report of a run that made or found its set. */
export const ofSuccess = (known: RunContext, completedMillis: number, success: RunSuccess): RunReport => ({
  ...common(known, completedMillis),
  outcome: "success",
  ...(success.alreadyComplete ? { alreadyComplete: true } : {}),
  totals: success.facts.totals,
  openTransactions: heldBack(success.plan),
  gaps: success.facts.gaps.map(({ from, partition, topic, until }) => ({ topic, partition, from, until })),
  retention: { kept: success.retention.kept, removed: success.retention.removed },
  exitCode: exitCodes.success,
  notes: [...success.facts.notes, ...success.retention.notes]
})

const again = ({ slot, trigger }: RunIdentity) =>
  trigger === undefined ? `repeat the run with --slot ${slot}` : `repeat the run with --slot ${slot} and its --trigger`

/** Why a run ended without a set. An interruption before anything was stored is told as what it is. */
export const explain = ({ identity, progress }: RunContext, cause: Cause.Cause<unknown>): Explanation.Explained => {
  const explained = Explanation.explain(cause)
  if (explained.exitCode !== exitCodes.interrupted || identity === undefined) return explained
  // The error itself knows of slots only.
  if (!Cause.hasInterruptsOnly(cause)) {
    return identity.trigger === undefined ? explained : { ...explained, advice: again(identity) }
  }
  return {
    ...explained,
    message:
      progress.backupId === undefined
        ? "interrupted before the backup had begun: nothing was stored"
        : `${progress.backupId} was interrupted; what is stored so far is remembered`,
    advice: again(identity)
  }
}

/** The report of a run without a set. */
export const ofFailure = (known: RunContext, completedMillis: number, explained: Explanation.Explained): RunReport => {
  const { advice, exitCode, isRetryable, message, reason } = explained
  return {
    ...common(known, completedMillis),
    outcome: exitCode === exitCodes.interrupted ? "interrupted" : "failed",
    openTransactions: [],
    gaps: [],
    error: { reason, message, advice, isRetryable },
    exitCode,
    notes: []
  }
}

/** The report as it is kept. */
export const text = (report: RunReport): string => `${JSON.stringify(Schema.encodeSync(RunReport)(report), null, 2)}\n`

/** Writes the report beside a set that this run made: for whoever looks at it later, the set is complete without it. */
export const keep = Effect.fn("RunReporting.keep")(function* (report: RunReport, store: ObjectStoreShape | undefined) {
  if (store === undefined || report.outcome !== "success") return
  if (report.backupId === undefined || report.alreadyComplete) return
  yield* store
    .put(BackupKeys.report(report.backupId), [SealedJson.seal(RunReport, report)])
    .pipe(
      Effect.catch((error) =>
        Effect.logWarning("the report is not beside the set").pipe(Effect.annotateLogs({ error: error.message }))
      )
    )
})
