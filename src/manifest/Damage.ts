import { Effect, Schema, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import * as Documents from "./Documents.ts"
import { isThere } from "./ObjectsThere.ts"

/*
 * `{id}/damage/{n}.json`: which objects that the manifest of a complete set names are known to be missing or altered.
 * Each is a new object, and the highest number counts, so that a write-once bucket takes it. An empty one says that
 * nothing is known to be damaged any more, until the older ones are removed. They lie in the folder of the set, and go
 * with it.
 */

/** An object that a manifest names, and that was missing or not as the manifest says. */
export const DamagedObject = Schema.Struct({
  key: Schema.String,
  topic: Schema.String,
  partition: Schema.Int,
  /** Both inclusive. */
  firstOffset: Schema.Int,
  lastOffset: Schema.Int,
  /** For people: what is wrong with it. */
  detail: Schema.String,
  /** When it was found first, milliseconds since 1970. */
  sinceMillis: Schema.Int
})
export type DamagedObject = typeof DamagedObject.Type

const Document = Schema.Struct({ version: Schema.Literal(1), objects: Schema.Array(DamagedObject) })

/** What a reading of objects found. */
export interface Reading {
  readonly found: ReadonlyArray<DamagedObject>
  /** Keys of objects that were read, and are as the manifest says. */
  readonly right: ReadonlySet<string>
}

/** In a few words what is damaged of one set. */
export const Summary = Schema.Struct({
  objects: Schema.Int,
  /** Since when the first of them is known. */
  sinceMillis: Schema.Int,
  /** The first object, its offsets, and how many more. */
  text: Schema.String
})
export type Summary = typeof Summary.Type

/** Most objects that are recorded of one set: a later reading finds the others when these are right again. */
export const mostRecorded = 10_000

const byPlace = (a: DamagedObject, b: DamagedObject): number => {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition || a.firstOffset - b.firstOffset || (a.key < b.key ? -1 : 1)
}

/** What a run says of an object that it looked at without reading it: any other detail is more precise. */
export const vague = "was missing or altered when the next backup was made"

/**
 * What is recorded after a reading. One that was known stays known since then and as it was found first, since that is
 * the evidence; only a vague detail makes room. Pure.
 */
export const merged = (
  recorded: ReadonlyArray<DamagedObject>,
  { found, right }: Reading
): ReadonlyArray<DamagedObject> => {
  const known = new Map(recorded.filter(({ key }) => !right.has(key)).map((one) => [one.key, one]))
  const recordedDetail = new Map([...known.values()].map(({ detail, key }) => [key, detail]))
  // Of several problems of one object the first one counts.
  for (const one of found.toReversed()) {
    const before = recordedDetail.get(one.key)
    const sinceMillis = Math.min(known.get(one.key)?.sinceMillis ?? one.sinceMillis, one.sinceMillis)
    known.set(one.key, { ...one, sinceMillis, detail: before === undefined || before === vague ? one.detail : before })
  }
  return [...known.values()].toSorted(byPlace).slice(0, mostRecorded)
}

/** The text with at most so many characters: one that is longer ends in `…`. */
export const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`

/** Where an object lies, for people. */
export const place = ({
  firstOffset,
  lastOffset,
  partition,
  topic
}: Pick<DamagedObject, "firstOffset" | "lastOffset" | "partition" | "topic">): string =>
  `${topic}[${partition}] offsets ${firstOffset}-${lastOffset}`

/** The summary of these objects; undefined where nothing is damaged. Pure. */
export const summary = (objects: ReadonlyArray<DamagedObject>): Summary | undefined => {
  const [first] = objects
  if (first === undefined) return undefined
  const others = objects.length - 1
  const more = others === 0 ? "" : others === 1 ? ", and 1 more object is" : `, and ${others} more objects are`
  // Most details follow the key of the object: `is missing`. Here is no key.
  const what = /^(is|has|was|can|cannot|does) /u.test(first.detail) ? `the object ${first.detail}` : first.detail
  return {
    objects: objects.length,
    sinceMillis: Math.min(...objects.map(({ sinceMillis }) => sinceMillis)),
    text: `${shortened(`${place(first)}: ${what}`, 200)}${more === "" ? "" : `${more} damaged`}`
  }
}

interface Numbered {
  /** 0 without a document. */
  readonly number: number
  readonly objects: ReadonlyArray<DamagedObject>
}

const none: Numbered = { number: 0, objects: [] }

const numbers = (store: ObjectStoreShape, backupId: BackupId) =>
  store.list(BackupKeys.damageFolder(backupId)).pipe(
    Stream.runCollect,
    Effect.map((found) => found.flatMap(({ key }) => BackupKeys.trailingNumber(key) ?? []).toSorted((a, b) => b - a))
  )

/** The document of this number: gone, or what it says. One that cannot be read says nothing. */
const document = (store: ObjectStoreShape, backupId: BackupId, n: number) =>
  Documents.readIfThere(store, BackupKeys.damage(backupId, n), Document).pipe(
    Effect.map((found) => (found === undefined ? ("gone" as const) : found.objects)),
    Effect.catchTag("CatalogueError", () => Effect.succeed("unreadable" as const))
  )

/** How often the documents are listed anew because another process exchanged them meanwhile. */
const mostLooks = 5

const newest = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId) {
  for (let look = 1; ; look++) {
    const [highest, ...older] = yield* numbers(store, backupId)
    if (highest === undefined) return none
    const found = yield* document(store, backupId, highest)
    if (typeof found !== "string") return { number: highest, objects: found } satisfies Numbered
    if (found === "gone" && look < mostLooks) continue
    // Where it cannot be read, what was known before is better than nothing.
    for (const n of older) {
      const before = yield* document(store, backupId, n)
      if (typeof before !== "string") return { number: highest, objects: before } satisfies Numbered
    }
    return { number: highest, objects: [] } satisfies Numbered
  }
})

/**
 * What is known to be damaged of a set, in the order of topics, partitions and offsets. One request where nothing is.
 */
export const read = Effect.fn("Damage.read")(function* (store: ObjectStoreShape, backupId: BackupId) {
  return (yield* newest(store, backupId)).objects
})

const isSame = (a: ReadonlyArray<DamagedObject>, b: ReadonlyArray<DamagedObject>): boolean =>
  a.length === b.length && JSON.stringify(a) === JSON.stringify(b)

/** True if the reading says anything that is not recorded of the set. Pure. */
export const changes = (recorded: ReadonlyArray<DamagedObject>, reading: Reading): boolean =>
  !isSame(recorded, merged(recorded, reading))

/**
 * Adds what a reading found to what is recorded of a complete set, takes away what is right now, and returns what is
 * recorded then. Writes nothing where nothing changes, and leaves nothing in the folder of a set that was removed
 * meanwhile. The caller holds the owner's lock; another writer's document is merged all the same. Only `DamageMarking`
 * calls it, which tells the other sets that name the object, and the index.
 */
export const record = Effect.fn("Damage.record")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  reading: Reading
) {
  let before: Numbered = yield* newest(store, backupId)
  for (;;) {
    const objects = merged(before.objects, reading)
    if (isSame(before.objects, objects)) return before.objects
    const number = before.number + 1
    const key = BackupKeys.damage(backupId, number)
    if (yield* Documents.create(store, key, Document, { version: 1, objects })) {
      if (!(yield* isThere(store, BackupKeys.manifest(backupId)))) {
        yield* store.delete(key)
        return []
      }
      const older = (yield* numbers(store, backupId)).filter((n) => n < number)
      // One that stays does no harm: a write-once bucket keeps them. Where nothing is damaged, none need stay.
      const spent = objects.length === 0 ? [...older, number] : older
      yield* Effect.ignore(
        Effect.forEach(spent, (n) => store.delete(BackupKeys.damage(backupId, n)), { discard: true })
      )
      return objects
    }
    // Somebody else has written this number; a list may not show it yet.
    const other = yield* document(store, backupId, number)
    before = { number, objects: typeof other === "string" ? before.objects : other }
  }
})
