import { Effect } from "effect"
import { RunFailed } from "../cli/RunFailed.ts"
import * as FailureText from "../cli/FailureText.ts"
import { exitCodes, type ExitCode } from "../outcome/ExitCodes.ts"
import * as FailureReasons from "../outcome/FailureReasons.ts"

/** How something ended that a command waited for. */
export interface Ending {
  readonly outcome: "success" | "failed" | "interrupted"
  /** In one word, as the status has it. */
  readonly reason?: string | undefined
  readonly message: string
}

/** The exit code of the run itself where its reason tells it; else that nothing was proven. */
export const exitCode = ({ outcome, reason }: Ending): ExitCode => {
  if (outcome === "success") return exitCodes.success
  if (outcome === "interrupted") return exitCodes.interrupted
  return reason !== undefined && FailureReasons.isFailureReason(reason)
    ? FailureReasons.exitCode({ reason: { _tag: reason }, isRetryable: false })
    : exitCodes.notProven
}

/** What every failure says to programs: the exit code, and why; nothing of a success. */
export const failure = (ending: Ending, advice: string): object => {
  if (ending.outcome === "success") return {}
  const code = exitCode(ending)
  const { message, outcome, reason = outcome === "interrupted" ? "Interrupted" : "NotProven" } = ending
  return FailureText.facts({ reason, message, advice, exitCode: code, isRetryable: code >= exitCodes.temporary })
}

/** Ends the command as what it waited for has ended; well where it waited for nothing. */
export const conclude = (ending: Ending | undefined): Effect.Effect<void, RunFailed> => {
  const code = ending === undefined ? exitCodes.success : exitCode(ending)
  return code === exitCodes.success ? Effect.void : Effect.fail(new RunFailed({ exitCode: code }))
}
