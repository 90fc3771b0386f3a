import { Effect } from "effect"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ManifestSegment } from "./Manifest.ts"
import * as ObjectSizes from "./ObjectSizes.ts"

/** Whether the store has an object of this key. */
export const isThere = (store: ObjectStoreShape, key: ObjectKey) =>
  store.head(key).pipe(
    Effect.as(true),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(false))
  )

/**
 * As `isThere`, for a small object that is mostly not there: clouds do not say in the answer to a HEAD whether the
 * bucket is gone as well, so that each HEAD that finds nothing is two requests.
 */
export const isMarked = (store: ObjectStoreShape, key: ObjectKey) =>
  store.get(key).pipe(
    Effect.as(true),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(false))
  )

/** The keys of those segments that the store does not have, or has with another size than their manifest says. */
export const missing = Effect.fn("ObjectsThere.missing")(function* (
  store: ObjectStoreShape,
  segments: ReadonlyArray<ManifestSegment>
) {
  const sizes = yield* ObjectSizes.look(store, segments)
  const wrong = segments.filter(({ compressed_size, key }) => {
    const size = sizes.get(key)
    return size === undefined || (compressed_size ?? size) !== size
  })
  return new Set(wrong.map(({ key }) => key)) as ReadonlySet<string>
})
