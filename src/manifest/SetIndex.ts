import { Effect, Schema, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { Owner, ownerKey } from "../identity/RunIdentity.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Catalogue from "./Catalogue.ts"
import * as Damage from "./Damage.ts"
import * as Documents from "./Documents.ts"
import type { RetiredFolder } from "./RetiredFolder.ts"
import * as SealedJson from "./SealedJson.ts"
import { SetDigest } from "./SetFacts.ts"

/*
 * `_kafka-backup/index/{owner}/{n}.json`: what retention must know of every set of a resource, some 400 bytes for each,
 * so that a run reads only the sets that it decides on. It repeats what the sets themselves say: where it is missing or
 * damaged, or a set is not in it, the set is read. A set leaves the index before its removal begins.
 *
 * Each index is a new object, and the highest number counts: a write-once bucket takes it, and of two writers, one of
 * which lost the owner's lock without noticing, only one succeeds.
 */

/** One complete set in the index. */
export const IndexedSet = Schema.Struct({
  backupId: BackupId.BackupId,
  facts: SetDigest,
  /** Other sets whose objects its manifest names. */
  references: Schema.Array(Schema.String),
  /** The set that it was built on. */
  base: Schema.optionalKey(BackupId.BackupId),
  /**
   * When its manifest and its objects were last compared, or would have been with enough memory; `damage` says what was
   * missing or altered when they were.
   */
  check: Schema.optionalKey(
    Schema.Struct({
      atMillis: Schema.Int,
      damage: Schema.optionalKey(Schema.String),
      /** Since when each look has found damage; absent where that is `atMillis`. */
      sinceMillis: Schema.optionalKey(Schema.Int)
    })
  ),
  /**
   * Beyond the number to keep, it stays for these topics: no newer set that was completed by then holds their records.
   * There may be more topics than are named.
   */
  lost: Schema.optionalKey(Schema.Struct({ byMillis: Schema.Int, topics: Schema.Array(Schema.String) })),
  /** What a reading found damaged, and none has found right since: see Damage.ts. */
  damage: Schema.optionalKey(Damage.Summary)
})
export type IndexedSet = typeof IndexedSet.Type

const Retired = Schema.Struct({
  backupId: BackupId.BackupId,
  owner: Owner,
  sinceMillis: Schema.Int,
  objects: Schema.Int,
  bytes: Schema.Int
})

const Index = Schema.Struct({
  version: Schema.Literal(1),
  sets: Schema.Array(IndexedSet),
  /** Folders of removed sets of which objects stay; absent in indexes of earlier versions. */
  retired: Schema.optionalKey(Schema.Array(Retired)),
  /**
   * Sets whose `damage` need not be what their own documents say, since those were being written. Absent in an index of
   * a version that knows nothing of damage: that one drops what an earlier index said, so it is true of every set then.
   */
  damageUnread: Schema.optionalKey(Schema.Array(Schema.String))
})

/** What an index holds. */
export interface Contents {
  readonly sets: ReadonlyArray<IndexedSet>
  readonly retired: ReadonlyArray<RetiredFolder>
  /** Ids of sets whose damage only their own documents say; none where it is absent. */
  readonly damageUnread?: ReadonlyArray<string>
}

const nothing: Contents = { sets: [], retired: [] }

const contentsOf = (index: typeof Index.Type): Contents => {
  const { damageUnread = index.sets.map(({ backupId }) => backupId), retired = [], sets } = index
  return { sets, retired, damageUnread }
}

/** What lies below the root under the names that backups of one resource have. */
export interface Known {
  /** Complete sets with facts, of this owner and of others with its name. */
  readonly sets: ReadonlyArray<IndexedSet>
  /** What is left of removed sets, of this owner and of others with its name. */
  readonly retired: ReadonlyArray<RetiredFolder>
  /** The newest index, of number 0 without one; empty where it was not read. */
  readonly index: Contents & { readonly number: number }
  /** Everything else: unfinished, unreadable, being removed, or made by another tool. */
  readonly others: ReadonlyArray<Catalogue.CatalogueEntry>
}

const numbers = (store: ObjectStoreShape, owner: Owner) =>
  store.list(BackupKeys.indexFolder(ownerKey(owner))).pipe(
    Stream.runCollect,
    Effect.map((found) => found.flatMap(({ key }) => BackupKeys.trailingNumber(key) ?? []))
  )

const read = Effect.fnUntraced(function* (store: ObjectStoreShape, owner: Owner, n: number) {
  if (n === 0) return nothing
  return yield* Documents.readIfThere(store, BackupKeys.index(ownerKey(owner), n), Index).pipe(
    Effect.map((index) => (index === undefined ? nothing : contentsOf(index))),
    Effect.catchTag("CatalogueError", () => Effect.succeed(nothing)) // damaged: the sets are read instead
  )
})

/** The sets of this owner in its newest index, as retention last saw them; none without an index. */
export const indexed = Effect.fn("SetIndex.indexed")(function* (store: ObjectStoreShape, owner: Owner) {
  return (yield* read(store, owner, Math.max(0, ...(yield* numbers(store, owner))))).sets
})

/** How many sets are read at the same time: a manifest may have hundreds of megabytes. */
const readAtOnce = 2

/** Records of damage that are looked for at the same time: one list request for each set. */
const damageReadAtOnce = 8

/** The sets of an index with what their own documents say of damage, where the index does not know it. */
const withDamage = Effect.fnUntraced(function* (store: ObjectStoreShape, { damageUnread = [], sets }: Contents) {
  const unread = new Set(damageUnread)
  return yield* Effect.forEach(
    sets,
    (set) =>
      unread.has(set.backupId)
        ? Effect.map(Damage.read(store, set.backupId), (objects) => damagedBy(set, Damage.summary(objects)))
        : Effect.succeed(set),
    { concurrency: damageReadAtOnce }
  )
})

/** What is noted of a look at a set, after what was noted before. Pure. */
export const checkedAt = (
  before: IndexedSet["check"],
  atMillis: number,
  damage: string | undefined
): NonNullable<IndexedSet["check"]> => {
  if (damage === undefined) return { atMillis }
  return { atMillis, damage, ...(before?.damage === undefined ? {} : { sinceMillis: noticedMillis(before) }) }
}

/** Since when a set is known to be damaged by looks at it. */
export const noticedMillis = ({ atMillis, sinceMillis }: NonNullable<IndexedSet["check"]>): number =>
  sinceMillis ?? atMillis

/** The set as damaged in this way, or as not known to be damaged. */
export const damagedBy = (set: IndexedSet, damage: Damage.Summary | undefined): IndexedSet => {
  const { damage: _before, ...rest } = set
  return damage === undefined ? rest : { ...rest, damage }
}

/**
 * Everything that may belong to this owner, from the index and from the sets that are not in it. Without `index` every
 * set is read. What is known of damage is what the sets' own documents say, also where a process was killed while it
 * wrote them.
 */
export const known = Effect.fn("SetIndex.known")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  from: "index" | "sets"
) {
  const folders = yield* store.folders.pipe(
    Stream.filter((folder) => BackupId.isOf(owner.name, folder)),
    Stream.map(BackupId.parse),
    Stream.filter((backupId) => backupId !== undefined),
    Stream.runCollect
  )
  const number = Math.max(0, ...(yield* numbers(store, owner)))
  const before = yield* read(store, owner, number)
  const index = { number, ...(from === "index" ? before : nothing) }
  const indexed = new Map((yield* withDamage(store, index)).map((set) => [set.backupId, set]))
  const left = new Map(index.retired.map((folder) => [folder.backupId, folder]))
  const missing = folders.filter((backupId) => !indexed.has(backupId) && !left.has(backupId))
  const entries = yield* Effect.forEach(missing, (backupId) => Catalogue.entry(store, backupId), {
    concurrency: readAtOnce
  })
  const sets = folders.flatMap((backupId) => indexed.get(backupId) ?? [])
  const retired = folders.flatMap((backupId) => left.get(backupId) ?? [])
  const others: Array<Catalogue.CatalogueEntry> = []
  // What was noticed of a set is looked at again, and not forgotten.
  const noticed = new Map(before.sets.flatMap((set) => (set.check?.damage === undefined ? [] : [[set.backupId, set]])))
  for (const entry of entries) {
    const earlier = entry === undefined ? undefined : noticed.get(entry.backupId)
    if (entry?._tag === "Complete" && entry.facts !== undefined) {
      const { backupId, base, damage, facts, references } = entry
      sets.push({
        backupId,
        facts,
        references,
        ...(base === undefined ? {} : { base }),
        ...(earlier?.check === undefined ? {} : { check: earlier.check }),
        ...(damage === undefined ? {} : { damage })
      })
    } else if (earlier !== undefined && entry !== undefined && Catalogue.isLost(entry)) {
      sets.push(earlier) // a backup that has lost its manifest
    } else if (entry?._tag === "Retired") {
      const { _tag, ...folder } = entry
      retired.push(folder)
    } else if (entry !== undefined) others.push(entry)
  }
  return { sets, retired, others, index } satisfies Known
})

