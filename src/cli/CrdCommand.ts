import { Effect } from "effect"
import { Command } from "effect/cli"
import * as Crd from "../resource/Crd.ts"
import * as StandardOutput from "./StandardOutput.ts"

export const crd = Command.make("crd", {}, () => Effect.suspend(() => StandardOutput.print(Crd.yaml().trimEnd()))).pipe(
  Command.withDescription("Print the CustomResourceDefinition"),
  Command.withExamples([
    { command: "kafka-backup crd | kubectl apply --server-side -f -", description: "install it in a cluster" }
  ])
)
