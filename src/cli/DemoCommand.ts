import { Console, Effect, FileSystem, Layer, Path, References } from "effect"
import { Command, Flag } from "effect/cli"
import * as Catalogue from "../manifest/Catalogue.ts"
import { InMemoryKafka } from "../kafka/InMemoryKafka.ts"
import { version } from "../version.ts"
import * as DemoCluster from "./DemoCluster.ts"
import { describe } from "./DescribeCommand.ts"
import * as Display from "./Display.ts"
import { exportRecords } from "./ExportCommand.ts"
import { list } from "./ListCommand.ts"
import * as Resource from "./Resource.ts"
import { run } from "./RunCommand.ts"
import * as Table from "./Table.ts"
import { UsageError } from "./UsageError.ts"
import { verify } from "./VerifyCommand.ts"

const bootstrapServer = "in-memory:9092"

const manifest = `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata:
  name: demo
spec:
  kafkaCluster:
    bootstrapServers:
      - ${bootstrapServer}
  topics:
    - "*"
  storage:
    storageType: pvc
    pvc:
      claimName: backups
  compression: zstd
  retention:
    backups: 3
`

/** The very commands that users type, on a cluster in memory. */
const commandLine = Command.make("kafka-backup").pipe(
  Command.withSubcommands([run, list, describe, verify, exportRecords])
)

const type = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
  yield* Console.log(`\n$ kafka-backup ${args.join(" ")}`)
  yield* Command.runWith(commandLine, { version })(args)
})

export const demo = Command.make(
  "demo",
  {
    directory: Flag.String("directory").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDefault("demo-data"),
      Flag.withDescription("where the demo keeps its manifest and its backups (default: demo-data)")
    )
  },
  Effect.fnUntraced(function* ({ directory }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, "backup.yaml")
    const volumes = path.resolve(directory, "volumes")
    yield* Effect.andThen(
      fs.makeDirectory(path.join(volumes, "backups"), { recursive: true }),
      fs.writeFileString(file, manifest)
    ).pipe(
      Effect.mapError(
        () =>
          new UsageError({
            detail: `the demo cannot write to ${path.resolve(directory)}`,
            advice: "give --directory DIR, a place where you may make files"
          })
      )
    )

    yield* Console.log("A Kafka cluster in this process's memory, with topics of every kind:")
    const cluster = yield* (yield* InMemoryKafka).cluster(bootstrapServer)
    yield* DemoCluster.fill(cluster)
    yield* Console.log(Table.facts(DemoCluster.stories.map(([topic, what]) => [`  ${topic}`, what] as const)))
    yield* Console.log(`\n${file}, as for kubectl apply:\n\n${manifest.replaceAll(/^/gm, "  ").trimEnd()}`)

    const places = ["-f", file, "--volumes", path.join(directory, "volumes")]
    yield* type(["run", ...places])
    yield* type(["list", ...places])
    const { store } = yield* Resource.openStore(file, { volumes, secrets: undefined })
    const newest = (yield* Catalogue.entries(store)).findLast((entry) => entry._tag === "Complete")
    if (newest === undefined) return yield* Effect.die(new Error("the demo's backup is not there"))
    yield* type(["describe", ...places, newest.backupId])
    yield* type(["verify", ...places, newest.backupId, "--deep"])
    yield* type([
      "export",
      ...places,
      newest.backupId,
      "--topic",
      "orders",
      "--partition",
      "2",
      "--from",
      "0",
      "--until",
      "3"
    ])
    yield* type(["export", ...places, newest.backupId, "--topic", "customers", "--output", "text", "--from", "990"])
    yield* Console.log(
      `\nEverything above is in ${directory}/; run the demo again for another set, and see retention keep three.`
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Show the main job in a minute: Kafka in memory, a directory as storage"),
  Command.withExamples([{ command: "kafka-backup demo", description: "needs nothing but this command" }]),
  Command.provide(InMemoryKafka.layer),
  Command.provide(() =>
    Layer.mergeAll(Layer.succeed(Display.Audience, "person"), Layer.succeed(References.MinimumLogLevel, "Warn"))
  )
)
