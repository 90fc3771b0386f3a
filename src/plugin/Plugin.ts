import type { Layer } from "effect"
import { Command } from "effect/cli"
import * as Program from "../cli/Program.ts"
import type * as StandardOutput from "../cli/StandardOutput.ts"
import type { Clusters } from "./Clusters.ts"
import { check } from "./CheckCommand.ts"
import { status } from "./StatusCommand.ts"
import { logs } from "./LogsCommand.ts"
import { restore } from "./RestoreCommand.ts"
import { resume, suspend } from "./SuspendCommand.ts"
import { trigger } from "./TriggerCommand.ts"
import * as StoredCommands from "./stored/StoredCommands.ts"

/** Every command of the plugin, with its port open. */
export const plugin = Command.make("kubectl kafka-backup").pipe(
  Command.withDescription("See and steer backups of Kafka topics in a cluster. No command reads a Secret"),
  Command.withSubcommands([
    status,
    trigger,
    suspend,
    resume,
    check,
    logs,
    restore,
    StoredCommands.list,
    StoredCommands.describe,
    StoredCommands.report,
    StoredCommands.verify,
    StoredCommands.prune
  ])
)

/** Runs the plugin on these arguments, reports a failure, and returns the exit code. */
export const main = (args: ReadonlyArray<string>, written?: typeof StandardOutput.Written.Service) =>
  Program.main(plugin, args, written)

/** Runs this process as the plugin, with the user's clusters. */
export const start = (clusters: Layer.Layer<Clusters>): void =>
  Program.start(plugin, clusters, "stopped: what was asked for goes on in the cluster")
