import { Effect, Stream } from "effect"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import type { BackupSet } from "./Catalogue.ts"
import { type ManifestSegment, references } from "./Manifest.ts"

const segments = ({ manifest }: BackupSet): ReadonlyArray<ManifestSegment> =>
  manifest.topics.flatMap(({ partitions }) => partitions.flatMap((partition) => partition.segments))

type Listing = ReadonlyMap<string, number>

/** What was listed of the folders in which other sets name objects: those of a chain name the same ones. */
export type Listings = Map<string, Listing>

const listed = Effect.fnUntraced(function* (store: ObjectStoreShape, folder: string) {
  const sizes = new Map<string, number>()
  yield* store
    .list(BackupKeys.topicsFolder(folder))
    .pipe(Stream.runForEach(({ key, size }) => Effect.sync(() => sizes.set(key, size))))
  return sizes as Listing
})

/**
 * What is missing of a set or has another size than its manifest says, as the store lists it now; one request for a
 * thousand objects. An object that is not listed is asked for: a store may list what it has just taken only later.
 * `listings` keeps what was listed of other sets' folders for the next call.
 */
export const problems = Effect.fn("Presence.problems")(function* (
  store: ObjectStoreShape,
  set: BackupSet,
  listings: Listings = new Map()
) {
  const named = references(set.manifest, set.backupId)
  const missing = named.filter((folder) => !listings.has(folder))
  const found = yield* Effect.forEach(missing, (folder) => listed(store, folder), { concurrency: 8 })
  for (const [n, folder] of missing.entries()) listings.set(folder, found[n]!)
  const own = listings.get(set.backupId) ?? (yield* listed(store, set.backupId))
  const sizeOf = (key: string) => own.get(key) ?? listings.get(key.split("/", 1)[0]!)?.get(key)
  const asked = (key: string) =>
    store.head(ObjectKey.make(key)).pipe(
      Effect.map(({ size }): number | undefined => size),
      Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined))
    )
  const wrong = yield* Effect.forEach(
    segments(set),
    ({ compressed_size: expected, key }) => {
      const size = sizeOf(key)
      return Effect.map(size === undefined ? asked(key) : Effect.succeed(size), (size): ReadonlyArray<string> => {
        if (size === undefined) return [`${key} is not there`]
        return expected === undefined || expected === size ? [] : [`${key} has ${size} bytes instead of ${expected}`]
      })
    },
    { concurrency: 8 }
  )
  return wrong.flat()
})
