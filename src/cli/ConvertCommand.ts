import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Migration from "../migration/Migration.ts"
import * as Problem from "../resource/Problem.ts"
import * as Resource from "./Resource.ts"
import { RunFailed } from "./RunFailed.ts"
import * as StandardOutput from "./StandardOutput.ts"

const File = Flag.String("file").pipe(
  Flag.withAlias("f"),
  Flag.withMetavar("FILE"),
  Flag.withDescription("resources as they were written for the other operator; - for standard input")
)

/** What a reader sees of one resource, line by line. */
const lines = ({ notes, problems, what }: Migration.Migrated): ReadonlyArray<string> => {
  const decisions = notes.filter(({ isDecision }) => isDecision)
  const said = (title: string, all: ReadonlyArray<Problem.Problem>) =>
    all.length === 0 ? [] : [`  ${title}`, ...all.map((entry) => `    ${Problem.format(entry)}`)]
  return [
    what,
    ...said("decide, and edit the manifest:", decisions),
    ...said("refused as it is:", problems),
    ...said(
      "is other than before:",
      notes.filter(({ isDecision }) => !isDecision)
    ),
    ...(notes.length === 0 && problems.length === 0 ? ["  converted; nothing to decide"] : [])
  ]
}

const needsWork = ({ notes, problems }: Migration.Migrated): boolean =>
  problems.length > 0 || notes.some(({ isDecision }) => isDecision)

export const convert = Command.make("convert", { file: File }, ({ file }) =>
  Effect.gen(function* () {
    const text = yield* Resource.text(file)
    const migrated = yield* Effect.fromResult(Migration.convert(text)).pipe(
      Effect.mapError((problem) => Resource.unreadable(file === "-" ? "standard input" : file, problem))
    )
    const manifests = migrated.flatMap(({ yaml }) => (yaml === undefined ? [] : [yaml]))
    if (manifests.length > 0) yield* StandardOutput.print(manifests.join("---\n").trimEnd())
    yield* Console.error(migrated.flatMap(lines).join("\n"))
    if (migrated.some(needsWork)) return yield* new RunFailed({ exitCode: exitCodes.invalidManifest })
  })
).pipe(
  Command.withDescription(
    "Convert KafkaBackups and KafkaRestores that were written for OSO's kafka-backup-operator, whose definitions have the " +
      "same names: the manifests on standard output, and on standard error what is other than before"
  ),
  Command.withExamples([
    {
      command: "kubectl get kafkabackups,kafkarestores -A -o yaml | kafka-backup convert -f - > converted.yaml",
      description: "convert everything in a cluster; exits with 10 where something has to be decided first"
    }
  ])
)
