import { Effect } from "effect"
import * as ObjectProblem from "../manifest/ObjectProblem.ts"
import type * as Verification from "../manifest/Verification.ts"
import { ObjectKey, type ObjectInfo, type ObjectStoreShape } from "../storage/ObjectStore.ts"

/*
 * What a reading of one stored object shows. An object counts as wrong only after a second reading: a store may have
 * answered wrongly once. Whether it belongs to a backup that is still kept is decided later, under the owner's lock.
 */

export type Reading =
  | { readonly _tag: "Right" }
  | {
      readonly _tag: "Wrong"
      /** For people: what is wrong with it. */
      readonly detail: string
      /** As the store had it just before the second reading; undefined where it was missing. */
      readonly seen: ObjectInfo | undefined
    }
  /** The store does not give it. `isDown`: nor, by its answer, anything else for now. */
  | { readonly _tag: "Refused"; readonly message: string; readonly isDown: boolean }

/** What the store has under this key; undefined for nothing. */
export const seen = (store: ObjectStoreShape, key: string) =>
  store.head(ObjectKey.make(key)).pipe(
    Effect.map((info): ObjectInfo | undefined => info),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
  )

/** True if the object is the same as when it was seen, as far as the store tells. */
export const isSame = (a: ObjectInfo | undefined, b: ObjectInfo | undefined): boolean =>
  a?.size === b?.size && a?.fingerprint === b?.fingerprint && a?.modifiedMillis === b?.modifiedMillis

/** Reads an object, and again if it is not right. Never fails because of the store. */
export const read = Effect.fn("ObjectReading.read")(
  function* (store: ObjectStoreShape, located: Verification.LocatedSegment) {
    if ((yield* ObjectProblem.find(store, located)) === undefined) return { _tag: "Right" } satisfies Reading as Reading
    const before = yield* seen(store, located.segment.key)
    const detail = yield* ObjectProblem.find(store, located)
    return detail === undefined
      ? ({ _tag: "Right" } satisfies Reading as Reading)
      : ({ _tag: "Wrong", detail, seen: before } satisfies Reading as Reading)
  },
  Effect.catchTag("ObjectStoreError", ({ isRetryable, message }) =>
    Effect.succeed<Reading>({ _tag: "Refused", message, isDown: isRetryable })
  )
)
