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

/**
 * Records what a reading found in every set of the resource that names one of these objects, and takes away what was
 * read and is right now. Returns the ids of all sets of the resource that are known to be damaged then, ascending. A
 * set's manifest is opened only if something was found damaged in a folder that it names. The caller holds the owner's
 * lock.
 */
export const mark = Effect.fn("DamageMarking.mark")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  { found, right }: Damage.Reading
) {
  const { all, own } = yield* known(store, resource)
  const named = yield* naming(store, own, new Set(found.map(({ key }) => key)))
  const summaries = new Map<BackupId, Damage.Summary | undefined>(own.map(({ backupId, damage }) => [backupId, damage]))
  for (const { backupId, damage } of own) {
    const keys = named.get(backupId)
    if (keys === undefined && (damage === undefined || right.size === 0)) continue
    const recorded = yield* Damage.record(store, backupId, {
      found: found.filter(({ key }) => keys?.has(key) === true),
      right
    })
    summaries.set(backupId, Damage.summary(recorded))
  }
  const { index } = all
  const now = index.sets.map((set): SetIndex.IndexedSet => {
    if (!summaries.has(set.backupId)) return set // another resource's
    const { damage: _before, ...rest } = set
    const damage = summaries.get(set.backupId)
    return { ...rest, ...(damage === undefined ? {} : { damage }) }
  })
  const contents = { sets: now, retired: index.retired }
  if (!SetIndex.isSame(index, contents)) {
    yield* SetIndex.write(store, Adoption.ownerOf(resource), index.number, contents)
  }
  return [...summaries].flatMap(([backupId, damage]) => (damage === undefined ? [] : [backupId])).toSorted()
})
