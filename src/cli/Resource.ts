import { Effect, FileSystem, type Layer, type Path, Schema } from "effect"
import * as Connections from "../backup/Connections.ts"
import { exitCodes } from "../backup/ExitCode.ts"
import * as Manifest from "../resource/Manifest.ts"
import * as Problem from "../resource/Problem.ts"
import * as MountedSecrets from "../secrets/MountedSecrets.ts"
import { ObjectStores } from "../storage/ObjectStore.ts"

/** The manifest cannot be used: every problem at once, each with field, value and remedy. */
export class BadManifest extends Schema.TaggedError<BadManifest>()("BadManifest", {
  file: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return `${this.file} cannot be used:\n${this.problems.map((problem) => `  ${problem}`).join("\n")}`
  }
  readonly exitCode = exitCodes.invalidManifest
}

/** All of standard input as text. */
const standardInput = Effect.promise(async () => {
  const chunks: Array<Buffer> = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
})

const text = Effect.fnUntraced(function* (file: string) {
  if (file === "-") return yield* standardInput
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(file).pipe(
    Effect.mapError((error) => {
      const why = error.reason._tag === "NotFound" ? "there is no such file" : error.message
      return new BadManifest({ file, problems: [`${why}; give the path of a KafkaBackup manifest, or - for standard input`] })
    })
  )
})

/** Reads and checks a KafkaBackup manifest; `-` is standard input. */
export const read = Effect.fn("Resource.read")(function* (file: string) {
  const source = yield* text(file)
  return yield* Effect.fromResult(Manifest.parse(source)).pipe(
    Effect.mapError(
      (error) =>
        new BadManifest({
          file: file === "-" ? "standard input" : file,
          problems: error.problems.map(Problem.format)
        })
    )
  )
})

/** What `--secrets` and `--volumes` give. */
export interface Places {
  readonly secrets: string | undefined
  readonly volumes: string | undefined
}

/** The Secrets of `--secrets DIR`. */
export const secretsLayer = (places: Places): Layer.Layer<MountedSecrets.Secrets, never, FileSystem.FileSystem | Path.Path> =>
  MountedSecrets.layer(places.secrets)

/** Opens the store of the manifest in `file`, for as long as the scope lasts. */
export const openStore = Effect.fn("Resource.openStore")(function* (file: string, places: Places) {
  const backup = yield* read(file)
  const target = yield* Connections.storage(backup.spec.storage, places.volumes).pipe(
    Effect.provide(secretsLayer(places))
  )
  const stores = yield* ObjectStores
  return { backup, store: yield* stores.open(target) }
})
