import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Catalogue from "./Catalogue.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import * as Seal from "./Seal.ts"

/*
 * Which objects in the folders of removed sets other sets need. The facts of a set say in which folders its manifest
 * names objects, so that only manifests that matter are opened. Of these, a set that was built on another one names
 * nothing in a third folder but what that one names, so that of a chain of sets the oldest is enough.
 */

/** A set that stays, as far as the removal of others must know it. */
export interface Need {
  readonly backupId: BackupId
  /** The folders of other sets in which its manifest names objects. */
  readonly references: ReadonlyArray<string>
  /** The set that it was built on. */
  readonly base?: BackupId
}

/** The sets that name objects in the folder. Pure. */
export const of = <N extends Need>(folder: string, needs: ReadonlyArray<N>): ReadonlyArray<N> =>
  needs.filter(({ references }) => references.includes(folder))

/**
 * The sets that together name everything in the folder that any set names: those whose base names nothing there. Where
 * bases lead in a circle, which no run writes, all of them. Pure.
 */
export const deciding = <N extends Need>(folder: string, needs: ReadonlyArray<N>): ReadonlyArray<N> => {
  const naming = new Map(of(folder, needs).map((need) => [need.backupId, need]))
  const first = (need: N): N => {
    const passed = new Set([need.backupId])
    for (let at = need; ;) {
      const base = at.base === undefined ? undefined : naming.get(at.base)
      if (base === undefined) return at
      if (passed.has(base.backupId)) return need
      passed.add(base.backupId)
      at = base
    }
  }
  return [...new Set([...naming.values()].map(first))]
}

/** Keys that sets name in one folder, each with its stored bytes as the manifest says; 0 where it does not. */
export type NamedKeys = ReadonlyMap<string, number>

/**
 * What one set names in these folders. Undefined if it is no set any more. Fails with `DocumentUnreadable` if its
 * manifest cannot be read, or is not the one that was committed: then nobody knows what it needs.
 */
const namedBy = Effect.fnUntraced(
  function* (store: ObjectStoreShape, backupId: BackupId, folders: ReadonlySet<string>) {
    const set = yield* Catalogue.openById(store, backupId)
    const [changed] = yield* Seal.manifestProblems(store, set)
    if (changed !== undefined) {
      const reason = new DocumentUnreadable({ key: changed.key, detail: `it ${changed.detail}` })
      return yield* new CatalogueError({ reason })
    }
    const named: Array<readonly [folder: string, key: string, bytes: number]> = []
    for (const { partitions } of set.manifest.topics) {
      for (const { segments } of partitions) {
        for (const { compressed_size: bytes = 0, key } of segments) {
          const folder = key.slice(0, key.indexOf("/"))
          if (folders.has(folder)) named.push([folder, key, bytes])
        }
      }
    }
    return named
  },
  Effect.catchReason("CatalogueError", "SetIncomplete", () => Effect.succeed(undefined)),
  Effect.catchReason("CatalogueError", "SetNotFound", () => Effect.succeed(undefined))
)

/** What these sets name in each of the folders, from as few manifests as possible. Fails with `DocumentUnreadable`. */
export const named = Effect.fn("Needs.named")(function* (
  store: ObjectStoreShape,
  folders: ReadonlyArray<string>,
  needs: ReadonlyArray<Need>
) {
  const wanted = new Set(folders)
  const found = new Map<string, Map<string, number>>()
  const opened = new Set<BackupId>()
  const gone = new Set<BackupId>()
  for (;;) {
    // Where a set is gone by now, those that were built on it speak for themselves.
    const there = needs.filter(({ backupId }) => !gone.has(backupId))
    const due = new Set(
      folders.flatMap((folder) =>
        deciding(folder, there).flatMap(({ backupId }) => (opened.has(backupId) ? [] : [backupId]))
      )
    )
    if (due.size === 0) return found as ReadonlyMap<string, NamedKeys>
    yield* Effect.forEach(
      due,
      (backupId) =>
        Effect.map(namedBy(store, backupId, wanted), (keys) => {
          opened.add(backupId)
          if (keys === undefined) gone.add(backupId)
          for (const [folder, key, bytes] of keys ?? []) {
            const held = found.get(folder) ?? new Map<string, number>()
            found.set(folder, held.set(key, bytes))
          }
        }),
      { discard: true }
    )
  }
})
