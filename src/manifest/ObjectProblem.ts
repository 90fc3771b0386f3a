import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Verification from "./Verification.ts"

/** SHA-256 of the stored bytes, lower-case hex. */
const sha256Of = (store: ObjectStoreShape, key: string) =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    return store.read(ObjectKey.make(key)).pipe(
      Stream.runForEach((piece) => Effect.sync(() => void hash.update(piece))),
      Effect.map(() => hash.digest("hex"))
    )
  })

/**
 * What is wrong with a stored object, compared with its entry in a manifest; undefined where it is right. A changed
 * byte may make it look like one of a format of the future: with the bytes that the entry says, it is one, and right.
 */
export const find = Effect.fnUntraced(function* (store: ObjectStoreShape, located: Verification.LocatedSegment) {
  const { key, sha256 } = located.segment
  return yield* Verification.checkRecords(store, located).pipe(
    Effect.map((found) => (found.length === 0 ? undefined : found.map(({ detail }) => detail).join("; "))),
    Effect.catchTag("SegmentError", ({ message }) =>
      sha256 === undefined
        ? Effect.succeed(message)
        : Effect.map(sha256Of(store, key), (bytes) => (bytes === sha256 ? undefined : message))
    )
  )
})
