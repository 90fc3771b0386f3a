import { Effect, Stream } from "effect"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import type { ManifestSegment } from "./Manifest.ts"

/** The folders of backups that these keys lie in, ascending. */
const foldersOf = (segments: ReadonlyArray<ManifestSegment>): ReadonlyArray<string> =>
  [...new Set(segments.map(({ key }) => key.split("/", 1)[0]!))].toSorted()

/**
 * The keys of those segments that the store does not have, or has with another size than their manifest says. Lists
 * the folders that they lie in, a thousand objects with one request; what a list lacks is asked for by its name, since
 * a list may lag behind.
 */
export const missing = Effect.fn("ObjectsThere.missing")(function* (
  store: ObjectStoreShape,
  segments: ReadonlyArray<ManifestSegment>
) {
  const expected = new Map(segments.map(({ compressed_size, key }) => [key, compressed_size]))
  const isRight = (key: string, size: number) => (expected.get(key) ?? size) === size
  const open = new Set(expected.keys())
  yield* Effect.forEach(
    foldersOf(segments),
    (folder) =>
      store.list(`${folder}/topics/`).pipe(
        Stream.runForEach(({ key, size }) =>
          Effect.sync(() => {
            if (isRight(key, size)) open.delete(key)
          })
        )
      ),
    { concurrency: 4, discard: true }
  )
  yield* Effect.forEach(
    [...open],
    (key) =>
      store.head(ObjectKey.make(key)).pipe(
        Effect.map(({ size }) => {
          if (isRight(key, size)) open.delete(key)
        }),
        Effect.catchIf(isReason("ObjectNotFound"), () => Effect.void)
      ),
    { concurrency: 16, discard: true }
  )
  return open as ReadonlySet<string>
})
