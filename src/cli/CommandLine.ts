import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer, Logger, Option, References } from "effect"
import { CliError, Command } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { KafkaSinks } from "../kafka/KafkaSink.ts"
import type { KafkaSources } from "../kafka/KafkaSource.ts"
import type { ObjectStores } from "../storage/ObjectStore.ts"
import { version } from "../version.ts"
import * as Explanation from "../worker/Explanation.ts"
import { check } from "./CheckCommand.ts"
import { crd } from "./CrdCommand.ts"
import { demo } from "./demo/DemoCommand.ts"
import { describe } from "./DescribeCommand.ts"
import { exportRecords } from "./ExportCommand.ts"
import { list } from "./ListCommand.ts"
import * as LogLine from "./LogLine.ts"
import { offsets } from "./OffsetsCommand.ts"
import { operator } from "./OperatorCommand.ts"
import { drill } from "./DrillCommand.ts"
import * as Presentation from "./Presentation.ts"
import { prune } from "./PruneCommand.ts"
import { restore } from "./RestoreCommand.ts"
import { run } from "./RunCommand.ts"
import * as Shutdown from "./Shutdown.ts"
import { verify } from "./VerifyCommand.ts"

/** Every command, with its ports open. */
export const kafkaBackup = Command.make("kafka-backup").pipe(
  Command.withDescription("Back up Kafka topics to object storage, and verify every backup"),
  Command.withSubcommands([
    check,
    run,
    list,
    describe,
    verify,
    exportRecords,
    restore,
    drill,
    offsets,
    prune,
    operator,
    crd,
    demo
  ])
)

const logging = Layer.mergeAll(
  Logger.layer([process.stderr.isTTY ? Logger.consolePretty() : Logger.withConsoleError(LogLine.format)]),
  Layer.succeed(Logger.LogToStderr, true),
  // On a terminal the progress line shows what happens; the log shows only problems.
  Layer.succeed(References.MinimumLogLevel, process.stderr.isTTY ? "Warn" : "Info")
)

/** Reports on standard error why a command failed; returns the exit code. */
const report = (cause: Cause.Cause<unknown>): Effect.Effect<number> => {
  // The command line has shown its own errors already.
  if (CliError.isCliError(Option.getOrUndefined(Cause.findErrorOption(cause)))) {
    return Effect.succeed(exitCodes.usage)
  }
  const { advice, exitCode, message, reason } = Explanation.explain(cause)
  // Who pressed Ctrl-C needs no message.
  return Effect.as(
    reason === "Interrupted" ? Effect.void : Console.error(`error: ${message}\nwhat to do: ${advice}`),
    exitCode
  )
}

/** Runs the command line on these arguments, reports a failure, and returns the exit code. */
export const main = (args: ReadonlyArray<string>) =>
  Command.runWith(kafkaBackup, { version })(args).pipe(
    Effect.as<number>(exitCodes.success),
    Effect.catchTag("RunFailed", (failed) => Effect.succeed(failed.exitCode)),
    Effect.catchCause(report),
    Effect.provide(Presentation.layer)
  )

/** Runs this process as the command line, with these ports. */
export const start = (ports: Layer.Layer<KafkaSources | KafkaSinks | ObjectStores>): void => {
  const outcome: typeof Shutdown.Outcome.Service = { exitCode: undefined }

  // A write reports by itself that its reader has gone; without a listener the process would end with a stack trace.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

  Shutdown.onSecondSignal(() => {
    process.stderr.write("stopped at once: the next attempt reads again what was not stored\n")
    Shutdown.end(exitCodes.interrupted)
  })

  const program = main(process.argv.slice(2)).pipe(
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
