import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Exit, Layer, Logger, References } from "effect"
import { Command } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { KafkaSources } from "../kafka/KafkaSource.ts"
import type { ObjectStores } from "../storage/ObjectStore.ts"
import { version } from "../version.ts"
import { check } from "./CheckCommand.ts"
import { crd } from "./CrdCommand.ts"
import { demo } from "./demo/DemoCommand.ts"
import { describe } from "./DescribeCommand.ts"
import { exportRecords } from "./ExportCommand.ts"
import * as Failure from "./Failure.ts"
import { list } from "./ListCommand.ts"
import * as LogLine from "./LogLine.ts"
import { operator } from "./OperatorCommand.ts"
import * as Presentation from "./Presentation.ts"
import { prune } from "./PruneCommand.ts"
import { run } from "./RunCommand.ts"
import * as Shutdown from "./Shutdown.ts"
import * as Signals from "./Signals.ts"
import { verify } from "./VerifyCommand.ts"

/** Every command, with its ports open. */
export const kafkaBackup = Command.make("kafka-backup").pipe(
  Command.withDescription("Backs up Kafka topics to object storage, and proves it"),
  Command.withSubcommands([check, run, list, describe, verify, exportRecords, prune, operator, crd, demo])
)

const logging = Layer.mergeAll(
  Logger.layer([process.stderr.isTTY ? Logger.consolePretty() : Logger.withConsoleError(LogLine.format)]),
  Layer.succeed(Logger.LogToStderr, true),
  // On a terminal the progress line tells what happens; the log is for what goes wrong.
  Layer.succeed(References.MinimumLogLevel, process.stderr.isTTY ? "Warn" : "Info")
)

/** The arguments given, to the exit code: failures are told and signals minded. Needs its ports and a platform. */
export const main = (args: ReadonlyArray<string>) =>
  Command.runWith(kafkaBackup, { version })(args).pipe(
    Effect.as<number>(exitCodes.success),
    Effect.catchTag("RunFailed", (failed) => Effect.succeed(failed.exitCode)),
    Effect.catchCause(Failure.report),
    Effect.provide(Presentation.layer)
  )

/** Makes this process the command line, on these ports. */
export const start = (ports: Layer.Layer<KafkaSources | ObjectStores>): void => {
  const outcome: typeof Shutdown.Outcome.Service = { exitCode: undefined }

  // Who writes learns from the write itself that nobody reads; without a listener the process would end with a stack.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {})

  Signals.onSecond(() => {
    process.stderr.write("ended at once: what had not been stored is read again by the next attempt\n")
    process.exit(exitCodes.interrupted)
  })

  const program = main(process.argv.slice(2)).pipe(
    Effect.provideService(Shutdown.Outcome, outcome),
    Effect.provide(ports.pipe(Layer.provideMerge(NodeServices.layer), Layer.provideMerge(logging)))
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      const code = outcome.exitCode ?? (Exit.isSuccess(exit) ? exit.value : exitCodes.interrupted)
      onExit(typeof code === "number" ? code : exitCodes.internal)
    }
  })
}
