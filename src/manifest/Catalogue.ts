import { Effect, Schema, Stream } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, DocumentUnreadable, SetIncomplete, SetNotFound } from "./CatalogueError.ts"
import * as Claims from "./Claims.ts"
import * as Documents from "./Documents.ts"
import { Manifest, type ManifestTotals, totals } from "./Manifest.ts"
import { SetFacts } from "./SetFacts.ts"

/** One folder below the storage root that is, was or may become a backup. */
export type CatalogueEntry =
  | {
      readonly _tag: "Complete"
      readonly backupId: string
      readonly createdMillis: number
      readonly totals: ManifestTotals
      /** Absent for a set that another tool made. */
      readonly facts: SetFacts | undefined
    }
  | { readonly _tag: "Incomplete"; readonly backupId: string }
  | { readonly _tag: "BeingRemoved"; readonly backupId: string }
  | {
      readonly _tag: "Unreadable"
      readonly backupId: string
      readonly detail: string
      /** Whose set it is, where a claim or facts of ours say so. */
      readonly owner: Owner | undefined
      /** Nothing of ours lies beside it: another application's file, another tool's set, a copy made by hand. */
      readonly isForeign: boolean
    }

const decodeManifest = Schema.decodeUnknownEffect(Schema.fromJsonString(Manifest))

/** A complete set's index, and our own facts of it where it is ours. */
export interface BackupSet {
  readonly backupId: string
  readonly manifest: Manifest
  readonly facts: SetFacts | undefined
}

const readManifest = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const key = BackupKeys.manifest(backupId)
  const bytes = yield* store.get(key)
  return yield* decodeManifest(Buffer.from(bytes).toString("utf8")).pipe(
    Effect.mapError(
      (error) => new CatalogueError({ reason: new DocumentUnreadable({ key, detail: firstLine(error.message) }) })
    )
  )
})

const firstLine = (text: string) => text.split("\n", 1)[0] ?? text

const exists = (store: ObjectStoreShape, key: ObjectKey) =>
  store.head(key).pipe(
    Effect.as(true),
    Effect.catchIf(Documents.isNotFound, () => Effect.succeed(false))
  )

/** Opens one set. Fails with `SetIncomplete` for a run without a manifest, `SetNotFound` where there is nothing of ours. */
export const open = Effect.fn("Catalogue.open")(function* (store: ObjectStoreShape, backupId: string) {
  const reject = (reason: CatalogueError["reason"]) => new CatalogueError({ reason })
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(backupId)) {
    return yield* reject(new SetNotFound({ backupId, location: store.location }))
  }
  if (yield* exists(store, BackupKeys.tombstone(backupId))) {
    return yield* reject(new SetIncomplete({ backupId, state: "beingRemoved" }))
  }
  const manifest = yield* readManifest(store, backupId).pipe(
    Effect.catchIf(Documents.isNotFound, () => Effect.succeed(undefined))
  )
  if (manifest === undefined) {
    return yield* reject(
      (yield* exists(store, BackupKeys.claim(backupId)))
        ? new SetIncomplete({ backupId, state: "unfinished" })
        : new SetNotFound({ backupId, location: store.location })
    )
  }
  const facts = yield* Documents.readIfThere(store, BackupKeys.facts(backupId), SetFacts)
  const named = [manifest.backup_id, facts?.backupId].find((id) => id !== undefined && id !== backupId)
  if (named !== undefined) {
    const detail = `it belongs to backup ${named}: a copied folder is not a backup of its own`
    return yield* reject(new DocumentUnreadable({ key: BackupKeys.manifest(backupId), detail }))
  }
  return { backupId, manifest, facts } satisfies BackupSet
})

/** Whose set an unreadable one is: as its facts or its claim say. Neither of them there, or of another folder: foreign. */
const provenance = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const readable = <A, E, R>(read: Effect.Effect<A, E, R>) =>
    Effect.catchTag(read as Effect.Effect<A, E | CatalogueError, R>, "CatalogueError", () => Effect.succeed(null))
  const facts = yield* readable(Documents.readIfThere(store, BackupKeys.facts(backupId), SetFacts))
  if (facts !== undefined && facts !== null) {
    return facts.backupId === backupId
      ? { owner: facts.identity.owner, isForeign: false }
      : { owner: undefined, isForeign: true }
  }
  const owner = yield* Claims.claimant(store, backupId)
  if (owner !== undefined) return { owner, isForeign: false }
  return { owner: undefined, isForeign: facts === undefined && !(yield* exists(store, BackupKeys.claim(backupId))) }
})

const entry = (store: ObjectStoreShape, backupId: string) =>
  open(store, backupId).pipe(
    Effect.map((set): CatalogueEntry => ({
      _tag: "Complete",
      backupId,
      createdMillis: set.manifest.created_at,
      totals: totals(set.manifest),
      facts: set.facts
    })),
    Effect.catchTag("CatalogueError", (error): Effect.Effect<CatalogueEntry | undefined, ObjectStoreError> => {
      switch (error.reason._tag) {
        case "SetNotFound":
          return Effect.succeed(undefined)
        case "SetIncomplete":
          return Effect.succeed({
            _tag: error.reason.state === "beingRemoved" ? "BeingRemoved" : "Incomplete",
            backupId
          })
        default:
          return Effect.map(provenance(store, backupId), (found) => ({
            _tag: "Unreadable",
            backupId,
            detail: error.message,
            ...found
          }))
      }
    })
  )

/** Every set and unfinished run below the root, ascending by id. Foreign folders without a manifest or claim are left out. */
export const entries = (store: ObjectStoreShape) =>
  store.folders.pipe(
    Stream.filter((folder) => folder !== BackupKeys.commonFolder),
    Stream.mapEffect((folder) => entry(store, folder), { concurrency: 8 }),
    Stream.filter((found) => found !== undefined),
    Stream.runCollect
  )