const sorted = <A extends { readonly backupId: string }>(all: ReadonlyArray<A>) =>
  all.toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1))

/** True if an index of the one says the same as one of the other. */
export const isSame = (a: Contents, b: Contents): boolean => {
  const [one, other] = [a, b].map(({ damageUnread = [], retired, sets }) =>
    JSON.stringify([sorted(sets), sorted(retired), damageUnread.toSorted()])
  )
  return one === other
}

const remove = (store: ObjectStoreShape, owner: Owner, ascending: ReadonlyArray<number>) =>
  Effect.forEach(ascending, (n) => store.delete(BackupKeys.index(ownerKey(owner), n)), { discard: true })

/**
 * Writes the index that follows number `after`, and removes the older ones, as far as the store lets them go. Fails
 * with `ObjectExists` if another process has written it. The caller holds the owner's lock.
 */
export const write = Effect.fn("SetIndex.write")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  after: number,
  { damageUnread = [], retired, sets }: Contents
) {
  const key = BackupKeys.index(ownerKey(owner), after + 1)
  const document = { version: 1, sets, ...(retired.length === 0 ? {} : { retired }), damageUnread } as const
  yield* store.put(key, [SealedJson.seal(Index, document)], { ifAbsent: true })
  const older = (yield* numbers(store, owner)).filter((n) => n <= after)
  // One that stays does no harm. A write-once bucket that keeps the oldest keeps the others, too.
  yield* Effect.ignore(remove(store, owner, older))
})

