import { Effect, type Schema } from "effect"
import type { ObjectKey, ObjectRole, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import * as SealedJson from "./SealedJson.ts"

/** Reads and writes sealed JSON documents: all documents that a resuming run relies on. */

const unreadable = (key: string) => (error: SealedJson.NotSealed) =>
  new CatalogueError({ reason: new DocumentUnreadable({ key, detail: error.message }) })

/** The document; fails with `DocumentUnreadable`, which names the key. */
export const read = <S extends Schema.Codec<any, any>>(store: ObjectStoreShape, key: ObjectKey, schema: S) =>
  store
    .get(key)
    .pipe(
      Effect.flatMap((bytes) =>
        Effect.fromResult(SealedJson.open(schema, bytes)).pipe(Effect.mapError(unreadable(key)))
      )
    )

/** As `read`, but undefined if the object does not exist. */
export const readIfThere = <S extends Schema.Codec<any, any>>(store: ObjectStoreShape, key: ObjectKey, schema: S) =>
  read(store, key, schema).pipe(
    Effect.map((value): S["Type"] | undefined => value),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
  )

/** As `readIfThere`, also of a document that version 0.1 wrote without a seal. */
export const readOrPlainIfThere = <S extends Schema.Codec<any, any>>(
  store: ObjectStoreShape,
  key: ObjectKey,
  schema: S
) =>
  store.get(key).pipe(
    Effect.flatMap((bytes) =>
      Effect.fromResult(SealedJson.openOrPlain(schema, bytes)).pipe(Effect.mapError(unreadable(key)))
    ),
    Effect.map((value): S["Type"] | undefined => value),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
  )

/** Creates the document; false if it exists already. Those that the manifest lists are data, all others bookkeeping. */
export const create = <S extends Schema.Codec<any, any>>(
  store: ObjectStoreShape,
  key: ObjectKey,
  schema: S,
  value: S["Type"],
  role?: ObjectRole
): Effect.Effect<boolean, ObjectStoreError> =>
  store.put(key, [SealedJson.seal(schema, value)], { ifAbsent: true, ...(role === undefined ? {} : { role }) }).pipe(
    Effect.as(true),
    Effect.catchReason("ObjectStoreError", "ObjectExists", () => Effect.succeed(false))
  )
