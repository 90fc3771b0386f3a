import { Effect, Stream } from "effect"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import type { Manifest, ManifestSegment } from "../../src/manifest/Manifest.ts"
import * as Formats from "../../src/segment/Formats.ts"
import type { StoredRecord } from "../../src/segment/StoredRecord.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"

/** How another tool stores one segment: the ending of its name, and its bytes. */
export interface Stored {
  readonly suffix: string
  readonly bytes: Uint8Array
}

/**
 * The backup as another tool of the KBAK format would have made it: numbered segments, the timestamps of the first and
 * the last record, no field that may be absent, and nothing beside the manifest. Every other segment is named where it
 * is: in the folder of the backup that it comes from. `stored` gives a segment's new bytes.
 */
export const foreignSet = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: string,
  id: string,
  stored?: (records: ReadonlyArray<StoredRecord>, sequence: number) => Stored
) {
  const { manifest } = yield* Catalogue.open(store, backupId)
  let sequence = 0
  const copied = Effect.fnUntraced(function* (segment: ManifestSegment, topic: string, partition: number) {
    const file = store.read(ObjectKey.make(segment.key))
    const records = (yield* Formats.reader.records(segment, file).pipe(Stream.runCollect)).flat()
    const number = sequence++
    const bytes = Buffer.concat(yield* Stream.runCollect(file))
    const suffix = segment.key.slice(segment.key.indexOf(".bin"))
    const made = stored?.(records, number) ?? { suffix, bytes }
    const own = `${id}/topics/${topic}/partition=${partition}/segment-${String(number).padStart(6, "0")}${made.suffix}`
    const key = stored === undefined && number % 2 === 1 ? segment.key : own
    if (key === own) yield* store.put(ObjectKey.make(key), [made.bytes])
    return {
      key,
      start_offset: segment.start_offset,
      end_offset: segment.end_offset,
      start_timestamp: Number(records[0]!.timestamp),
      end_timestamp: Number(records.at(-1)!.timestamp),
      record_count: segment.record_count
    }
  })
  const topics = yield* Effect.forEach(manifest.topics, (topic) =>
    Effect.gen(function* () {
      const partitions = yield* Effect.forEach(topic.partitions, ({ partition_id, segments }) =>
        Effect.map(
          Effect.forEach(segments, (segment) => copied(segment, topic.name, partition_id)),
          (all) => ({ partition_id, segments: all })
        )
      )
      return { name: topic.name, partitions }
    })
  )
  const foreign: Manifest = { backup_id: id, created_at: manifest.created_at, topics }
  yield* store.put(ObjectKey.make(`${id}/manifest.json`), [Buffer.from(JSON.stringify(foreign))])
  return foreign
})
