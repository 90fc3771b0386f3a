import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Exit, Layer, Logger, References } from "effect"
import { Command } from "effect/cli"
import { exitCodes } from "./backup/ExitCode.ts"
import { crd } from "./cli/CrdCommand.ts"
import { demo } from "./cli/DemoCommand.ts"
import { describe } from "./cli/DescribeCommand.ts"
import { exportRecords } from "./cli/ExportCommand.ts"
import * as Failure from "./cli/Failure.ts"
import { list } from "./cli/ListCommand.ts"
import { run } from "./cli/RunCommand.ts"
import { verify } from "./cli/VerifyCommand.ts"
import * as KafkaJsSources from "./kafka/KafkaJsSources.ts"
import * as StorageBackends from "./storage/StorageBackends.ts"
import { version } from "./version.ts"

/** The commands, and which ports are real. */

const logging = Layer.mergeAll(
  Logger.layer([process.stderr.isTTY ? Logger.consolePretty() : Logger.withConsoleError(Logger.formatJson)]),
  Layer.succeed(Logger.LogToStderr, true),
  // On a terminal the progress line tells what happens; the log is for what goes wrong.
  Layer.succeed(References.MinimumLogLevel, process.stderr.isTTY ? "Warn" : "Info")
)

const program = Command.make("kafka-backup").pipe(
  Command.withDescription("Backs up Kafka topics to object storage, and proves it"),
  Command.withSubcommands([run, list, describe, verify, exportRecords, crd, demo]),
  Command.run({ version }),
  Effect.as<number>(exitCodes.success),
  Effect.catchTag("RunFailed", (failed) => Effect.succeed(failed.exitCode)),
  Effect.catchCause(Failure.report),
  Effect.provide(
    Layer.mergeAll(KafkaJsSources.layer(), StorageBackends.layer).pipe(Layer.provideMerge(NodeServices.layer), Layer.provideMerge(logging))
  )
)

// A reader that has seen enough (`… | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? exitCodes.success : exitCodes.internal)
})

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    const code: unknown = Exit.isSuccess(exit) ? exit.value : exitCodes.interrupted
    onExit(typeof code === "number" ? code : exitCodes.internal)
  }
})
