import { Console, Effect, FileSystem, Layer, Path, References } from "effect"
import { Command, Flag } from "effect/cli"
import * as DemoManifests from "./DemoManifests.ts"
import * as Display from "../Display.ts"
import { UsageError } from "../UsageError.ts"

/** Writes the demo's manifests and an empty claim. Removes files of an earlier demo, and never other files. */
const prepared = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const paths = {
    hourly: path.join(directory, "backup.yaml"),
    oneTime: path.join(directory, "refunds.yaml"),
    restore: path.join(directory, "restore.yaml"),
    volumes: path.join(directory, "volumes")
  }
  const claim = path.join(paths.volumes, "backups")
  yield* Effect.gen(function* () {
    const isFull = (yield* fs.exists(claim)) && (yield* fs.readDirectory(claim)).length > 0
    if (isFull) {
      const isDemo =
        (yield* fs.exists(paths.hourly)) && (yield* fs.readFileString(paths.hourly)).startsWith(DemoManifests.mark)
      if (!isDemo) {
        return yield* new UsageError({
          detail: `${claim} contains files that the demo did not write`,
          advice: "give --directory DIR with an empty or a new directory, or remove those files"
        })
      }
      yield* fs.remove(claim, { recursive: true })
    }
    yield* fs.makeDirectory(claim, { recursive: true })
    yield* fs.writeFileString(paths.hourly, `${DemoManifests.mark}\n${DemoManifests.hourly}`)
    yield* fs.writeFileString(paths.oneTime, DemoManifests.oneTime)
    yield* fs.writeFileString(paths.restore, DemoManifests.restore)
  }).pipe(
    Effect.catchTag(
      "PlatformError",
      () =>
        new UsageError({
          detail: `the demo cannot write to ${path.resolve(directory)}`,
          advice: "give --directory DIR with a directory that you may write to"
        })
    )
  )
  return paths
})

export const demo = Command.make(
  "demo",
  {
    directory: Flag.String("directory").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDefault("demo-data"),
      Flag.withDescription("directory for the demo's manifests and backups (default: demo-data)")
    )
  },
  Effect.fnUntraced(function* ({ directory }) {
    const path = yield* Path.Path
    const paths = yield* prepared(directory)
    // Loaded here, because the other commands need no operator and no cluster.
    const [DemoStage, DemoStory] = yield* Effect.promise(() =>
      Promise.all([import("./DemoStage.ts"), import("./DemoStory.ts")])
    )
    const stage = yield* DemoStage.make(path.resolve(paths.volumes))
    yield* DemoStory.play(stage, paths)
    yield* Console.log(
      `\nThe manifests and the backups are in ${directory}/. To test your own KafkaBackups like this: docs/guides/testing.md`
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Show the operator at work in a minute, with Kubernetes and Kafka in memory and a directory as storage: a schedule, a " +
      "trigger, retention, a failed backup and its repair, the backups in storage, and a lost topic that is restored"
  ),
  Command.withShortDescription("Show the operator at work in a minute"),
  Command.withExamples([{ command: "kafka-backup demo", description: "needs no cluster and no services" }]),
  Command.provide(() =>
    Layer.mergeAll(Layer.succeed(Display.Audience, "person"), Layer.succeed(References.MinimumLogLevel, "Warn"))
  )
)
