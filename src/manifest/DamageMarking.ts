import { Effect, Semaphore } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Adoption from "./Adoption.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Damage from "./Damage.ts"
import type { ManifestSegment } from "./Manifest.ts"
import * as ObjectProblem from "./ObjectProblem.ts"
import * as OwnSets from "./OwnSets.ts"
import * as Seal from "./Seal.ts"
import * as SetIndex from "./SetIndex.ts"
import type * as UnnamedDamage from "./UnnamedDamage.ts"
import * as Verification from "./Verification.ts"

/*
 * An object may be named by many sets: when it is found damaged, or right again, all of them say so, and the index of
 * their owner, from which retention knows it.
 */

/** The set in whose folder an object lies. */
const folderOf = (key: string): string => key.split("/", 1)[0]!

/** An object that was found damaged. */
export interface Found extends Damage.DamagedObject {
  /**
   * The entry of the manifest that says what it must be. Absent: every set that names the object is damaged, whatever
   * its own manifest says of it.
   */
  readonly judgedBy?: ManifestSegment
}

/** What a reading of objects found. */
export interface Reading {
  readonly found: ReadonlyArray<Found>
  /** Keys of objects that were read, and are as the manifest says. */
  readonly right: ReadonlySet<string>
  /** What is recorded of sets that do not name it: it is taken away. */
  readonly unnamed?: UnnamedDamage.Unnamed
}

/** An object that is not as this entry of a manifest says. */
export const foundIn = (
  { partition, segment, topic }: Pick<Verification.LocatedSegment, "partition" | "segment" | "topic">,
  detail: string,
  sinceMillis: number
): Found => ({
  key: segment.key,
  topic,
  partition,
  firstOffset: segment.start_offset,
  lastOffset: segment.end_offset,
  detail,
  sinceMillis,
  judgedBy: segment
})

/** The sets that may name objects in these folders: their own, or one that they reference. Pure. */
export const candidates = <S extends Pick<SetIndex.IndexedSet, "backupId" | "references">>(
  sets: ReadonlyArray<S>,
  folders: ReadonlySet<string>
): ReadonlyArray<S> =>
  sets.filter(({ backupId, references }) => folders.has(backupId) || references.some((folder) => folders.has(folder)))

/** Manifests that are held at the same time: one may have hundreds of megabytes. */
const openedAtOnce = 2

/** Objects that a manifest names. */
interface Named {
  readonly objects: ReadonlyMap<string, Verification.LocatedSegment>
  /** The manifest is the one that was committed. */
  readonly isSound: boolean
}

const nothingNamed: Named = { objects: new Map(), isSound: true }

/** Those of the keys that the manifest of the set names. None of a set that is gone, or that cannot be read. */
const namedBy = (store: ObjectStoreShape, backupId: BackupId, keys: ReadonlySet<string>) =>
  Catalogue.openById(store, backupId).pipe(
    Effect.flatMap((set) => {
      const all = Verification.locatedSegments(set)
      const objects = new Map(
        all.flatMap((one) => (keys.has(one.segment.key) ? [[one.segment.key, one] as const] : []))
      )
      return Effect.map(Seal.manifestProblems(store, set), (problems): Named => ({
        objects,
        isSound: problems.length === 0
      }))
    }),
    Effect.catchTag("CatalogueError", () => Effect.succeed(nothingNamed))
  )

/** The sets of the resource that name one of these objects, each with those. The manifest of a set decides. */
export const naming = Effect.fn("DamageMarking.naming")(function* (
  store: ObjectStoreShape,
  sets: ReadonlyArray<Pick<SetIndex.IndexedSet, "backupId" | "references">>,
  keys: ReadonlySet<string>
) {
  if (keys.size === 0) return new Map<BackupId, Named>()
  const found = yield* Effect.forEach(
    candidates(sets, new Set([...keys].map(folderOf))),
    ({ backupId }) => Effect.map(namedBy(store, backupId, keys), (named) => [backupId, named] as const),
    { concurrency: openedAtOnce }
  )
  return new Map<BackupId, Named>(found.filter(([, { objects }]) => objects.size > 0))
})

/** The sets of the resource, those of earlier resources that it adopted included, and its index. */
export const known = Effect.fnUntraced(function* (store: ObjectStoreShape, resource: Adoption.Resource) {
  const all = yield* SetIndex.known(store, Adoption.ownerOf(resource), "index")
  return { all, own: OwnSets.among(all.sets, resource, Adoption.of(all.sets, resource)) }
})

