import { Cause, Console, Effect, Option } from "effect"
import { CliError } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Explanation from "../worker/Explanation.ts"

/** What is wrong and what to do, for people, on standard error. */
const tell = ({ advice, message }: Explanation.Explained): Effect.Effect<void> =>
  Console.error(`error: ${message}\nwhat to do: ${advice}`)

/** Says on standard error why a command failed; gives the exit code. */
export const report = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  // Shown by the command line itself.
  if (CliError.isCliError(Option.getOrUndefined(Cause.findErrorOption(cause)))) {
    return Effect.succeed(exitCodes.usage)
  }
  const explained = Explanation.explain(cause)
  // Who pressed Ctrl-C knows.
  return Effect.as(explained.reason === "Interrupted" ? Effect.void : tell(explained), explained.exitCode)
}
