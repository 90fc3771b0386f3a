import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Migration from "../migration/Migration.ts"
import * as Problem from "../resource/Problem.ts"
import * as ManifestFolder from "./ManifestFolder.ts"
import * as Resource from "./Resource.ts"
import { RunFailed } from "./RunFailed.ts"
import * as StandardOutput from "./StandardOutput.ts"

const flags = {
  file: Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withMetavar("FILE"),
    Flag.withDescription("resources as they were written for the other operator; - for standard input")
  ),
  outputDir: Flag.String("output-dir").pipe(
    Flag.withMetavar("DIR"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription(
      "write each manifest into a file of its own there, which must not exist yet; standard output has their names"
    )
  )
}

/** What a reader sees of one resource, line by line. */
const lines = ({ notes, problems, what, yaml }: Migration.Migrated): ReadonlyArray<string> => {
  const decisions = notes.filter(({ isDecision }) => isDecision)
  const said = (title: string, all: ReadonlyArray<Problem.Problem>) =>
    all.length === 0 ? [] : [`  ${title}`, ...all.map((entry) => `    ${Problem.format(entry)}`)]
  return [
    what,
    ...said("decide, and edit the manifest:", decisions),
    ...said("refused as it is:", problems),
    ...said(
      yaml === undefined ? "left out:" : "is other than before:",
      notes.filter(({ isDecision }) => !isDecision)
    ),
    ...(notes.length === 0 && problems.length === 0 ? ["  converted; nothing to decide"] : [])
  ]
}

const needsWork = ({ notes, problems }: Migration.Migrated): boolean =>
  problems.length > 0 || notes.some(({ isDecision }) => isDecision)

export const convert = Command.make("convert", flags, ({ file, outputDir }) =>
  Effect.gen(function* () {
    const text = yield* Resource.text(file)
    const migrated = yield* Effect.fromResult(Migration.convert(text)).pipe(
      Effect.mapError((problems) => Resource.unreadable(file === "-" ? "standard input" : file, ...problems))
    )
    const manifests = migrated.flatMap(({ yaml, ...rest }) => (yaml === undefined ? [] : [{ ...rest, yaml }]))
    if (outputDir !== undefined) {
      const written = yield* ManifestFolder.write(outputDir, manifests)
      if (written.length > 0) yield* StandardOutput.print(written.join("\n"))
    } else if (manifests.length > 0) {
      yield* StandardOutput.print(
        manifests
          .map(({ yaml }) => yaml)
          .join("---\n")
          .trimEnd()
      )
    }
    yield* Console.error(migrated.flatMap(lines).join("\n"))
    if (migrated.some(needsWork)) return yield* new RunFailed({ exitCode: exitCodes.invalidManifest })
  })
).pipe(
  Command.withDescription(
    "Convert KafkaBackups and KafkaRestores that were written for OSO's kafka-backup-operator, whose definitions have the " +
      "same names: the manifests on standard output, and on standard error what is other than before. What has done its " +
      "only work, such as a complete restore, is left out"
  ),
  Command.withExamples([
    {
      command: "kubectl get kafkabackups,kafkarestores -A -o yaml | kafka-backup convert -f - --output-dir ours",
      description: "convert everything in a cluster; exits with 10 where something has to be decided first"
    }
  ])
)
