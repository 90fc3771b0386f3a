import { Console, Effect, Layer } from "effect"
import { CliConfig, CliOutput, GlobalFlag } from "effect/cli"

/**
 * How the command line itself speaks. Asked for, help goes to standard output; a wrong invocation is answered on standard
 * error with what is wrong and where to look, so that what reads our output never meets a help page in it.
 */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "InvalidInvocation":
        return Console.error(
          [
            ...event.errors.map((error) => `error: ${error.message}`),
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

/** Options of every command; without the interactive wizard, since a manifest holds what it could ask for. */
export const config = CliConfig.make({
  builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel]
})

export const layer = Layer.mergeAll(
  // Every command would else repeat the lines of the global options.
  CliOutput.layer(CliOutput.defaultFormatter({ globalFlags: "summary" })),
  CliOutput.layerPresenter(presenter),
  Layer.succeed(CliConfig.CliConfig, config)
)
