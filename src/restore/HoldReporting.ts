import { Exit } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as Explanation from "../worker/Explanation.ts"

/** The summary of a pod that ended the retention hold of a restore. Instants are milliseconds since 1970. */
export const summary = (
  startedMillis: number,
  completedMillis: number,
  exit: Exit.Exit<unknown, unknown>
): RunSummary => {
  const common = {
    version: 1,
    command: "restore",
    startedAt: new Date(startedMillis).toISOString(),
    completedAt: new Date(completedMillis).toISOString(),
    notes: [],
    restore: {}
  } as const
  if (Exit.isSuccess(exit)) return { ...common, outcome: "success", exitCode: exitCodes.success }
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
