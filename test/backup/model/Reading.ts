import { Effect, Exit, Stream } from "effect"
import type { ManifestSegment } from "../../../src/manifest/Manifest.ts"
import * as Verification from "../../../src/manifest/Verification.ts"
import type { ObjectStoreShape } from "../../../src/storage/ObjectStore.ts"
import { plain, type PlainRecord } from "./Records.ts"
import type { StoredSet } from "./Sets.ts"
import type { World } from "./World.ts"

/* The records of a backup, as `export` reads them. */

/** What one object holds, or why it cannot be read. */
export type Content = { readonly records: ReadonlyArray<PlainRecord> } | { readonly problem: string }

const read = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  segment: ManifestSegment,
  added: ReadonlyArray<string>
) {
  const records: Array<PlainRecord> = []
  const exit = yield* Verification.provenRecords(store, segment).pipe(
    Stream.runForEach((batch) =>
      Effect.sync(() => {
        for (const record of batch) {
          const headers = record.headers.map(({ key, value }) => [key, value] as const)
          records.push(plain({ ...record, headers }, added))
        }
      })
    ),
    Effect.exit
  )
  return Exit.isSuccess(exit) ? { records } : { problem: String(exit.cause).split("\n", 1)[0]! }
})

export const segmentsOf = ({ manifest }: StoredSet, topic: string, partition: number) =>
  manifest.topics.find(({ name }) => name === topic)?.partitions.find((part) => part.partition_id === partition)
    ?.segments ?? []

/** Reads each version of an object once. */
export const content = Effect.fnUntraced(function* (
  { contents, store, versions }: World,
  { facts }: StoredSet,
  segment: ManifestSegment
) {
  const { end_offset, key, record_count, sha256, start_offset } = segment
  const name = [key, versions.get(key), sha256, start_offset, end_offset, record_count].join()
  const known = contents.get(name)
  if (known !== undefined) return known
  const found: Content = yield* read(store, segment, facts.addedHeaders)
  contents.set(name, found)
  return found
})

/** Of a store that is not watched. */
export const partition = (store: ObjectStoreShape, set: StoredSet, topic: string, partitionId: number) =>
  Effect.map(
    Effect.forEach(segmentsOf(set, topic, partitionId), (segment) => read(store, segment, set.facts.addedHeaders)),
    (all) => all.flat()
  )
