import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Catalogue from "./Catalogue.ts"
import type { Ledger } from "./Ledger.ts"
import { hashes } from "./LedgerEntries.ts"
import * as LedgerUpkeep from "./LedgerUpkeep.ts"
import type { Manifest } from "./Manifest.ts"

/** What is not in the ledger yet. */
export interface Refreshed {
  /** Kept backups that a later run reads. */
  readonly unknown: number
  /** Those whose manifest cannot be read, and why. */
  readonly unreadable: ReadonlyArray<{ readonly backupId: BackupId; readonly detail: string }>
}

/** Manifests that one run opens to bring the ledger up to date: one may have hundreds of megabytes. */
export const openedPerRun = 10

const objectsOf = (manifest: Manifest): ReadonlyArray<LedgerUpkeep.NamedObject> =>
  manifest.topics.flatMap(({ partitions }) =>
    partitions.flatMap(({ segments }) =>
      segments.map(({ compressed_size: bytes = 0, key, uploaded_at: writtenMillis }) => ({ key, bytes, writtenMillis }))
    )
  )

const absorb = (upkeep: LedgerUpkeep.Upkeep, set: LedgerUpkeep.KeptSet, manifest: Manifest, isNew: boolean): void => {
  const objects = objectsOf(manifest)
  LedgerUpkeep.absorb(upkeep, set, objects, hashes(objects.map(({ key }) => key)), isNew)
}

/** Adds what one of the kept backups names. */
export const add = (ledger: Ledger, kept: ReadonlyArray<LedgerUpkeep.KeptSet>, set: Catalogue.BackupSet): void => {
  const upkeep = LedgerUpkeep.begin(ledger, kept)
  const own = upkeep.kept.get(set.backupId)
  if (own !== undefined) absorb(upkeep, own, set.manifest, false)
}

/** A complete backup; undefined if it is none any more, or a text that says why it cannot be read. */
export const opened = (store: ObjectStoreShape, backupId: BackupId) =>
  Catalogue.openById(store, backupId).pipe(
    Effect.map((set): Catalogue.BackupSet | string | undefined => set),
    Effect.catchReason("CatalogueError", "SetIncomplete", () => Effect.succeed(undefined)),
    Effect.catchReason("CatalogueError", "SetNotFound", () => Effect.succeed(undefined)),
    Effect.catchTag("CatalogueError", ({ message }) => Effect.succeed(message))
  )

/** Brings the ledger up to date with the kept backups of its resource, of which the run has just made one. */
export const refresh = Effect.fn("LedgerRefresh.refresh")(function* (
  store: ObjectStoreShape,
  ledger: Ledger,
  kept: ReadonlyArray<LedgerUpkeep.KeptSet>,
  made: Catalogue.BackupSet
) {
  const upkeep = LedgerUpkeep.begin(ledger, kept)
  const own = upkeep.kept.get(made.backupId)
  if (own !== undefined) absorb(upkeep, own, made.manifest, true)
  const unreadable: Array<Refreshed["unreadable"][number]> = []
  // What cannot be opened does not count: else ten of them would keep all others out for ever.
  for (let n = 0; n < openedPerRun;) {
    const next = LedgerUpkeep.next(upkeep)
    if (next === undefined) break
    const { backupId } = next
    const found = yield* opened(store, backupId)
    if (found !== undefined && typeof found !== "string") {
      absorb(upkeep, next, found.manifest, false)
      n++
      continue
    }
    if (found === undefined) {
      LedgerUpkeep.forget(upkeep, next)
      continue
    }
    LedgerUpkeep.fail(upkeep, next)
    unreadable.push({ backupId, detail: found })
  }
  LedgerUpkeep.end(upkeep)
  return { unknown: LedgerUpkeep.unknown(upkeep).length, unreadable } satisfies Refreshed as Refreshed
})
