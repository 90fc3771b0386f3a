import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import * as Crd from "../resource/Crd.ts"

export const crd = Command.make("crd", {}, () => Effect.suspend(() => Console.log(Crd.yaml().trimEnd()))).pipe(
  Command.withDescription("Print the CustomResourceDefinition, for kubectl apply -f -")
)
