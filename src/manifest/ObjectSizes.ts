import { Effect, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import * as BackupKeys from "./BackupKeys.ts"
import type { ManifestSegment } from "./Manifest.ts"

/*
 * Whether the store has the objects of a manifest, with as few requests as possible. A backup that builds on others
 * names objects in the folders of many: often a few in each, sometimes a thousand.
 */

/** Sizes in bytes by key, as the store said them; what is not in it was not asked for, or is not there. */
export type Sizes = Map<string, number>

type Segment = Pick<ManifestSegment, "compressed_size" | "key">

/** For so few objects no month is listed: to ask by name costs a tenth of a list, and many are asked for at a time. */
const fewObjects = 64
/** So few in one folder are asked for by name rather than listed. */
const fewInFolder = 12
/** Objects in one answer of a list. Source: S3, ListObjectsV2. */
const perAnswer = 1000
/** One list is to stand for at least so many. */
const listsSaved = 8

const folderOf = (key: string): string => key.split("/", 1)[0]!

const byFolder = (keys: Iterable<string>): ReadonlyMap<string, ReadonlyArray<string>> => Map.groupBy(keys, folderOf)

/** A list of the backups of one month, and how many objects of it are worth looking at. */
interface MonthList {
  readonly prefix: string
  readonly mostObjects: number
}

/**
 * The months whose backups are listed together: those with many folders, as far as that is less than a list of each.
 * Pure.
 */
export const months = (folders: ReadonlyArray<string>): ReadonlyArray<MonthList> =>
  [...Map.groupBy(folders, BackupId.monthPrefix)].flatMap(([prefix, inMonth]) => {
    const lists = Math.floor(inMonth.length / listsSaved)
    return prefix === undefined || lists === 0 ? [] : [{ prefix, mostObjects: lists * perAnswer }]
  })

/**
 * Finds the sizes of these objects that `shared` does not have, or has otherwise than the manifest. A
 * list may lag behind the store, so what it lacks or says otherwise is asked for by name. An object that is not there
 * is not in the answer. `shared` is kept for the next call, with what else was listed.
 */
export const look = Effect.fn("ObjectSizes.look")(function* (
  store: ObjectStoreShape,
  segments: ReadonlyArray<Segment>,
  shared?: Sizes
) {
  const sizes = shared ?? new Map<string, number>()
  const expected = new Map(segments.map(({ compressed_size, key }) => [key, compressed_size]))
  const isRight = (key: string, size: number | undefined) => size !== undefined && (expected.get(key) ?? size) === size
  const open = new Set([...expected.keys()].filter((key) => !isRight(key, sizes.get(key))))
  const list = (prefix: string, mostObjects: number) =>
    store.list(prefix).pipe(
      Stream.take(mostObjects),
      Stream.runForEach(({ key, size }) =>
        Effect.sync(() => {
          const isFound = isRight(key, size) && open.delete(key)
          // Other backups may name what this one does not.
          if (isFound || (shared !== undefined && !sizes.has(key) && key.includes("/topics/"))) sizes.set(key, size)
        })
      )
    )
  const lists = open.size > fewObjects ? months([...byFolder(open).keys()]) : []
  yield* Effect.forEach(lists, ({ mostObjects, prefix }) => list(prefix, mostObjects), {
    concurrency: 8,
    discard: true
  })
  const full = [...byFolder(open)].filter(([, keys]) => keys.length > fewInFolder)
  yield* Effect.forEach(full, ([folder]) => list(BackupKeys.topicsFolder(folder), Number.MAX_SAFE_INTEGER), {
    concurrency: 8,
    discard: true
  })
  yield* Effect.forEach(
    [...open],
    (key) =>
      store.head(ObjectKey.make(key)).pipe(
        Effect.map(({ size }) => void sizes.set(key, size)),
        Effect.catchIf(isReason("ObjectNotFound"), () => Effect.sync(() => void sizes.delete(key)))
      ),
    { concurrency: 16, discard: true }
  )
  return sizes as ReadonlyMap<string, number>
})
