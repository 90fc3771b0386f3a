import type { Layer } from "effect"
import { Command } from "effect/cli"
import type { KafkaSinks } from "../kafka/KafkaSink.ts"
import type { KafkaSources } from "../kafka/KafkaSource.ts"
import type { ObjectStores } from "../storage/ObjectStore.ts"
import { check } from "./CheckCommand.ts"
import { convert } from "./ConvertCommand.ts"
import { crd } from "./CrdCommand.ts"
import { demo } from "./demo/DemoCommand.ts"
import { describe } from "./DescribeCommand.ts"
import { estimate } from "./EstimateCommand.ts"
import { exportRecords } from "./ExportCommand.ts"
import { list } from "./ListCommand.ts"
import { offsets } from "./OffsetsCommand.ts"
import { operator } from "./OperatorCommand.ts"
import { drill } from "./DrillCommand.ts"
import { pin, unpin } from "./PinCommand.ts"
import * as Program from "./Program.ts"
import { prune } from "./PruneCommand.ts"
import { report as reportCommand } from "./ReportCommand.ts"
import { restore } from "./RestoreCommand.ts"
import { run } from "./RunCommand.ts"
import type * as StandardOutput from "./StandardOutput.ts"
import { verify } from "./VerifyCommand.ts"

/** Every command, with its ports open. */
export const kafkaBackup = Command.make("kafka-backup").pipe(
  Command.withDescription("Back up Kafka topics to object storage, and verify every backup"),
  Command.withSubcommands([
    check,
    run,
    list,
    describe,
    reportCommand,
    verify,
    exportRecords,
    restore,
    drill,
    offsets,
    prune,
    pin,
    unpin,
    estimate,
    operator,
    crd,
    convert,
    demo
  ])
)

/** Runs the command line on these arguments, reports a failure, and returns the exit code. */
export const main = (args: ReadonlyArray<string>, written?: typeof StandardOutput.Written.Service) =>
  Program.main(kafkaBackup, args, written)

/** Runs this process as the command line, with these ports. */
export const start = (ports: Layer.Layer<KafkaSources | KafkaSinks | ObjectStores>): void =>
  Program.start(kafkaBackup, ports, "stopped at once: the next attempt reads again what was not stored")
