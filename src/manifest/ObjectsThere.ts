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
