import { Cause, Effect, FileSystem, Schema } from "effect"
import { exitCodes } from "../backup/ExitCode.ts"
import type { RunSuccess } from "../backup/Run.ts"
import type { RunProgress } from "../backup/RunProgress.ts"
import { RunReport } from "../backup/RunReport.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import { heldBack } from "../manifest/RunPlan.ts"
import type { RunIdentity } from "../plan/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Failure from "./Failure.ts"

/** What is known of a run however it ends; filled while it goes on. */
export interface Known {
  readonly startedMillis: number
  readonly progress: RunProgress
  identity: RunIdentity | undefined
  store: ObjectStoreShape | undefined
}

const common = ({ identity, progress, startedMillis, store }: Known, completedMillis: number) => ({
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
export const ofSuccess = (known: Known, completedMillis: number, success: RunSuccess): RunReport => ({
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

/** Why a run ended without a set. An interruption before anything was stored is told as what it is. */
export const explain = ({ identity, progress }: Known, cause: Cause.Cause<unknown>): Failure.Explained => {
  const explained = Failure.explain(cause)
  if (!Cause.hasInterruptsOnly(cause) || identity === undefined) return explained
  return {
    ...explained,
    message:
      progress.backupId === undefined
        ? "interrupted before the backup had begun: nothing was stored"
        : `${progress.backupId} was interrupted; what is stored so far is remembered`,
    advice: `repeat the run with --slot ${identity.slot}`
  }
}

/** The report of a run without a set. */
export const ofFailure = (known: Known, completedMillis: number, explained: Failure.Explained): RunReport => {
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

/** Writes the report to `file`, where one is wanted, and beside a set that this run made. Neither makes the run worse. */
export const write = Effect.fn("RunReporting.write")(function* (
  report: RunReport,
  file: string | undefined,
  store: ObjectStoreShape | undefined
) {
  const text = `${JSON.stringify(Schema.encodeSync(RunReport)(report), null, 2)}\n`
  if (file !== undefined) {
    const fs = yield* FileSystem.FileSystem
    yield* fs
      .writeFileString(file, text)
      .pipe(
        Effect.catch((error) =>
          Effect.logError("the report could not be written").pipe(Effect.annotateLogs({ file, error: error.message }))
        )
      )
  }
  if (store !== undefined && report.outcome === "success" && report.backupId !== undefined && !report.alreadyComplete) {
    // For whoever looks at the set later; it is complete without it.
    yield* store
      .put(BackupKeys.report(report.backupId), [Buffer.from(text)])
      .pipe(
        Effect.catch((error) =>
          Effect.logWarning("the report is not beside the set").pipe(Effect.annotateLogs({ error: error.message }))
        )
      )
  }
})
