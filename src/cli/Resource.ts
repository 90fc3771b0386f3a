import { Effect, FileSystem, type Layer, type Path, Schema } from "effect"
import * as Connections from "../worker/Connections.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Worker from "../Worker.ts"
import * as RunSpec from "../identity/RunSpec.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as Problem from "../resource/Problem.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as MountedSecrets from "../secrets/MountedSecrets.ts"
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

const environment = "env:"

/** True where `-f` names an environment variable with a run spec instead of a file. */
export const isRunSpec = (file: string): boolean => file.startsWith(environment)

/** The run spec in an environment variable. */
const runSpec = (variable: string) => {
  const refused = (problem: string) =>
    new BadManifest({
      file: `environment variable ${variable}`,
      problems: [problem],
      advice: `-f ${environment}NAME reads what the operator put there for a Job; to run by hand, give a manifest with -f FILE`
    })
  const value = process.env[variable]
  if (value === undefined) return Effect.fail(refused("it is not set"))
  return Effect.mapError(Effect.fromResult(RunSpec.decode(value)), ({ message }) => refused(message))
}

/** What `-f` names: a resource, and with a run spec also whose run it is. */
export interface Given {
  readonly backup: KafkaBackup
  readonly run: { readonly slot: string; readonly trigger?: string } | undefined
}

/** Reads and checks what `-f` names: a KafkaBackup manifest, `-` for standard input, or `env:NAME` for a run spec. */
export const readGiven = Effect.fn("Resource.readGiven")(function* (file: string) {
  if (!isRunSpec(file)) return { backup: yield* manifest(file), run: undefined } satisfies Given
  const { backup, ...run } = yield* runSpec(file.slice(environment.length))
  return { backup, run } satisfies Given
})

/** As `readGiven`, the resource alone. */
export const read = (file: string) => Effect.map(readGiven(file), ({ backup }) => backup)

const manifest = Effect.fnUntraced(function* (file: string) {
  const source = yield* text(file)
  return yield* Effect.fromResult(ManifestParser.parse(source)).pipe(
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

/** Fails where the storage is a claim and nobody said where that is mounted. */
export const assertPlaces = Effect.fnUntraced(function* (backup: KafkaBackup, places: Places) {
  const chosen = StorageSpec.chosen(backup.spec.storage)
  if (chosen.storageType !== "pvc" || places.volumes !== undefined) return
  const claim = chosen.pvc.claimName
  return yield* new UsageError({
    detail: `storageType is pvc, and this is not a pod: where claim ${claim} is mounted must be said`,
    advice: `give --volumes DIR, where DIR/${claim} is a directory`
  })
})

/** The storage that a manifest names, with its credentials. */
export const storageTarget = Effect.fn("Resource.storageTarget")(function* (backup: KafkaBackup, places: Places) {
  yield* assertPlaces(backup, places)
  return yield* Connections.storage(backup.spec.storage, places.volumes).pipe(Effect.provide(secretsLayer(places)))
})

/** Opens the store of the manifest in `file`, for as long as the scope lasts. */
export const openStore = Effect.fn("Resource.openStore")(function* (file: string, places: Places) {
  const backup = yield* read(file)
  yield* assertPlaces(backup, places)
  const store = yield* Worker.openStore(backup, places.volumes).pipe(Effect.provide(secretsLayer(places)))
  return { backup, store }
})
