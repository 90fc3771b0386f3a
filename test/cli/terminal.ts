import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Context, Effect, Layer, Logger } from "effect"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as CommandLine from "../../src/cli/CommandLine.ts"
import * as Display from "../../src/cli/Display.ts"
import * as LogLine from "../../src/cli/LogLine.ts"
import * as Shutdown from "../../src/cli/Shutdown.ts"
import * as StandardOutput from "../../src/cli/StandardOutput.ts"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"
import { temporaryVolume } from "../storage/temporaryVolume.ts"

/** The command line without a process: what is typed, what comes out, and a cluster in memory to run it on. */

export const layer = Layer.mergeAll(InMemoryKafka.layer, StorageBackends.layer).pipe(
  Layer.provideMerge(NodeServices.layer)
)

export interface Typed {
  readonly exitCode: number
  readonly out: string
  /** Messages and the log, which is JSON lines. */
  readonly err: string
}

/** What standard output answers to each write. */
export const Reading = Context.Reference<Effect.Effect<void, StandardOutput.OutputEnded>>("kafka-backup/test/Reading", {
  defaultValue: () => Effect.void
})

/** Types a command; its output is for `reader`. */
export const typeAs = (reader: Display.Reader, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const reading = yield* Reading
    const out: Array<string> = []
    const err: Array<string> = []
    const outcome: typeof Shutdown.Outcome.Service = { exitCode: undefined }
    const exitCode = yield* CommandLine.main(args).pipe(
      Effect.provideService(StandardOutput.Writer, (text) =>
        Effect.andThen(
          Effect.sync(() => void out.push(text)),
          reading
        )
      ),
      Effect.provideService(Display.Audience, reader),
      Effect.provideService(Shutdown.Outcome, outcome),
      Effect.provideService(Console.Console, {
        ...console,
        log: (text: string) => void out.push(`${text}\n`),
        error: (text: string) => void err.push(`${text}\n`)
      }),
      Effect.provide(Logger.layer([Logger.map(LogLine.format, (line) => void err.push(`${line}\n`))]))
    )
    return { exitCode: outcome.exitCode ?? exitCode, out: out.join(""), err: err.join("") } satisfies Typed
  })

export const type = (...args: ReadonlyArray<string>) => typeAs("program", ...args)

export const bootstrapServer = "in-memory:9092"

/** A manifest with a claim; `more` is added to the spec. */
export const manifest = (more = "", name = "nightly") => `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata:
  name: ${name}
spec:
  kafkaCluster:
    bootstrapServers: ["${bootstrapServer}"]
  topics: ["*"]
  storage:
    storageType: pvc
    pvc:
      claimName: backups
${more.replaceAll(/^(?=.)/gm, "  ")}
`

/** A directory with an empty claim and a manifest, and the options that name them. */
export const desk = Effect.fnUntraced(function* (text = manifest()) {
  const directory = yield* temporaryVolume
  const file = join(directory, "backup.yaml")
  const volumes = join(directory, "volumes")
  yield* Effect.promise(async () => {
    await mkdir(join(volumes, "backups"), { recursive: true })
    await writeFile(file, text)
  })
  return { directory, file, claim: join(volumes, "backups"), options: ["-f", file, "--volumes", volumes] as const }
})

export const cluster = Effect.flatMap(InMemoryKafka, (kafka) => kafka.cluster(bootstrapServer))

export const slot = "2026-11-23T12:00:00Z"
export const backupId = "nightly-20261123-120000"

/** Every line of program output, parsed; fails the test where one is not JSON. */
export const jsonLines = (text: string): ReadonlyArray<any> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown)
