import { Effect, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { CatalogueError, DocumentUnreadable, SetIncomplete, SetNotFound } from "./CatalogueError.ts"
import * as Claims from "./Claims.ts"
import * as Damage from "./Damage.ts"
import * as Documents from "./Documents.ts"
import { type Manifest, type ManifestTotals, references, totals } from "./Manifest.ts"
import * as ManifestFile from "./ManifestFile.ts"
import * as OtherSets from "./OtherSets.ts"
import { isMarked, isThere } from "./ObjectsThere.ts"
import * as RetiredFolder from "./RetiredFolder.ts"
import { digest, type SetDigest, SetFacts } from "./SetFacts.ts"

/** One folder below the storage root that is, was or may become a backup. */
export type CatalogueEntry =
  | {
      readonly _tag: "Complete"
      readonly backupId: BackupId.BackupId
      readonly createdMillis: number
      readonly totals: ManifestTotals
      /** Undefined for a set that another tool made. */
      readonly facts: SetDigest | undefined
      /** Other sets whose objects the manifest names. */
      readonly references: ReadonlyArray<string>
      /** The set that it was built on; absent for one that names no other set's objects. */
      readonly base?: BackupId.BackupId
      /** What is recorded of it as damaged; absent where nothing is. */
      readonly damage?: Damage.Summary
    }
  | { readonly _tag: "Incomplete"; readonly backupId: BackupId.BackupId }
  | { readonly _tag: "BeingRemoved"; readonly backupId: BackupId.BackupId }
  /** It was removed, but for objects that other sets need. */
  | ({ readonly _tag: "Retired" } & RetiredFolder.RetiredFolder)
  | {
      readonly _tag: "Unreadable"
      readonly backupId: BackupId.BackupId
      readonly detail: string
      /** The owner, if a claim or facts name it. */
      readonly owner: Owner | undefined
      /**
       * Neither claim nor facts belong to it: a file of another application, a set of another tool, a copied folder.
       */
      readonly isForeign: boolean
    }

/** True for a folder that is no backup as it is, and may have been one: nobody is removing it. */
export const isLost = ({ _tag }: CatalogueEntry): boolean => _tag === "Incomplete" || _tag === "Unreadable"

/** The manifest of a complete set, and its facts unless another tool made it. */
export interface BackupSet {
  readonly backupId: BackupId.BackupId
  readonly manifest: Manifest
  readonly facts: SetFacts | undefined
  /** See `ManifestFile.Read`; absent where the manifest was not read. */
  readonly sealedSha256?: string | undefined
}

const reject = (reason: CatalogueError["reason"]) => Effect.fail(new CatalogueError({ reason }))

/**
 * Opens the set whose id somebody wrote. Fails as `openById`; a text that is no id names no set. A set of nearly that
 * id is named by the failure.
 */
export const open = (store: ObjectStoreShape, text: string) => {
  const backupId = BackupId.parse(text)
  if (backupId === undefined) return reject(new SetNotFound({ backupId: text, location: store.location }))
  return openById(store, backupId).pipe(
    Effect.catchReason("CatalogueError", "SetNotFound", ({ location }) =>
      Effect.flatMap(OtherSets.find(store, text, isComplete), (found) =>
        reject(new SetNotFound({ backupId, location, ...found }))
      )
    )
  )
}

/**
 * Opens one set. Fails with `SetIncomplete` for a run without a manifest, with `SetNotFound` if there is no run either.
 * `known`: its facts, if they were just read; they are not read again then, if the manifest names them.
 */
export const openById = Effect.fn("Catalogue.openById")(function* (
  store: ObjectStoreShape,
  backupId: BackupId.BackupId,
  known?: SetFacts
) {
  if (yield* isMarked(store, BackupKeys.tombstone(backupId))) {
    return yield* reject(new SetIncomplete({ backupId, state: "beingRemoved" }))
  }
  const read = yield* ManifestFile.read(store, BackupKeys.manifest(backupId)).pipe(
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
  )
  if (read === undefined) {
    return yield* reject(
      (yield* isThere(store, BackupKeys.claim(backupId)))
        ? new SetIncomplete({ backupId, state: "unfinished" })
        : new SetNotFound({ backupId, location: store.location })
    )
  }
  const { manifest } = read
  // The manifest says whose facts count: an attempt that died before its manifest may have left some, too.
  const listed = Object.keys(manifest.kb_documents ?? {}).find(BackupKeys.isFacts)
  const factsKey = listed === undefined ? BackupKeys.facts(backupId) : ObjectKey.make(`${backupId}/${listed}`)
  const isKnown = known?.backupId === backupId && factsKey === BackupKeys.facts(backupId)
  const facts = isKnown ? known : yield* Documents.readIfThere(store, factsKey, SetFacts)
  const named = [manifest.backup_id, facts?.backupId].find((id) => id !== undefined && id !== backupId)
  if (named !== undefined) {
    const detail = `it belongs to backup ${named}: a copied folder is not a backup of its own`
    return yield* reject(new DocumentUnreadable({ key: BackupKeys.manifest(backupId), detail }))
  }
  return { backupId, ...read, facts } satisfies BackupSet as BackupSet
})

/**
 * The facts of a complete set without its manifest. Where killed attempts left facts of their own, the manifest says
 * which ones count. Fails as `openById`.
 */
export const factsOf = Effect.fn("Catalogue.factsOf")(function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
  const found = yield* store.list(`${backupId}/kb-meta`).pipe(Stream.runCollect)
  const [first] = found
  return found.length === 1 && first?.key === BackupKeys.facts(backupId)
    ? yield* Documents.read(store, first.key, SetFacts)
    : (yield* openById(store, backupId)).facts
})

