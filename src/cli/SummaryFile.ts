import { Clock, Effect, FileSystem } from "effect"
import { writeFileSync } from "node:fs"
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

/** The same for a process that ends at once. A failure changes nothing. */
export const writeNow = (file: string | undefined, summary: RunSummary): void => {
  if (file === undefined) return
  try {
    writeFileSync(file, SummaryCodec.encode(summary))
  } catch (error) {
    process.stderr.write(`the summary could not be written to ${file}: ${String(error)}\n`)
  }
}

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
