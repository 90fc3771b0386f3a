import { Cause, Option } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as FailureReasons from "../outcome/FailureReasons.ts"

/** Recognises errors by reason, advice and retryability, whichever room they come from. */
const isFailure = (error: unknown): error is FailureReasons.Failure =>
  error instanceof Error &&
  "reason" in error &&
  "advice" in error &&
  "isRetryable" in error &&
  typeof error.reason === "object" &&
  error.reason !== null &&
  "_tag" in error.reason &&
  typeof error.reason._tag === "string" &&
  FailureReasons.isFailureReason(error.reason._tag)

/** An error of a single command, with its own exit code and advice. */
interface CommandError extends Error {
  readonly _tag: string
  readonly advice: string
  readonly exitCode: number
  /** Absent: as the exit code says. */
  readonly isRetryable?: boolean
}

const isCommandError = (error: unknown): error is CommandError =>
  error instanceof Error && "_tag" in error && "advice" in error && "exitCode" in error

/** One of several things that are wrong at once. */
export interface Problem {
  /** In one word, for programs and for the search in the documentation. */
  readonly reason?: string
  readonly message: string
  /** Absent: that of the failure. */
  readonly advice?: string
}

/** A failure as a person and a Job see it: reason, message, next step, exit code. */
export interface Explained {
  readonly reason: string
  readonly message: string
  readonly advice: string
  readonly isRetryable: boolean
  readonly exitCode: number
  /** The message without the problems that it lists; absent where it lists none. */
  readonly headline?: string
  /** Present where several things may be wrong at once: each of them. */
  readonly problems?: ReadonlyArray<Problem>
}

/** What an error says that names everything that is wrong at once. */
interface Listing {
  readonly headline: string
  readonly objections: ReadonlyArray<Problem>
}

const isListing = (error: object): error is Listing =>
  "headline" in error && typeof error.headline === "string" && "objections" in error && Array.isArray(error.objections)

const listed = (error: object): Pick<Explained, "headline" | "problems"> =>
  isListing(error) && error.objections.length > 0 ? { headline: error.headline, problems: error.objections } : {}

/** The advice for several problems: what holds for two of them is said once. */
export const adviceFor = (problems: ReadonlyArray<{ readonly advice: string }>): string =>
  [...new Set(problems.map(({ advice }) => advice))].join("; ")

/** Explains an expected failure; undefined for anything else, which is a defect. */
const expected = (error: unknown): Explained | undefined => {
  if (isFailure(error)) {
    return {
      reason: error.reason._tag,
      message: error.message,
      advice: error.advice,
      isRetryable: error.isRetryable,
      exitCode: FailureReasons.exitCode(error),
      ...listed(error)
    }
  }
  if (isCommandError(error)) {
    const { _tag: reason, advice, exitCode, isRetryable = exitCode >= exitCodes.temporary, message } = error
    return { reason, message, advice, isRetryable, exitCode, ...listed(error) }
  }
  return undefined
}

/** Explains why something ended: an expected failure, an interruption, or a defect. */
export const explain = (cause: Cause.Cause<unknown>): Explained => {
  if (Cause.hasInterruptsOnly(cause)) {
    return {
      reason: "Interrupted",
      message: "interrupted",
      advice: "repeat the command",
      isRetryable: true,
      exitCode: exitCodes.interrupted
    }
  }
  const error = Cause.hasDies(cause) ? undefined : expected(Option.getOrUndefined(Cause.findErrorOption(cause)))
  return (
    error ?? {
      reason: "InternalError",
      message: `internal error: ${Cause.pretty(cause)}`,
      advice: "please report it with the lines above",
      isRetryable: false,
      exitCode: exitCodes.internal
    }
  )
}
