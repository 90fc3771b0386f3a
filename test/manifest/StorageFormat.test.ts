import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { isReason } from "../../src/storage/ObjectStoreError.ts"
import { aRequest, attempt, fill, layer, someTopics, world } from "../backup/world.ts"
import { type StrangersRecord, strangersRecords } from "../harness/StrangersReader.ts"

const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString("hex"))

const slot = (n: number) => `2026-11-23T${String(n).padStart(2, "0")}:00:00Z`
const last = 11

const readOf = (store: ObjectStoreShape) => (key: string) =>
  Effect.runPromise(
    store.get(ObjectKey.make(key)).pipe(
      Effect.map((bytes): Buffer | undefined => Buffer.from(bytes)),
      Effect.catchIf(isReason("ObjectNotFound"), () => Effect.succeed(undefined))
    )
  )

const readAll = (store: ObjectStoreShape, backupId: string) =>
  Effect.promise(async () => {
    const records: Array<StrangersRecord> = []
    for await (const record of strangersRecords(readOf(store), backupId)) records.push(record)
    return records.map(({ headers, key, offset, partition, timestamp, topic, value }) => ({
      place: `${topic}/${partition}`,
      offset,
      timestamp,
      key: hex(key),
      value: hex(value),
      headers: headers.map(([name, content]) => [hex(name), hex(content)])
    }))
  })

const committed = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  const found = []
  for (const [topic, partitions] of Object.entries(someTopics)) {
    for (let partition = 0; partition < partitions; partition++) {
      for (const record of yield* cluster.committed(topic, partition)) {
        found.push({
          place: `${topic}/${partition}`,
          offset: record.offset,
          timestamp: record.timestamp,
          key: hex(record.key),
          value: hex(record.value),
          headers: record.headers.map(([name, content]) => [hex(name), hex(content)])
        })
      }
    }
  }
  return found
})

/** The reader follows docs/storage-format.md, and nothing else. */
describe("a reader that knows the page of the format alone", () => {
  for (const compression of ["none", "lz4", "zstd"] as const) {
    it.live(`reads the last of twelve backups that build on one another (${compression})`, () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* fill(cluster)
        const names = new Set<string>()
        for (let n = 0; n <= last; n++) {
          for (let partition = 0; partition < someTopics.orders; partition++) {
            yield* cluster.produce("orders", partition, [
              { key: `${n}`, value: null },
              { key: null, value: `hour ${n} `.repeat(40), headers: [["hour", String(n)]] }
            ])
          }
          // In the middle of a segment.
          if (n === 5) yield* cluster.deleteRecordsBefore("orders", 0, 33)
          yield* attempt(
            aRequest(slot(n), {
              incremental: {},
              settings: { compression, compressionLevel: 1, includeOffsetHeaders: true, sourceClusterId: "here" }
            }),
            { segmentBytes: 64 * 1024 }
          )
        }
        const backupId = `nightly-20261123-${last}0000`
        const { topics } = JSON.parse(
          Buffer.from(yield* store.get(ObjectKey.make(`${backupId}/manifest.json`))).toString()
        )
        for (const { partitions } of topics) {
          for (const { segments } of partitions) for (const { key } of segments) names.add(key)
        }
        assert.isTrue(
          [...names].some((key) => !key.startsWith(backupId)),
          "it names objects of others"
        )
        assert.isTrue(
          [...names].some((key) => key.includes(".joined")),
          "some of them were joined"
        )
        assert.deepStrictEqual(yield* readAll(store, backupId), yield* committed(cluster))
      }).pipe(Effect.provide(layer))
    )
  }

  it.live("finds no backup where one is being removed", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      yield* attempt(aRequest(slot(0)))
      const backupId = "nightly-20261123-000000"
      yield* store.put(ObjectKey.make(`${backupId}/tombstone.json`), [Buffer.from("{}")])
      const found = yield* Effect.exit(readAll(store, backupId))
      assert.isTrue(found._tag === "Failure")
    }).pipe(Effect.provide(layer))
  )
})
