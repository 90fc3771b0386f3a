import { Exit } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as Explanation from "./Explanation.ts"

/**
 * The summary of a command that is no run, however it ended; `ofSuccess` adds what it found. Instants are milliseconds
 * since 1970.
 */
export const of = <A>(
  command: RunSummary["command"],
  startedMillis: number,
  completedMillis: number,
  exit: Exit.Exit<A, unknown>,
  ofSuccess: (value: A) => Partial<RunSummary>
): RunSummary => {
  const common = {
    version: 1,
    command,
    startedAt: new Date(startedMillis).toISOString(),
    completedAt: new Date(completedMillis).toISOString(),
    notes: []
  } as const
  if (Exit.isSuccess(exit)) {
    return { ...common, outcome: "success", exitCode: exitCodes.success, ...ofSuccess(exit.value) }
  }
  const { advice, exitCode, message, reason } = Explanation.explain(exit.cause)
  const outcome = exitCode === exitCodes.interrupted ? "interrupted" : "failed"
  return { ...common, outcome, exitCode, reason, message, advice }
}
