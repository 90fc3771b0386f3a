import { Effect } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Adoption from "./Adoption.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Damage from "./Damage.ts"
import * as OwnSets from "./OwnSets.ts"
import * as SetIndex from "./SetIndex.ts"

/*
 * An object may be named by many sets: when it is found damaged, or right again, all of them say so, and the index of
 * their owner, from which retention knows it.
 */

/** The set in whose folder an object lies. */
const folderOf = (key: string): string => key.split("/", 1)[0]!

/** The sets that may name objects in these folders: their own, or one that they reference. Pure. */
export const candidates = <S extends Pick<SetIndex.IndexedSet, "backupId" | "references">>(
  sets: ReadonlyArray<S>,
  folders: ReadonlySet<string>
): ReadonlyArray<S> =>
  sets.filter(({ backupId, references }) => folders.has(backupId) || references.some((folder) => folders.has(folder)))

/** Manifests that are held at the same time: one may have hundreds of megabytes. */
const openedAtOnce = 2

/** Those of the keys that the manifest of the set names. None of a set that is gone, or that cannot be read. */
const namedBy = Effect.fnUntraced(
  function* (store: ObjectStoreShape, backupId: BackupId, keys: ReadonlySet<string>) {
    const { manifest } = yield* Catalogue.openById(store, backupId)
    const named = new Set<string>()
    for (const { partitions } of manifest.topics) {
      for (const { segments } of partitions) for (const { key } of segments) if (keys.has(key)) named.add(key)
    }
    return named as ReadonlySet<string>
  },
  Effect.catchTag("CatalogueError", () => Effect.succeed(new Set<string>() as ReadonlySet<string>))
)

/** The sets of the resource that name one of these objects, each with the keys. The manifest of a set decides. */
export const naming = Effect.fn("DamageMarking.naming")(function* (
  store: ObjectStoreShape,
  sets: ReadonlyArray<Pick<SetIndex.IndexedSet, "backupId" | "references">>,
  keys: ReadonlySet<string>
) {
  if (keys.size === 0) return new Map<BackupId, ReadonlySet<string>>()
  const found = yield* Effect.forEach(
    candidates(sets, new Set([...keys].map(folderOf))),
    ({ backupId }) => Effect.map(namedBy(store, backupId, keys), (named) => [backupId, named] as const),
    { concurrency: openedAtOnce }
  )
  return new Map<BackupId, ReadonlySet<string>>(found.filter(([, named]) => named.size > 0))
})

/** The sets of the resource, those of earlier resources that it adopted included, and its index. */
export const known = Effect.fnUntraced(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const all = yield* SetIndex.known(store, Adoption.ownerOf(resource), "index")
  return { all, own: OwnSets.among(all.sets, resource, Adoption.of(all.sets, resource)) }
})

/** Records that are looked for at the same time: one list request for each set. */
const readAtOnce = 8

/** What a reading says of the sets whose record changes by it, those made last first: the next run builds on them. */
const changing = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  own: ReadonlyArray<OwnSets.OwnSet & SetIndex.IndexedSet>,
  { found, right }: Damage.Reading
) {
  const named = yield* naming(store, own, new Set(found.map(({ key }) => key)))
  const folders = new Set([...right].map(folderOf))
  const looked = own.filter(
    (set) => named.has(set.backupId) || set.damage !== undefined || candidates([set], folders).length > 0
  )
  const read = yield* Effect.forEach(
    looked.toSorted((a, b) => b.completedMillis - a.completedMillis),
    ({ backupId }) =>
      Effect.map(Damage.read(store, backupId), (recorded) => {
        const reading = { found: found.filter(({ key }) => named.get(backupId)?.has(key) === true), right }
        return { backupId, recorded, reading }
      }),
    { concurrency: readAtOnce }
  )
  return read.map((one) => ({ ...one, isChanged: Damage.changes(one.recorded, one.reading) }))
})

/**
 * Records what a reading found in every set of the resource that names one of these objects, and takes away what was
 * read and is right now. Returns the ids of all sets of the resource that are known to be damaged then, ascending. A
 * set's manifest is opened only if something was found damaged in a folder that it names. The caller holds the owner's
 * lock.
 *
 * Before the first record the index says of which sets it no longer knows: whoever reads it after this process was
 * killed asks those sets themselves.
 */
export const mark = Effect.fn("DamageMarking.mark")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  reading: Damage.Reading
) {
  const { all, own } = yield* known(store, resource)
  const owner = Adoption.ownerOf(resource)
  const sets = yield* changing(store, own, reading)
  const summaries = new Map<string, Damage.Summary | undefined>(
    all.sets.map(({ backupId, damage }) => [backupId, damage])
  )
  for (const { backupId, recorded } of sets) summaries.set(backupId, Damage.summary(recorded))
  const changed = sets.filter(({ isChanged }) => isChanged)
  let { index }: { index: SetIndex.Contents & { readonly number: number } } = all
  const isIndexed = new Set<string>(index.sets.map(({ backupId }) => backupId))
  const contents = (damageUnread: ReadonlyArray<string>): SetIndex.Contents => ({
    sets: index.sets.map((set) =>
      // One whose folder is gone stays as it is.
      summaries.has(set.backupId) ? SetIndex.damagedBy(set, summaries.get(set.backupId)) : set
    ),
    retired: index.retired,
    damageUnread
  })
  const indexIs = Effect.fnUntraced(function* (next: SetIndex.Contents) {
    if (SetIndex.isSame(index, next)) return
    yield* SetIndex.write(store, owner, index.number, next)
    index = { ...next, number: index.number + 1 }
  })
  if (changed.length > 0) {
    yield* indexIs(contents(changed.flatMap(({ backupId }) => (isIndexed.has(backupId) ? [backupId] : []))))
  }
  for (const { backupId, reading: of } of changed) {
    summaries.set(backupId, Damage.summary(yield* Damage.record(store, backupId, of)))
  }
  yield* indexIs(contents([]))
  return own.flatMap(({ backupId }) => (summaries.get(backupId) === undefined ? [] : [backupId])).toSorted()
})
