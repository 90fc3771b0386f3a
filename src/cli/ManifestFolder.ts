import { Effect, FileSystem, Path } from "effect"
import { UsageError } from "./UsageError.ts"

/** A manifest, and what it is of. */
export interface Manifest {
  readonly kind: string | undefined
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly yaml: string
}

/** Short enough for every file system beside the number and the ending. */
const maxLength = 200

/** A part of a file's name; anything else than letters, digits, dots and dashes could name another folder. */
const part = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.-]/gu, "_")

/** `kafkabackup-shop-orders.yaml` for each manifest, with a number behind the name where it was taken already. */
export const fileNames = (manifests: ReadonlyArray<Omit<Manifest, "yaml">>): ReadonlyArray<string> => {
  const taken = new Set<string>()
  return manifests.map(({ kind = "resource", name = "unnamed", namespace }) => {
    const base = [kind, namespace, name]
      .flatMap((one) => (one === undefined ? [] : [part(one)]))
      .join("-")
      .slice(0, maxLength)
    let file = `${base}.yaml`
    for (let count = 2; taken.has(file); count++) file = `${base}-${count}.yaml`
    taken.add(file)
    return file
  })
}

/** Writes each manifest into a file of its own in `folder`, which it makes. Gives the paths, in order. */
export const write = Effect.fn("ManifestFolder.write")(function* (folder: string, manifests: ReadonlyArray<Manifest>) {
  const [fs, path] = [yield* FileSystem.FileSystem, yield* Path.Path]
  const refused = (detail: string) =>
    new UsageError({
      detail: `--output-dir ${folder}: ${detail}`,
      advice: "give a directory that does not exist yet, below one that you may write to"
    })
  yield* fs
    .makeDirectory(folder)
    .pipe(
      Effect.mapError((error) =>
        refused(error.reason._tag === "AlreadyExists" ? "exists already" : `cannot be made (${error.reason._tag})`)
      )
    )
  const names = fileNames(manifests)
  return yield* Effect.forEach(manifests, ({ yaml }, index) => {
    const file = path.join(folder, names[index]!)
    return fs.writeFileString(file, yaml).pipe(
      Effect.as(file),
      Effect.mapError((error) => refused(`${names[index]!} cannot be written (${error.reason._tag})`))
    )
  })
})
