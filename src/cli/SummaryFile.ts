import { Clock, Effect, FileSystem } from "effect"
import * as Summarizing from "../backup/Summarizing.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as SummaryCodec from "../outcome/SummaryCodec.ts"

/**
 * Writes the summary to `file`, if given. Writes into an existing file: a container's termination log is mounted and
 * cannot be replaced. A failure is logged and does not change the outcome.
 */
export const write = Effect.fn("SummaryFile.write")(function* (file: string | undefined, summary: RunSummary) {
  if (file === undefined) return
  const fs = yield* FileSystem.FileSystem
  yield* fs
    .writeFileString(file, SummaryCodec.encode(summary))
    .pipe(
      Effect.catch((error) =>
        Effect.logError("the summary could not be written").pipe(Effect.annotateLogs({ file, error: error.message }))
      )
    )
})

/** Runs a maintenance command and writes its summary, also when it fails or is interrupted. */
export const recording = <E, R>(
  command: "prune" | "list",
  file: string | undefined,
  work: Effect.Effect<Summarizing.MaintenanceResult, E, R>
): Effect.Effect<void, E, R | FileSystem.FileSystem> =>
  Effect.flatMap(Clock.currentTimeMillis, (startedMillis) =>
    work.pipe(
      Effect.onExit((exit) =>
        Effect.flatMap(Clock.currentTimeMillis, (completedMillis) =>
          write(file, Summarizing.ofMaintenance(command, startedMillis, completedMillis, exit))
        )
      ),
      Effect.asVoid
    )
  )
