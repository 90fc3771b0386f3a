import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer, Logger, Option, References } from "effect"
import { CliError, Command } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import { version } from "../version.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as FailureText from "./FailureText.ts"
import * as FramedOutput from "./FramedOutput.ts"
import * as InvocationText from "./InvocationText.ts"
import * as LogLine from "./LogLine.ts"
import * as Presentation from "./Presentation.ts"
import { RunFailed } from "./RunFailed.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** How a program of commands starts and ends, whatever its commands do. */

const logging = Layer.mergeAll(
  Logger.layer([process.stderr.isTTY ? Logger.consolePretty() : Logger.withConsoleError(LogLine.format)]),
  Layer.succeed(Logger.LogToStderr, true),
  // On a terminal the progress line shows what happens; the log shows only problems.
  Layer.succeed(References.MinimumLogLevel, process.stderr.isTTY ? "Warn" : "Info")
)

/** True for `-o json`, also where something else on the command line is wrong. */
const wantsJson = (args: ReadonlyArray<string>): boolean =>
  args.some(
    (arg, at) => /^(-o|--output)=json$/u.test(arg) || ((arg === "-o" || arg === "--output") && args[at + 1] === "json")
  )

/** With `-o json` a failure is a document on standard output, too, unless the command has written its own. */
const answer = Effect.fnUntraced(function* (args: ReadonlyArray<string>, explained: Explanation.Explained) {
  if (!wantsJson(args) || (yield* StandardOutput.Written).isBegun) return
  // The exit code and standard error say the same to a reader that has gone.
  yield* Effect.ignore(StandardOutput.print(FailureText.json(explained)))
})

/** What is wrong: an error that shows the help only carries it. */
const wrong = (error: CliError.CliError): string =>
  InvocationText.lines(error._tag === "ShowHelp" ? error.errors : [error]).join("; ")

/** A wrong command line, which has been shown with its help. */
const misused = (error: CliError.CliError): Explanation.Explained => ({
  reason: "UsageError",
  message: wrong(error),
  advice: "see --help of the command",
  isRetryable: false,
  exitCode: exitCodes.usage
})

/** Reports why a command failed: to people on standard error, to programs on standard output; returns the exit code. */
const report = Effect.fnUntraced(function* (args: ReadonlyArray<string>, cause: Cause.Cause<unknown>) {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error instanceof RunFailed) return error.exitCode
  const explained = CliError.isCliError(error) ? misused(error) : Explanation.explain(cause)
  yield* answer(args, explained)
  // The command line has shown its own errors already, and who pressed Ctrl-C needs no message.
  if (!CliError.isCliError(error) && explained.reason !== "Interrupted") {
    yield* Console.error(FailureText.text(explained))
  }
  return explained.exitCode
})

/** What a stop means now. */
const stopOf = ({ interruption }: typeof Shutdown.Outcome.Service): Explanation.Explained =>
  Explanation.explain(interruption === undefined ? Cause.interrupt() : Cause.fail(interruption))

/** Reports a signal. Who pressed Ctrl-C needs no message, but where something goes on without the command. */
const reportStop = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  const outcome = yield* Shutdown.Outcome
  const explained = stopOf(outcome)
  if (outcome.interruption !== undefined) {
    outcome.exitCode ??= explained.exitCode
    yield* Console.error(FailureText.text(explained))
  }
  yield* answer(args, explained)
})

/** Runs the command on these arguments, reports a failure, and returns the exit code. */
export const main = <Name extends string, Input, E, R, Context>(
  command: Command.Command<Name, Input, Context, E, R>,
  args: ReadonlyArray<string>,
  written: typeof StandardOutput.Written.Service = { isBegun: false }
) =>
  Command.runWith(command, { version })(args).pipe(
    Effect.as<number>(exitCodes.success),
    Effect.catchCause((cause) => report(args, cause)),
    // A signal ends the command without a chance to catch anything.
    Effect.onInterrupt(() => reportStop(args)),
    Effect.provideService(StandardOutput.Written, written),
    Effect.provide(Presentation.layer)
  )

/** Marks what goes to standard output, where the environment asks for it. */
const marked = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  if (process.env[FramedOutput.variable] !== FramedOutput.framed) return program
  return Effect.flatMap(StandardOutput.Writer, (plain) => {
    const { end, write } = FramedOutput.writer(plain)
    // Without its end the output counts as cut off: nothing else is to be done about it here.
    return Effect.ensuring(Effect.provideService(program, StandardOutput.Writer, write), Effect.ignore(end))
  })
}

/** Runs this process as the command, with these ports. The second signal ends it with the message `stopped`. */
export const start = <Name extends string, Input, E, Context, Ports>(
  command: Command.Command<Name, Input, Context, E, Ports | NodeServices.NodeServices>,
  ports: Layer.Layer<Ports>,
  stopped: string
): void => {
  const args = process.argv.slice(2)
  const outcome: typeof Shutdown.Outcome.Service = { exitCode: undefined }
  const written: typeof StandardOutput.Written.Service = { isBegun: false }

  // A write reports by itself that its reader has gone; without a listener the process would end with a stack trace.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

  Shutdown.onSecondSignal(() => {
    if (outcome.exitCode !== undefined) return Shutdown.end(outcome.exitCode)
    const explained = stopOf(outcome)
    const ended: Shutdown.EndedAtOnce = outcome.endAtOnce?.() ?? { exitCode: explained.exitCode, message: stopped }
    const { document = FailureText.json(explained), exitCode, message } = ended
    process.stderr.write(`${message}\n`)
    if (wantsJson(args) && !written.isBegun) process.stdout.write(`${document}\n`)
    Shutdown.end(exitCode)
  })

  const program = main(command, args, written).pipe(
    marked,
    Effect.provideService(Shutdown.Outcome, outcome),
    Effect.provide(ports.pipe(Layer.provideMerge(NodeServices.layer), Layer.provideMerge(logging)))
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      const code = outcome.exitCode ?? (Exit.isSuccess(exit) ? exit.value : exitCodes.interrupted)
      if (code === exitCodes.success) onExit(exitCodes.success)
      else Shutdown.end(typeof code === "number" ? code : exitCodes.internal)
    }
  })
}
