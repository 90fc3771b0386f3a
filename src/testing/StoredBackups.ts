import { Effect, Stream } from "effect"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as Verification from "../manifest/Verification.ts"
import * as Formats from "../segment/Formats.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"

/** One verified backup. */
export interface StoredBackup {
  readonly backupId: string
  /** Records by topic; topics without a record have 0. */
  readonly topics: Readonly<Record<string, number>>
  readonly records: number
  readonly storedBytes: number
}

/** One stored record. Text is UTF-8. */
export interface StoredRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: ReadonlyArray<readonly [key: string, value: string | null]>
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString("utf8"))

const recordsOf = (topic: {
  readonly partitions: ReadonlyArray<{ readonly segments: ReadonlyArray<{ readonly record_count: number }> }>
}) => topic.partitions.flatMap(({ segments }) => segments).reduce((sum, { record_count }) => sum + record_count, 0)

/** Every verified backup in a store, oldest first. */
export const list = Effect.fn("StoredBackups.list")(function* (store: ObjectStoreShape) {
  const complete = (yield* Catalogue.entries(store)).filter((entry) => entry._tag === "Complete")
  return yield* Effect.forEach(
    complete.toSorted((a, b) => a.createdMillis - b.createdMillis),
    ({ backupId, totals }) =>
      Effect.map(Catalogue.open(store, backupId), ({ manifest }): StoredBackup => ({
        backupId,
        topics: Object.fromEntries(manifest.topics.map((topic) => [topic.name, recordsOf(topic)])),
        records: totals.records,
        storedBytes: totals.storedBytes
      }))
  )
})

/** Reads every byte of a backup. */
export const verify = (store: ObjectStoreShape, backupId: string) =>
  Effect.flatMap(Catalogue.open(store, backupId), (set) => Verification.verify(store, set, "records"))

/** The records of a topic in a backup, by partition and offset. */
export const records = Effect.fn("StoredBackups.records")(function* (
  store: ObjectStoreShape,
  backupId: string,
  name: string
) {
  const { manifest } = yield* Catalogue.open(store, backupId)
  const found: Array<StoredRecord> = []
  const partitions = manifest.topics.find((topic) => topic.name === name)?.partitions ?? []
  for (const { partition_id: partition, segments } of partitions.toSorted((a, b) => a.partition_id - b.partition_id)) {
    for (const segment of segments) {
      yield* Formats.reader.provenRecords(segment, store.read(ObjectKey.make(segment.key))).pipe(
        Stream.runForEach((batch) =>
          Effect.sync(() => {
            for (const record of batch) {
              found.push({
                topic: name,
                partition,
                offset: record.offset,
                key: text(record.key),
                value: text(record.value),
                headers: record.headers.map((header) => [text(header.key) ?? "", text(header.value)] as const),
                timestamp: Number(record.timestamp)
              })
            }
          })
        )
      )
    }
  }
  return found
})
