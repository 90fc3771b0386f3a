import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { RunFailed } from "../cli/RunFailed.ts"
import * as StandardOutput from "../cli/StandardOutput.ts"
import { UsageError } from "../cli/UsageError.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as View from "../status/View.ts"
import * as DetailText from "./DetailText.ts"
import { cluster, output } from "./Flags.ts"
import * as Resources from "./Resources.ts"
import * as Session from "./Session.ts"
import * as StatusText from "./StatusText.ts"

const name = Argument.String("NAME").pipe(
  Argument.optional,
  Argument.map(Option.getOrUndefined),
  Argument.withDescription("name of a KafkaBackup or a KafkaRestore, also restore/NAME; without a name: all of them")
)

const flags = {
  ...cluster,
  allNamespaces: Flag.Boolean("all-namespaces").pipe(
    Flag.withAlias("A"),
    Flag.withDefault(false),
    Flag.withDescription("the resources of all namespaces")
  ),
  exitCode: Flag.Boolean("exit-code").pipe(
    Flag.withDefault(false),
    Flag.withDescription(`end with ${exitCodes.notProven} where something needs attention, for scripts`)
  ),
  output
}

/** The views of what can be shown. */
const views = (resources: ReadonlyArray<View.Shown>): ReadonlyArray<View.View> =>
  resources.flatMap((resource) => View.of(resource) ?? [])

export const status = Command.make(
  "status",
  { name, ...flags },
  Effect.fnUntraced(function* (given) {
    const isJson = given.output === "json"
    const nowMillis = yield* Clock.currentTimeMillis
    if (given.name !== undefined && given.allNamespaces) {
      return yield* new UsageError({
        detail: "a NAME is of one namespace, so it cannot stand beside --all-namespaces",
        advice: "leave one of them out"
      })
    }
    const found = yield* Session.within(
      given,
      Effect.fnUntraced(function* (namespace) {
        if (given.name !== undefined) {
          const some = views(yield* Resources.referred(namespace, given.name))
          const documents = some.map(DetailText.json)
          yield* StandardOutput.print(
            isJson
              ? JSON.stringify(documents.length === 1 ? documents[0] : documents, null, 2)
              : some.map((view) => DetailText.text(view, nowMillis)).join("\n\n")
          )
          return some
        }
        const where = given.allNamespaces ? undefined : namespace
        const all = views(yield* Resources.all(where))
        const shown = { rows: StatusText.rows(all), namespace: where, nowMillis }
        yield* StandardOutput.print(isJson ? StatusText.json(shown) : StatusText.text(shown))
        return all
      }),
      { isEverywhere: given.allNamespaces }
    )
    if (given.exitCode && found.some(({ verdict }) => verdict.isBad)) {
      return yield* new RunFailed({ exitCode: exitCodes.notProven })
    }
  })
).pipe(
  Command.withDescription(
    "Show whether the data is safe: one line for each KafkaBackup and KafkaRestore, or everything about one, and what to do next"
  ),
  Command.withShortDescription("Show whether the data is safe, and what to do next")
)
