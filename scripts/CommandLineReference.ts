import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Option } from "effect"
import { CliConfig, CliOutput, Command, type HelpDoc } from "effect/cli"
import { kafkaBackup } from "../src/cli/CommandLine.ts"
import * as Presentation from "../src/cli/Presentation.ts"
import { Clusters } from "../src/plugin/Clusters.ts"
import { plugin } from "../src/plugin/Plugin.ts"
import { InMemoryKafka } from "../src/kafka/InMemoryKafka.ts"
import * as StorageBackends from "../src/storage/StorageBackends.ts"
import { version } from "../src/version.ts"

/** Writes docs/reference/command-line.md and docs/reference/kubectl-plugin.md from the text of `--help`. */

/** Runs a program of commands for its help: nothing of it is carried out. */
type Program<R> = (args: ReadonlyArray<string>) => Effect.Effect<void, unknown, R>

/** The help of one command. */
const helpOf = Effect.fnUntraced(function* <R>(program: Program<R>, path: ReadonlyArray<string>) {
  let found: HelpDoc.HelpDoc | undefined
  yield* program([...path, "--help"]).pipe(
    Effect.provideService(CliOutput.Presenter, {
      present: (event) =>
        Effect.sync(() => {
          if (event._tag === "Help") found = event.helpDoc
        })
    }),
    Effect.provideService(CliConfig.CliConfig, Presentation.config)
  )
  if (found === undefined) return yield* Effect.die(new Error(`${path.join(" ")} has no help`))
  return found
})

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")

/** One option as a row of the table. */
const flagRow = ({ aliases, description, name, type }: HelpDoc.FlagDoc) => {
  const value = type === "boolean" ? "" : ` ${type}`
  const names = [`--${name}${value}`, ...aliases.map((alias) => `${alias.startsWith("-") ? "" : "-"}${alias}`)]
  return `| ${names.map((each) => `\`${each.replaceAll("|", "\\|")}\``).join(", ")} | ${cell(Option.getOrElse(description, () => ""))} |`
}

const options = (flags: ReadonlyArray<HelpDoc.FlagDoc>) =>
  flags.length === 0 ? [] : ["| option | meaning |", "|---|---|", ...flags.map(flagRow), ""]

const section = (name: string, doc: HelpDoc.HelpDoc): string =>
  [
    `## ${name}`,
    "",
    `${doc.description.replace(/[.]$/, "")}.`,
    "",
    "```sh",
    doc.usage,
    "```",
    "",
    ...(doc.args ?? []).map(
      (arg) => `\`${arg.name}\`: ${Option.getOrElse(arg.description, () => "")}${arg.required ? "" : " (optional)"}.\n`
    ),
    ...options(doc.flags),
    ...(doc.examples ?? []).flatMap(({ command, description }) => [
      ...(description === undefined ? [] : [`${description[0]!.toUpperCase()}${description.slice(1)}:`, ""]),
      "```sh",
      command,
      "```",
      ""
    ])
  ].join("\n")

const introduction = `# Command line

<!-- Made by \`npm run reference\` from the text of --help: change the descriptions in src/cli, not this page. -->

\`npx kafka-backup <command>\` in a checkout after \`npm ci\`; \`node dist/kafka-backup.mjs <command>\` after \`npm run build\`.
Commands that take a manifest take the same file as \`kubectl apply\`, and its Secrets as files.

Results go to standard output; messages and logs go to standard error. On a terminal, \`run\` shows its progress and ends with
a table. If standard output is not a terminal, every line of it is a JSON object: \`{"type":"progress",…}\` every five seconds
during the run, and \`{"type":"report",…}\` at the end, which is also the content of \`--report\`. The exit codes have
[a page of their own](exit-codes.md).

If standard error is not a terminal, every line of the log is a JSON object, too: \`time\` (RFC 3339), \`level\`
(\`trace\`, \`debug\`, \`info\`, \`warn\`, \`error\` or \`fatal\`), \`msg\`, \`error\` for a failure, and the facts of the message:

\`\`\`json
{"time":"2026-11-25T12:00:00.250Z","level":"info","msg":"starting","version":"0.1.0","instance":"operator-0","watching":"all namespaces"}
\`\`\`

On SIGTERM or SIGINT, \`run\` stores what it has read, which takes at most 25 seconds; the same slot resumes there. A second
signal, at least half a second later, stops the process at once. No stored checkpoint is lost by that; the next attempt reads
the rest again. \`offsets apply\` sets the groups that are left, as far as the same 25 seconds go; at a second signal it names
those that it set, and ends with exit code 19 once it has begun with one. \`offsets reset\` and \`offsets rollback\` do
that at the first signal, where the other commands stop, too.

`

const introductionOfPlugin = `# kubectl kafka-backup

<!-- Made by \`npm run reference\` from the text of --help: change the descriptions in src/plugin, not this page. -->

The plugin of kubectl; [its guide](../guides/kubectl-plugin.md) says how to install it and which rights each command needs.
Results go to standard output, progress and failures to standard error. The exit codes are [those of every
command](exit-codes.md).

`

/** The section of a command, and those of its own commands. */
const sectionsOf = <R>(
  program: Program<R>,
  path: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, unknown, R> =>
  Effect.gen(function* () {
    const doc = yield* helpOf(program, path)
    const own = (doc.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
    const below = yield* Effect.forEach(own, (name) => sectionsOf(program, [...path, name]))
    return [section(path.join(" "), doc), ...below.flat()]
  })

const pageOf = <R>(introduction: string, program: Program<R>) =>
  Effect.gen(function* () {
    const root = yield* helpOf(program, [])
    const names = (root.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
    const sections = yield* Effect.forEach(names, (name) => sectionsOf(program, [name]))
    return `${introduction}${sections.flat().join("\n")}\n## Options of every command\n\n${options(
      root.globalFlags ?? []
    )
      .join("\n")
      .trimEnd()}\n`
  })

/** The page's text. */
export const commandLinePage: Effect.Effect<string> = pageOf(
  introduction,
  Command.runWith(kafkaBackup, { version })
).pipe(
  Effect.provide(
    Layer.mergeAll(InMemoryKafka.layer, StorageBackends.layer).pipe(Layer.provideMerge(NodeServices.layer))
  ),
  Effect.orDie
)

const noCluster = Layer.succeed(Clusters, { layer: () => Layer.effectContext(Effect.fail({ message: "none" })) })

/** The same of the plugin of kubectl. */
export const pluginPage: Effect.Effect<string> = pageOf(
  introductionOfPlugin,
  Command.runWith(plugin, { version })
).pipe(Effect.provide(Layer.merge(noCluster, NodeServices.layer)), Effect.orDie)
