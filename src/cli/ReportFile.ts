import { Effect, FileSystem } from "effect"

/** Writes the report to `file`, if given. A failure is logged and does not change the outcome. */
export const write = Effect.fnUntraced(function* (written: object, file: string | undefined) {
  if (file === undefined) return
  const fs = yield* FileSystem.FileSystem
  yield* fs
    .writeFileString(file, `${JSON.stringify(written, null, 2)}\n`)
    .pipe(
      Effect.catch((error) =>
        Effect.logError("the report could not be written").pipe(Effect.annotateLogs({ file, error: error.message }))
      )
    )
})