/**
 * Notes in the owner's index what a check of one set found, if it says something else of damage than the index, and
 * returns the sets of the index then. The caller holds the owner's lock.
 */
export const noteCheck = Effect.fn("SetIndex.noteCheck")(function* (
  store: ObjectStoreShape,
  owner: Owner,
  backupId: BackupId.BackupId,
  atMillis: number,
  damage: string | undefined
) {
  const number = Math.max(0, ...(yield* numbers(store, owner)))
  const before = yield* read(store, owner, number)
  const known = before.sets.find((set) => set.backupId === backupId)
  if (known === undefined || known.check?.damage === damage) return before.sets
  const check = checkedAt(known.check, atMillis, damage)
  const sets = before.sets.map((set) => (set === known ? { ...set, check } : set))
  yield* write(store, owner, number, { ...before, sets })
  return sets
})

/** Says that this owner has no sets, before all of them are removed. */
export const empty = Effect.fn("SetIndex.empty")(function* (store: ObjectStoreShape, owner: Owner) {
  const before = Math.max(0, ...(yield* numbers(store, owner)))
  if (before > 0) yield* write(store, owner, before, nothing)
})

/** Removes every index of the owner. */
export const removeAll = (store: ObjectStoreShape, owner: Owner) =>
  Effect.flatMap(numbers(store, owner), (all) => remove(store, owner, all))
