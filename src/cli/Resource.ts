import { Effect, FileSystem, type Layer, type Path, Schema } from "effect"
import * as Connections from "../backup/Connections.ts"
import { exitCodes } from "../backup/ExitCode.ts"
import * as Manifest from "../resource/Manifest.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as Problem from "../resource/Problem.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as MountedSecrets from "../secrets/MountedSecrets.ts"
import * as GuardedObjectStore from "../storage/GuardedObjectStore.ts"
import { ObjectStores } from "../storage/ObjectStore.ts"
import { UsageError } from "./UsageError.ts"

/** The manifest cannot be used: every problem at once, each with field, value and remedy. */
export class BadManifest extends Schema.TaggedError<BadManifest>()("BadManifest", {
  file: Schema.String,
  problems: Schema.Array(Schema.String),
  advice: Schema.String
}) {
  override get message() {
    return `${this.file} cannot be used:\n${this.problems.map((problem) => `  ${problem}`).join("\n")}`
  }
  readonly exitCode = exitCodes.invalidManifest
}

/** The file cannot be read at all. */
const unreadable = (file: string, why: string) =>
  new BadManifest({
    file,
    problems: [why],
    advice: "give the path of a KafkaBackup manifest with -f, or -f - for standard input"
  })

/** All of standard input as text. */
const standardInput = Effect.tryPromise({
  try: async () => {
    const chunks: Array<Buffer> = []
    for await (const chunk of process.stdin) chunks.push(chunk)
    return Buffer.concat(chunks).toString("utf8")
  },
  catch: (error) => unreadable("standard input", (error as Error).message)
})

const text = Effect.fnUntraced(function* (file: string) {
  if (file === "-") return yield* standardInput
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(file).pipe(
    Effect.mapError(({ reason }) => {
      switch (reason._tag) {
        case "NotFound":
          return unreadable(file, "there is no such file")
        case "PermissionDenied":
          return unreadable(file, "the file may not be read by this user")
        default:
          return unreadable(file, "this is not a file that can be read")
      }
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
          problems: error.problems.map(Problem.format),
          advice: "correct the manifest; kafka-backup crd prints every field with its meaning"
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
export const secretsLayer = (
  places: Places
): Layer.Layer<MountedSecrets.Secrets, never, FileSystem.FileSystem | Path.Path> => MountedSecrets.layer(places.secrets)

/** The storage that a manifest names, with its credentials. */
export const storageTarget = Effect.fn("Resource.storageTarget")(function* (backup: KafkaBackup, places: Places) {
  const chosen = StorageSpec.chosen(backup.spec.storage)
  if (chosen.storageType === "pvc" && places.volumes === undefined) {
    const claim = chosen.pvc.claimName
    return yield* new UsageError({
      detail: `storageType is pvc, and this is not a pod: where claim ${claim} is mounted must be said`,
      advice: `give --volumes DIR, where DIR/${claim} is a directory`
    })
  }
  return yield* Connections.storage(backup.spec.storage, places.volumes).pipe(Effect.provide(secretsLayer(places)))
})

/** Opens the store of the manifest in `file`, for as long as the scope lasts. */
export const openStore = Effect.fn("Resource.openStore")(function* (file: string, places: Places) {
  const backup = yield* read(file)
  const stores = yield* ObjectStores
  const store = yield* stores.open(yield* storageTarget(backup, places))
  return { backup, store: GuardedObjectStore.make(store, GuardedObjectStore.bounded) }
})