/** True for a folder with a manifest, whether or not somebody is removing it. */
export const hasManifest = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  isThere(store, BackupKeys.manifest(backupId))

/** True for a folder with a manifest that nobody is removing. */
export const isComplete = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  Effect.flatMap(isMarked(store, BackupKeys.tombstone(backupId)), (isRemoved) =>
    isRemoved ? Effect.succeed(false) : isThere(store, BackupKeys.manifest(backupId))
  )

/**
 * The owner of an unreadable set, from its facts or its claim. Without both, or with facts of another folder: foreign.
 */
const provenance = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
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
  return { owner: undefined, isForeign: facts === undefined && !(yield* isThere(store, BackupKeys.claim(backupId))) }
})

/**
 * A complete set by its facts alone, without its manifest. Undefined where they do not say everything: the facts of
 * earlier versions, those of killed attempts beside them, damaged ones, or a folder that is no set.
 */
const byFacts = Effect.fnUntraced(
  function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
    const key = BackupKeys.facts(backupId)
    const found = yield* store.list(`${backupId}/kb-meta`).pipe(Stream.take(2), Stream.runCollect)
    if (found.length !== 1 || found[0]?.key !== key) return undefined
    const facts = yield* Documents.read(store, key, SetFacts)
    if (facts.references === undefined || facts.backupId !== backupId) return undefined
    if (!(yield* isComplete(store, backupId))) return undefined
    const { records, segments, storedBytes, topics } = facts.totals
    return {
      _tag: "Complete",
      backupId,
      createdMillis: facts.startedMillis,
      totals: { topics, segments, records, storedBytes, gaps: facts.gaps.length },
      facts: digest(facts),
      references: facts.references.map(({ folder }) => folder),
      ...(facts.base === undefined ? {} : { base: facts.base.backupId })
    } satisfies CatalogueEntry as CatalogueEntry
  },
  Effect.catchTag("CatalogueError", () => Effect.succeed(undefined)),
  Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined))
)

const byManifest = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  openById(store, backupId).pipe(
    Effect.map(({ facts, manifest }): CatalogueEntry => ({
      _tag: "Complete",
      backupId,
      createdMillis: manifest.created_at,
      totals: totals(manifest),
      facts: facts === undefined ? undefined : digest(facts),
      references: references(manifest, backupId),
      ...(facts?.base === undefined ? {} : { base: facts.base.backupId })
    }))
  )

const retired = (store: ObjectStoreShape, backupId: BackupId.BackupId) =>
  Effect.map(RetiredFolder.read(store, backupId), (found): CatalogueEntry | undefined =>
    found === undefined ? undefined : { _tag: "Retired", ...found }
  )

const unreadable = (store: ObjectStoreShape, backupId: BackupId.BackupId, { message }: CatalogueError) =>
  Effect.map(provenance(store, backupId), (found): CatalogueEntry => ({
    _tag: "Unreadable",
    backupId,
    detail: message,
    ...found
  }))

const withDamage = (store: ObjectStoreShape, entry: CatalogueEntry) =>
  Effect.map(Damage.read(store, entry.backupId), (objects): CatalogueEntry => {
    const damage = Damage.summary(objects)
    return damage === undefined || entry._tag !== "Complete" ? entry : { ...entry, damage }
  })

/** What one folder holds; undefined without manifest and claim, and if nothing of a removed set is in it. */
export const entry = Effect.fnUntraced(
  function* (store: ObjectStoreShape, backupId: BackupId.BackupId) {
    return yield* withDamage(store, (yield* byFacts(store, backupId)) ?? (yield* byManifest(store, backupId)))
  },
  (effect, store, backupId) =>
    effect.pipe(
      Effect.catchReason("CatalogueError", "SetNotFound", () => retired(store, backupId)),
      Effect.catchReason("CatalogueError", "SetIncomplete", ({ state }) =>
        Effect.succeed<CatalogueEntry>({ _tag: state === "beingRemoved" ? "BeingRemoved" : "Incomplete", backupId })
      ),
      Effect.catchTag("CatalogueError", (error) => unreadable(store, backupId, error))
    )
)

/**
 * Every set, unfinished run and retired folder below the root, ascending by id. Leaves out other folders without
 * manifest and claim. Reads the facts of each set, and its manifest only where those do not say everything.
 */
export const entries = (store: ObjectStoreShape) =>
  store.folders.pipe(
    Stream.filter((folder) => folder !== BackupKeys.commonFolder),
    Stream.map(BackupId.parse),
    Stream.filter((backupId) => backupId !== undefined),
    Stream.mapEffect((backupId) => entry(store, backupId), { concurrency: 8 }),
    Stream.filter((found) => found !== undefined),
    Stream.runCollect
  )
