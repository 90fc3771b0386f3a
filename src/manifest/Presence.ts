import { Effect, Stream } from "effect"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import type { BackupSet } from "./Catalogue.ts"
import { type ManifestSegment, references } from "./Manifest.ts"

const segments = ({ manifest }: BackupSet): ReadonlyArray<ManifestSegment> =>
  manifest.topics.flatMap(({ partitions }) => partitions.flatMap((partition) => partition.segments))

/**
 * What is missing of a set or has another size than its manifest says, as the store lists it now, in its own folder and
 * in those of other sets that it names objects of: one request for a thousand objects. What a list of those lacks is
 * asked for by its name.
 */
export const problems = Effect.fn("Presence.problems")(function* (store: ObjectStoreShape, set: BackupSet) {
  const listed = new Map<string, number>()
  yield* Effect.forEach(
    [BackupKeys.topicsFolder(set.backupId), ...references(set.manifest, set.backupId).map((folder) => `${folder}/`)],
    (folder) => store.list(folder).pipe(Stream.runForEach(({ key, size }) => Effect.sync(() => listed.set(key, size)))),
    { discard: true }
  )
  const elsewhere = (key: string) =>
    store.head(ObjectKey.make(key)).pipe(
      Effect.map(({ size }): number | undefined => size),
      Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined))
    )
  const found = yield* Effect.forEach(
    segments(set),
    ({ compressed_size: expected, key }) =>
      Effect.map(
        key.startsWith(`${set.backupId}/`) || listed.has(key) ? Effect.succeed(listed.get(key)) : elsewhere(key),
        (size): ReadonlyArray<string> => {
          if (size === undefined) return [`${key} is not there`]
          return expected === undefined || expected === size ? [] : [`${key} has ${size} bytes instead of ${expected}`]
        }
      ),
    { concurrency: 8 }
  )
  return found.flat()
})
