import { Effect, type FileSystem, type Layer, type Path, type Result, Schema } from "effect"
import { createReadStream } from "node:fs"
import * as Connections from "../worker/Connections.ts"
import { exitCodes } from "../outcome/ExitCodes.ts"
import * as Worker from "../Worker.ts"
import * as OffsetSpec from "../identity/OffsetSpec.ts"
import * as RestoreSpec from "../identity/RestoreSpec.ts"
import * as RunSpec from "../identity/RunSpec.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import type { KafkaBackup } from "../resource/KafkaBackup.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import * as OffsetResource from "../resource/OffsetResource.ts"
import * as Problem from "../resource/Problem.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import * as MountedSecrets from "../secrets/MountedSecrets.ts"
import { UsageError } from "./UsageError.ts"

/** The manifest cannot be used; has every problem at once, each with field, value and remedy. */
export class BadManifest extends Schema.TaggedError<BadManifest>()("BadManifest", {
  file: Schema.String,
  problems: Schema.Array(Schema.String),
  advice: Schema.String
}) {
  get headline() {
    return `${this.file} cannot be used`
  }
  /** Each names its field and its remedy itself. */
  get objections() {
    return this.problems.map((message) => ({ message }))
  }
  override get message() {
    return `${this.headline}:\n${this.problems.map((problem) => `  ${problem}`).join("\n")}`
  }
  readonly exitCode = exitCodes.invalidManifest
}

/** The file cannot be read, or holds no manifest. */
export const unreadable = (file: string, ...why: ReadonlyArray<string>) =>
  new BadManifest({
    file,
    problems: why,
    advice: "give the path of a manifest with -f, or -f - for standard input"
  })

/** Bytes after which no more is read: what has more of them has too many characters, whichever they are. */
const maxBytes = 3 * ManifestParser.maxTextLength + 1

/** A text of at most `maxBytes`; what fails is put into words by `why`. */
const bounded = (input: () => AsyncIterable<Buffer>, name: string, why: (error: NodeJS.ErrnoException) => string) =>
  Effect.tryPromise({
    try: async () => {
      const chunks: Array<Buffer> = []
      let bytes = 0
      for await (const chunk of input()) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes >= maxBytes) break
      }
      return new TextDecoder().decode(Buffer.concat(chunks))
    },
    catch: (error) => unreadable(name, why(error as NodeJS.ErrnoException))
  })

/** Also of a pipe, as a shell makes one for `-f <(command)`: it is read from where it stands. */
export const text = (file: string) =>
  file === "-"
    ? bounded(
        () => process.stdin,
        "standard input",
        ({ message }) => message
      )
    : bounded(
        () => createReadStream(file),
        file,
        ({ code }) =>
          code === "ENOENT"
            ? "the file does not exist"
            : code === "EACCES"
              ? "permission denied"
              : "it is not a readable file"
      )

const environment = "env:"

/** True if `-f` names an environment variable with a run spec instead of a file. */
export const isRunSpec = (file: string): boolean => file.startsWith(environment)

/** The run spec in an environment variable, read by `decode`. */
const runSpec = <A>(variable: string, decode: (text: string) => Result.Result<A, RunSpec.RunSpecUnreadable>) => {
  const refused = (problem: string) =>
    new BadManifest({
      file: `environment variable ${variable}`,
      problems: [problem],
      advice: `-f ${environment}NAME is for the Jobs of the operator; to run by hand, give a manifest with -f FILE`
    })
  const value = process.env[variable]
  if (value === undefined) return Effect.fail(refused("it is not set"))
  return Effect.mapError(Effect.fromResult(decode(value)), ({ message }) => refused(message))
}

/** What `-f` names: a resource, and with a run spec also the run's slot and trigger. */
export interface Given {
  readonly backup: KafkaBackup
  readonly run: { readonly slot: string; readonly trigger?: string } | undefined
}

/** Reads and checks what `-f` names: a KafkaBackup manifest, `-` for standard input, or `env:NAME` for a run spec. */
export const readGiven = Effect.fn("Resource.readGiven")(function* (file: string) {
  if (!isRunSpec(file)) return { backup: yield* manifest(file), run: undefined } satisfies Given
  const { backup, ...run } = yield* runSpec(file.slice(environment.length), RunSpec.decode)
  return { backup, run } satisfies Given
})

/** Like `readGiven`, but only the resource. */
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

/** Reads and checks a KafkaRestore: of a manifest, `-` for standard input, or `env:NAME` for that of a Job. */
export const readRestore = Effect.fn("Resource.readRestore")(function* (file: string) {
  if (isRunSpec(file)) return yield* runSpec(file.slice(environment.length), RestoreSpec.decode)
  const source = yield* text(file)
  return yield* Effect.fromResult(KafkaRestore.parse(source)).pipe(
    Effect.mapError(
      (error) =>
        new BadManifest({
          file: file === "-" ? "standard input" : file,
          problems: error.problems.map(Problem.format),
          advice: "correct the manifest; the guide on restoring has every field"
        })
    )
  )
})

/** Reads what the operator gave to a Job that works on offsets: the value of an environment variable. */
export const readOffsetSpec = (file: string) => runSpec(file.slice(environment.length), OffsetSpec.decode)

/** Reads and checks a manifest of one of these kinds, or `-` for standard input. */
export const readOffsets = Effect.fn("Resource.readOffsets")(function* <const K extends OffsetResource.Kind>(
  file: string,
  kinds: ReadonlyArray<K>
) {
  const source = yield* text(file)
  return yield* Effect.fromResult(OffsetResource.parse(source, kinds)).pipe(
    Effect.mapError(
      (error) =>
        new BadManifest({
          file: file === "-" ? "standard input" : file,
          problems: error.problems.map(Problem.format),
          advice: "correct the manifest; the guide on restoring has every field"
        })
    )
  )
})

/** The values of `--secrets` and `--volumes`. */
export interface Directories {
  readonly secrets: string | undefined
  readonly volumes: string | undefined
}

/** The Secrets of `--secrets DIR`. */
export const secretsLayer = (
  directories: Directories
): Layer.Layer<MountedSecrets.Secrets, never, FileSystem.FileSystem | Path.Path> =>
  MountedSecrets.layer(directories.secrets)

/** Fails if the storage is a claim and `--volumes` is not given. */
export const assertDirectories = Effect.fnUntraced(function* (
  { spec }: { readonly spec: Pick<KafkaBackup["spec"], "storage"> },
  directories: Directories
) {
  const chosen = StorageSpec.chosen(spec.storage)
  if (chosen.storageType !== "pvc" || directories.volumes !== undefined) return
  const claim = chosen.pvc.claimName
  return yield* new UsageError({
    detail: `storageType is pvc, and the directory of claim ${claim} is not known`,
    advice: `give --volumes DIR, where DIR/${claim} is the claim's directory`
  })
})

/** The storage that a manifest names, with its credentials. */
export const storageTarget = Effect.fn("Resource.storageTarget")(function* (
  backup: KafkaBackup,
  directories: Directories
) {
  yield* assertDirectories(backup, directories)
  return yield* Connections.storage(backup.spec.storage, directories.volumes).pipe(
    Effect.provide(secretsLayer(directories))
  )
})

/** Opens the store of the manifest in `file`, for as long as the scope lasts. */
export const openStore = Effect.fn("Resource.openStore")(function* (file: string, directories: Directories) {
  const backup = yield* read(file)
  yield* assertDirectories(backup, directories)
  const store = yield* Worker.openStore(backup, directories.volumes).pipe(Effect.provide(secretsLayer(directories)))
  return { backup, store }
})