/** What a manifest says of an object: where two say the same, the object is right for both or for neither. */
const said = (one: ManifestSegment): string =>
  JSON.stringify([
    one.compressed_size,
    one.sha256,
    one.record_count,
    one.start_offset,
    one.end_offset,
    one.start_timestamp,
    one.end_timestamp
  ])

/**
 * Says which of the objects are damaged for a set that names these. Where its manifest says something else of an object
 * than the one that it was judged by, the object is read again, as this one says, if it is the one that was committed:
 * an altered manifest is no witness against an object.
 */
const judging = Effect.fnUntraced(function* (store: ObjectStoreShape) {
  const oneAtATime = yield* Semaphore.make(1)
  const judged = new Map<string, string | undefined>()
  const problemOf = Effect.fnUntraced(function* (located: Verification.LocatedSegment) {
    const what = `${located.segment.key} ${said(located.segment)}`
    if (!judged.has(what)) judged.set(what, yield* ObjectProblem.find(store, located))
    return judged.get(what)
  }, oneAtATime.withPermits(1))
  return Effect.fnUntraced(function* (found: ReadonlyArray<Found>, { isSound, objects }: Named = nothingNamed) {
    const damaged: Array<Damage.DamagedObject> = []
    for (const { judgedBy, ...object } of found) {
      const located = objects.get(object.key)
      if (located === undefined) continue
      const isSame = judgedBy === undefined || said(judgedBy) === said(located.segment)
      if (!isSame && !isSound) continue
      const detail = isSame ? object.detail : yield* problemOf(located)
      if (detail !== undefined) damaged.push({ ...object, detail })
    }
    return damaged
  })
})

/** Records that are looked for at the same time: one list request for each set. */
const readAtOnce = 8

/**
 * What a reading says of the sets that may name one of its objects, those made last first: the next run builds on them.
 * A set names what is recorded of it already: its manifest is opened only for other objects.
 */
const changing = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  own: ReadonlyArray<OwnSets.OwnSet & SetIndex.IndexedSet>,
  { found: reported, right, unnamed = new Map() }: Reading
) {
  const folders = new Set([...reported.map(({ key }) => key), ...right].map(folderOf))
  const looked = own
    .filter((set) => set.damage !== undefined || unnamed.has(set.backupId) || candidates([set], folders).length > 0)
    .toSorted((a, b) => b.completedMillis - a.completedMillis)
  const recorded = new Map(
    yield* Effect.forEach(
      looked,
      ({ backupId }) => Effect.map(Damage.read(store, backupId), (objects) => [backupId, objects] as const),
      { concurrency: readAtOnce }
    )
  )
  const noticed = own.flatMap(({ check }) => (check?.damage === undefined ? [] : [{ ...check, damage: check.damage }]))
  const since = (one: Found): Found => {
    const earlier = noticed.filter(({ damage }) => damage.startsWith(`${one.key} `)).map(SetIndex.noticedMillis)
    return { ...one, sinceMillis: Math.min(one.sinceMillis, ...earlier) }
  }
  const found = reported.map(since)
  const isRecorded = (backupId: BackupId, key: string) =>
    recorded.get(backupId)?.some((object) => object.key === key) === true
  const judge = yield* judging(store)
  return yield* Effect.forEach(
    looked,
    Effect.fnUntraced(function* ({ backupId, ...set }) {
      const others = new Set(found.flatMap(({ key }) => (isRecorded(backupId, key) ? [] : [key])))
      const named = (yield* naming(store, [{ backupId, ...set }], others)).get(backupId)
      const strays = unnamed.get(backupId) ?? new Set()
      const known = found.flatMap(({ judgedBy: _entry, ...one }) =>
        isRecorded(backupId, one.key) && !strays.has(one.key) ? [one] : []
      )
      const reading = {
        found: [...known, ...(yield* judge(found, named))],
        right: strays.size === 0 ? right : new Set([...right, ...strays])
      }
      const before = recorded.get(backupId)!
      return { backupId, recorded: before, reading, isChanged: Damage.changes(before, reading) }
    }),
    { concurrency: openedAtOnce }
  )
})

/**
 * Records what a reading found in every set of the resource that names one of these objects, and takes away what was
 * read and is right now. Returns the ids of all sets of the resource that are known to be damaged then, ascending. A
 * set's manifest is opened only if something was found damaged in a folder that it names, and is not recorded of it
 * yet. The caller holds the owner's lock.
 *
 * Before the first record the index says of which sets it no longer knows: whoever reads it after this process was
 * killed asks those sets themselves.
 */
export const mark = Effect.fn("DamageMarking.mark")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  reading: Reading
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
