import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Damage from "./Damage.ts"
import * as Seal from "./Seal.ts"
import * as Verification from "./Verification.ts"

/*
 * Damage that is recorded of a backup although its manifest does not name the object: somebody believed a manifest that
 * had been altered. No reading of objects would ever find it right.
 */

/** Keys of such objects, by the backup of which they are recorded. */
export type Unnamed = ReadonlyMap<string, ReadonlySet<string>>

/** What is recorded of this backup and not named by its manifest; nothing where that is not the one committed. */
export const ofSet = Effect.fn("UnnamedDamage.ofSet")(function* (store: ObjectStoreShape, set: Catalogue.BackupSet) {
  const recorded = yield* Damage.read(store, set.backupId)
  if (recorded.length === 0 || (yield* Seal.manifestProblems(store, set)).length > 0) return new Set<string>()
  const named = new Set(Verification.locatedSegments(set).map(({ segment }) => segment.key))
  return new Set(recorded.flatMap(({ key }) => (named.has(key) ? [] : [key])))
})

/** Manifests that one look opens: one may have hundreds of megabytes. */
const mostOpened = 10

/**
 * What is recorded of these backups and not named by their manifests. The manifest of one is opened only if something
 * is recorded of it that is not expected to be named.
 */
export const find = Effect.fn("UnnamedDamage.find")(function* (
  store: ObjectStoreShape,
  damaged: ReadonlyArray<BackupId>,
  isExpected: (keys: ReadonlyArray<string>) => boolean
) {
  const found = new Map<string, ReadonlySet<string>>()
  let opened = 0
  for (const backupId of damaged) {
    if (opened === mostOpened) break
    const recorded = yield* Damage.read(store, backupId)
    if (isExpected(recorded.map(({ key }) => key))) continue
    opened++
    const keys = yield* Catalogue.openById(store, backupId).pipe(
      Effect.flatMap((set) => ofSet(store, set)),
      Effect.catchTag("CatalogueError", () => Effect.succeed(new Set<string>()))
    )
    if (keys.size > 0) found.set(backupId, keys)
  }
  return found as Unnamed
})
