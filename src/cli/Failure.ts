import { Cause, Effect, Option } from "effect"
import { CliError } from "effect/cli"
import * as ExitCode from "../backup/ExitCode.ts"
import { RunError } from "../backup/RunError.ts"
import { KafkaError } from "../kafka/KafkaError.ts"
import { CatalogueError } from "../manifest/CatalogueError.ts"
import { SegmentError } from "../segment/SegmentError.ts"
import { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import { NotInBackup } from "./ExportCommand.ts"
import { BadManifest } from "./Resource.ts"
import { VerificationFailed } from "./VerifyCommand.ts"

const isBackupFailure = (error: unknown): error is ExitCode.BackupFailure =>
  error instanceof RunError ||
  error instanceof KafkaError ||
  error instanceof ObjectStoreError ||
  error instanceof SegmentError ||
  error instanceof CatalogueError

/** What one failure is to a person and to a Job: text, next step, exit code. */
export interface Explained {
  readonly reason: string
  readonly message: string
  readonly advice: string | undefined
  readonly isRetryable: boolean
  readonly exitCode: number
}

/** Explains an expected failure; undefined for anything else, which is a defect. */
export const explain = (error: unknown): Explained | undefined => {
  if (isBackupFailure(error)) {
    return {
      reason: error.reason._tag,
      message: error.message,
      advice: error.advice,
      isRetryable: error.isRetryable,
      exitCode: ExitCode.of(error)
    }
  }
  if (error instanceof BadManifest || error instanceof VerificationFailed || error instanceof NotInBackup) {
    return {
      reason: error._tag,
      message: error.message,
      advice: "advice" in error ? error.advice : undefined,
      isRetryable: false,
      exitCode: error.exitCode
    }
  }
  return undefined
}

/** Says on standard error what went wrong and what to do; a defect alone shows its stack. Gives the exit code. */
export const report = (cause: Cause.Cause<unknown>): Effect.Effect<number> =>
  Effect.sync(() => {
    if (Cause.hasInterruptsOnly(cause)) return ExitCode.exitCodes.interrupted
    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (CliError.isCliError(error)) return ExitCode.exitCodes.usage // shown by the command line itself
    const explained = Cause.hasDies(cause) ? undefined : explain(error)
    if (explained === undefined) {
      process.stderr.write(`internal error, please report it:\n${Cause.pretty(cause)}\n`)
      return ExitCode.exitCodes.internal
    }
    process.stderr.write(`error: ${explained.message}\n`)
    if (explained.advice !== undefined) process.stderr.write(`what to do: ${explained.advice}\n`)
    return explained.exitCode
  })
