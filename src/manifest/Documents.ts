import { Effect, type Schema } from "effect"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import * as SealedJson from "./SealedJson.ts"

/** Reads and writes sealed JSON documents; every document that a run trusts on resuming goes through here. */

const unreadable = (key: string) => (error: SealedJson.NotSealed) =>
  new CatalogueError({ reason: new DocumentUnreadable({ key, detail: error.message }) })

/** The document, or a `DocumentUnreadable` that names the key. */
export const read = <S extends Schema.Codec<any, any>>(store: ObjectStoreShape, key: ObjectKey, schema: S) =>
  store
    .get(key)
    .pipe(
      Effect.flatMap((bytes) =>
        Effect.fromResult(SealedJson.open(schema, bytes)).pipe(Effect.mapError(unreadable(key)))
      )
    )

/** As `read`, but undefined where there is no such object. */
export const readIfThere = <S extends Schema.Codec<any, any>>(store: ObjectStoreShape, key: ObjectKey, schema: S) =>
  read(store, key, schema).pipe(
    Effect.map((value): S["Type"] | undefined => value),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
  )

/** Writes the document if there is none; false when somebody was first. */
export const create = <S extends Schema.Codec<any, any>>(
  store: ObjectStoreShape,
  key: ObjectKey,
  schema: S,
  value: S["Type"]
): Effect.Effect<boolean, ObjectStoreError> =>
  store.put(key, [SealedJson.seal(schema, value)], { ifAbsent: true }).pipe(
    Effect.as(true),
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.succeed(false))
  )
