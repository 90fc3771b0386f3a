import { Console, Effect, FileSystem, Layer, Path, References } from "effect"
import { Command, Flag } from "effect/cli"
import * as DemoManifests from "./DemoManifests.ts"
import * as Display from "../Display.ts"
import { UsageError } from "../UsageError.ts"

/** A directory with the demo's manifests and an empty claim. What an earlier demo left is removed, what is not the demo's never. */
const prepared = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const paths = {
    hourly: path.join(directory, "backup.yaml"),
    oneTime: path.join(directory, "refunds.yaml"),
    volumes: path.join(directory, "volumes")
  }
  const claim = path.join(paths.volumes, "backups")
  yield* Effect.gen(function* () {
    const isFull = (yield* fs.exists(claim)) && (yield* fs.readDirectory(claim)).length > 0
    if (isFull) {
      const isOurs =
        (yield* fs.exists(paths.hourly)) && (yield* fs.readFileString(paths.hourly)).startsWith(DemoManifests.mark)
      if (!isOurs) {
        return yield* new UsageError({
          detail: `${claim} holds something that this demo did not put there`,
          advice: "give --directory DIR, a directory of the demo's own, or remove what is there"
        })
      }
      yield* fs.remove(claim, { recursive: true })
    }
    yield* fs.makeDirectory(claim, { recursive: true })
    yield* fs.writeFileString(paths.hourly, `${DemoManifests.mark}\n${DemoManifests.hourly}`)
    yield* fs.writeFileString(paths.oneTime, DemoManifests.oneTime)
  }).pipe(
    Effect.catchTag(
      "PlatformError",
      () =>
        new UsageError({
          detail: `the demo cannot write to ${path.resolve(directory)}`,
          advice: "give --directory DIR, a place where you may make files"
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
      Flag.withDescription("where the demo keeps its manifests and its backups (default: demo-data)")
    )
  },
  Effect.fnUntraced(function* ({ directory }) {
    const path = yield* Path.Path
    const paths = yield* prepared(directory)
    // Loaded only here: other commands start without an operator and a cluster.
    const [DemoStage, DemoStory] = yield* Effect.promise(() =>
      Promise.all([import("./DemoStage.ts"), import("./DemoStory.ts")])
    )
    const stage = yield* DemoStage.make(path.resolve(paths.volumes))
    yield* DemoStory.tell(stage, paths)
    yield* Console.log(`\nEverything above is in ${directory}/. The same in your tests: docs/guides/testing.md`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Show the operator at work in a minute: Kubernetes and Kafka in memory, a directory as storage. Schedule, trigger, retention, a failure and its cure, and what lies in storage"
  ),
  Command.withShortDescription("Show the operator at work in a minute"),
  Command.withExamples([{ command: "kafka-backup demo", description: "needs nothing but this command" }]),
  Command.provide(() =>
    Layer.mergeAll(Layer.succeed(Display.Audience, "person"), Layer.succeed(References.MinimumLogLevel, "Warn"))
  )
)
