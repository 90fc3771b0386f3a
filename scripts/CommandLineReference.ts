import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Option } from "effect"
import { CliConfig, CliOutput, Command, type HelpDoc } from "effect/cli"
import { kafkaBackup } from "../src/cli/CommandLine.ts"
import * as Presentation from "../src/cli/Presentation.ts"
import { InMemoryKafka } from "../src/kafka/InMemoryKafka.ts"
import * as StorageBackends from "../src/storage/StorageBackends.ts"
import { version } from "../src/version.ts"

/** docs/reference/command-line.md, made from what `--help` shows. */

/** What `--help` knows of one command. */
const helpOf = Effect.fnUntraced(function* (path: ReadonlyArray<string>) {
  let found: HelpDoc.HelpDoc | undefined
  yield* Command.runWith(kafkaBackup, { version })([...path, "--help"]).pipe(
    Effect.provideService(CliOutput.Presenter, {
      present: (event) =>
        Effect.sync(() => {
          if (event._tag === "Help") found = event.helpDoc
        })
    }),
    Effect.provideService(CliConfig.CliConfig, Presentation.config)
  )
  if (found === undefined) return yield* Effect.die(new Error(`kafka-backup ${path.join(" ")} has no help`))
  return found
})

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;")

/** A list of possible values is a metavar in the help; `-o FORMAT` and its like stay as they are. */
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
    `${doc.description}.`,
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

<!-- Made by \`npm run reference\` from what --help shows: change the descriptions in src/cli, not this page. -->

\`npx kafka-backup <command>\` in a checkout after \`npm ci\`; \`node dist/kafka-backup.mjs <command>\` after \`npm run build\`.
Every command that names a manifest takes the very file that \`kubectl apply\` takes, and its Secrets as files.

Results go to standard output, messages and logs to standard error. On a terminal \`run\` shows progress and closes with a
table. Where standard output is no terminal, every line of it is a JSON object: \`{"type":"progress",…}\` every five seconds
while the run lasts, at the end \`{"type":"report",…}\`, which is also what \`--report\` keeps. Where standard error is no
terminal, the log there is JSON lines too. What a command exits with: [exit codes](exit-codes.md).

SIGTERM and SIGINT let \`run\` seal, store and remember what it has read, which takes 25 seconds at most; the same slot then
resumes. The same signal again, half a second later or more, ends the process at once: nothing that was remembered is
lost by that, and the next attempt reads the rest again. Other commands end at the first signal.

`

const page = Effect.gen(function* () {
  const root = yield* helpOf([])
  const names = (root.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))
  const sections = yield* Effect.forEach(names, (name) => Effect.map(helpOf([name]), (doc) => section(name, doc)))
  return `${introduction}${sections.join("\n")}\n## Options of every command\n\n${options(root.globalFlags ?? [])
    .join("\n")
    .trimEnd()}\n`
})

/** The page's text. */
export const commandLinePage: Effect.Effect<string> = page.pipe(
  Effect.provide(
    Layer.mergeAll(InMemoryKafka.layer, StorageBackends.layer).pipe(Layer.provideMerge(NodeServices.layer))
  ),
  Effect.orDie
)
