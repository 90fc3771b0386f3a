import { Effect } from "effect"
import { Command } from "effect/cli"
import * as Crd from "../resource/Crd.ts"
import * as OffsetCrds from "../resource/OffsetCrds.ts"
import * as RestoreCrd from "../resource/RestoreCrd.ts"
import * as StandardOutput from "./StandardOutput.ts"

/** All definitions in one stream of YAML documents. */
const definitions = (): string =>
  [Crd.yaml(), RestoreCrd.yaml(), OffsetCrds.yaml("KafkaOffsetReset"), OffsetCrds.yaml("KafkaOffsetRollback")]
    .join("---\n")
    .trimEnd()

export const crd = Command.make("crd", {}, () => Effect.suspend(() => StandardOutput.print(definitions()))).pipe(
  Command.withDescription(
    "Print the CustomResourceDefinitions of KafkaBackup, KafkaRestore, KafkaOffsetReset and KafkaOffsetRollback"
  ),
  Command.withExamples([
    { command: "kafka-backup crd | kubectl apply --server-side -f -", description: "install them in a cluster" }
  ])
)
