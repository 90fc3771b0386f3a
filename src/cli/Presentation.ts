import { Console, Effect, Layer } from "effect"
import { CliConfig, CliOutput, GlobalFlag } from "effect/cli"
import * as InvocationText from "./InvocationText.ts"

/**
 * The command line's own output. Requested help goes to standard output. The answer to a wrong invocation goes to
 * standard error: a program that reads standard output never finds a help page in it.
 */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "InvalidInvocation":
        return Console.error(
          [
            ...InvocationText.lines(event.errors).map((line) => `error: ${line}`),
            `what to do: see ${event.commandPath.join(" ")} --help`
          ].join("\n")
        )
      case "Help":
        return event.reason === "Requested"
          ? CliOutput.defaultPresenter.present(event)
          : Effect.flatMap(CliOutput.Formatter, (formatter) => Console.error(formatter.formatHelpDoc(event.helpDoc)))
      case "Version":
        return Console.log(`${event.name} ${event.version}`)
    }
  }
}

/** Options of every command. There is no interactive wizard: the manifest has all that it could ask for. */
export const config = CliConfig.make({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
})

export const layer = Layer.mergeAll(
  // Otherwise every command would repeat the global options.
  CliOutput.layer(CliOutput.defaultFormatter({ globalFlags: "summary" })),
  CliOutput.layerPresenter(presenter),
  Layer.succeed(CliConfig.CliConfig, config)
)
