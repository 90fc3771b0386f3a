import { Effect, FileSystem } from "effect"

/** Of a report, what tells whether it proves a restore. */
interface Told {
  readonly outcome?: unknown
  readonly dryRun?: unknown
  readonly completedAt?: unknown
}

/** When the restore was complete that this text is the report of; undefined: it proves none. Pure. */
export const provenAt = (text: string): string | undefined => {
  try {
    const { completedAt, dryRun, outcome } = JSON.parse(text) as Told
    return outcome === "success" && dryRun === false && typeof completedAt === "string" ? completedAt : undefined
  } catch {
    return undefined
  }
}

/** `report.json` of 06:00 becomes `report.2026-03-01T06-00-00.000Z.json`. Pure. */
export const asideName = (file: string, completedAt: string): string => {
  const [, stem = file, end = ""] = /^(.*?)(\.[^./\\]*)?$/su.exec(file) ?? []
  return `${stem}.${completedAt.replaceAll(/[^\w.-]/gu, "-")}${end}`
}

/**
 * Moves the report of a restore that succeeded out of the way of the next one: it is the proof, and a repeat may have
 * nothing left to prove. False where it could not be moved; then nothing may be written there.
 */
export const moveAside = Effect.fn("KeptProof.moveAside")(function* (file: string | undefined) {
  if (file === undefined) return true
  const fs = yield* FileSystem.FileSystem
  // A pipe or a terminal holds nothing, and would have to be waited for.
  const found = yield* Effect.orElseSucceed(fs.stat(file), () => undefined)
  if (found?.type !== "File") return true
  const completedAt = provenAt(yield* Effect.orElseSucceed(fs.readFileString(file), () => ""))
  if (completedAt === undefined) return true
  const kept = asideName(file, completedAt)
  return yield* fs.rename(file, kept).pipe(
    Effect.andThen(
      Effect.logInfo("the report of the earlier success is kept").pipe(Effect.annotateLogs({ file: kept }))
    ),
    Effect.as(true),
    Effect.catch((error) =>
      Effect.logError("the report is not written: the file holds the proof of an earlier success").pipe(
        Effect.annotateLogs({ file, error: error.message }),
        Effect.as(false)
      )
    )
  )
})
