import type { Exit } from "effect"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as CommandSummary from "../worker/CommandSummary.ts"

/** The summary of a pod that ended the retention hold of a restore. Instants are milliseconds since 1970. */
export const summary = (
  startedMillis: number,
  completedMillis: number,
  exit: Exit.Exit<unknown, unknown>
): RunSummary => ({
  ...CommandSummary.of("restore", startedMillis, completedMillis, exit, () => ({})),
  restore: {}
})
