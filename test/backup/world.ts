import { Deferred, Effect, Layer, References, Stream } from "effect"
import { assert } from "@effect/vitest"
import * as Run from "../../src/backup/Run.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import type { RunRequest } from "../../src/backup/RunRequest.ts"
import type { BrokerGuards } from "../../src/kafka/BrokerGuards.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import { InMemoryKafka } from "../../src/kafka/InMemoryKafka.ts"
import { KafkaSource, type KafkaSourceShape, KafkaSources } from "../../src/kafka/KafkaSource.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import { formatOf, segmentSettings } from "../../src/manifest/RunPlan.ts"
import * as Formats from "../../src/segment/Formats.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { ObjectKey, ObjectStore, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"

/** A cluster and a store in memory, and runs between them that a story can cut short. */

export const layer = Layer.mergeAll(
  InMemoryKafka.layer,
  StorageBackends.layer,
  Layer.succeed(References.MinimumLogLevel, "None")
)

const bootstrapServer = "in-memory:9092"

export const world = Effect.gen(function* () {
  const cluster = yield* (yield* InMemoryKafka).cluster(bootstrapServer)
  const memory = yield* (yield* InMemoryObjectStores).named("backups")
  return { cluster, memory, store: memory.store }
})

export const aRequest = (slot: string, changes: Partial<RunRequest> = {}): RunRequest => ({
  identity: { owner: { uid: "uid-1", namespace: "kafka", name: "nightly" }, slot },
  topics: ["*"],
  excludeTopics: [],
  bootstrapServers: [bootstrapServer],
  settings: { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false },
  checkpointIntervalMillis: 30_000,
  host: "test",
  notes: [],
  ...changes
})

/** What segments may be. */
export const formats = ["records", "batches"] as const

/** The settings of `aRequest`, in that format. */
export const settingsOf = (
  format: (typeof formats)[number],
  compression: "zstd" | "lz4" | "none" = "zstd"
): RunRequest["settings"] => ({ format, compression, compressionLevel: 3, includeOffsetHeaders: false })

export interface RunOptions {
  readonly store?: ObjectStoreShape
  readonly segmentBytes?: number
  /** See `Reading.ReadOptions`. */
  readonly mostSegments?: (ledgerBytes: number) => number
  readonly openPartitions?: number
  readonly stop?: Deferred.Deferred<void>
  readonly progress?: RunProgress.RunProgress
  readonly guards?: BrokerGuards | undefined
  /** What the run sees of Kafka. */
  readonly kafka?: (source: KafkaSourceShape) => KafkaSourceShape
}

/** One process at the shards of its seat, with segments small enough that a story has many. */
export const shardAttempt = Effect.fnUntraced(function* (request: RunRequest, options: RunOptions = {}) {
  const { store } = yield* world
  const source = yield* (yield* KafkaSources).open({ bootstrapServers: [bootstrapServer] }, options.guards)
  const kafka = options.kafka?.(source) ?? source
  return yield* Run.run(request, {
    format: (settings) => Formats.writer(formatOf(settings), segmentSettings(settings), { chunkBytes: 4096 }),
    openPartitions: options.openPartitions ?? 3,
    largeSegments: 2,
    largeBytes: 2048,
    segmentBytes: options.segmentBytes ?? 4096,
    ...(options.mostSegments === undefined ? {} : { mostSegments: options.mostSegments }),
    fetchBytes: 2048,
    progress: options.progress ?? RunProgress.make(),
    stop: options.stop ?? (yield* Deferred.make<void>())
  }).pipe(Effect.provideService(ObjectStore, options.store ?? store), Effect.provideService(KafkaSource, kafka))
}, Effect.scoped)

/** One attempt of the only process of a run. */
export const attempt = (request: RunRequest, options: RunOptions = {}) =>
  Effect.map(shardAttempt(request, options), (ended) => {
    if (Run.isShardEnded(ended)) throw new Error(`only a shard ended: ${ended.notes.join("; ")}`)
    return ended
  })

/**
 * The process dies at the n-th call to storage (from 1), before or after the call took effect; later calls do nothing.
 */
export const dyingAt = (store: ObjectStoreShape, n: number, when: "before" | "after") => {
  let calls = 0
  const met = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      calls++
      if (calls > n || (calls === n && when === "before")) return Effect.die("killed")
      return calls === n ? Effect.andThen(call, Effect.die("killed")) : call
    })
  const dying: ObjectStoreShape = {
    ...store,
    put: (key, pieces, options) => met(store.put(key, pieces, options)),
    get: (key) => met(store.get(key)),
    head: (key) => met(store.head(key)),
    delete: (key) => met(store.delete(key)),
    list: (prefix) => Stream.unwrap(met(Effect.succeed(store.list(prefix)))),
    folders: Stream.unwrap(met(Effect.succeed(store.folders)))
  }
  return { store: dying, calls: () => calls }
}

/** Everything a set holds of one partition, through its manifest and the reader that `export` uses. */
export const storedRecords = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: string,
  topic: string,
  partition: number
) {
  const set = yield* Catalogue.open(store, backupId)
  const segments =
    set.manifest.topics.find((t) => t.name === topic)?.partitions.find((p) => p.partition_id === partition)?.segments ??
    []
  const batches = yield* Effect.forEach(segments, (segment) =>
    Formats.reader.provenRecords(segment, store.read(ObjectKey.make(segment.key))).pipe(Stream.runCollect)
  )
  return batches.flat(2)
})

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString("hex"))

/** The set holds exactly what a read_committed consumer sees, record for record. */
export const assertHoldsAll = Effect.fnUntraced(function* (
  cluster: InMemoryCluster,
  store: ObjectStoreShape,
  backupId: string,
  topics: Readonly<Record<string, number>>
) {
  for (const [topic, partitions] of Object.entries(topics)) {
    for (let partition = 0; partition < partitions; partition++) {
      const expected = (yield* cluster.committed(topic, partition)).map((record) => ({
        offset: record.offset,
        timestamp: BigInt(record.timestamp),
        key: text(record.key),
        value: text(record.value),
        headers: record.headers.map(([key, value]) => [text(key), text(value)])
      }))
      const found = (yield* storedRecords(store, backupId, topic, partition)).map((record) => ({
        offset: record.offset,
        timestamp: record.timestamp,
        key: text(record.key),
        value: text(record.value),
        headers: record.headers.map(({ key, value }) => [text(key), text(value)])
      }))
      assert.deepStrictEqual(found, expected, `${topic}[${partition}]`)
    }
  }
})

/** Three topics with codecs, a transaction of each fate, headers and an empty partition. */
export const someTopics = { orders: 3, payments: 1, idle: 2 } as const

export const fill = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  yield* cluster.createTopic("orders", { partitions: 3 })
  const codecs = ["none", "gzip", "snappy-xerial", "snappy-raw", "lz4", "zstd"] as const
  for (let batch = 0; batch < 36; batch++) {
    const records = Array.from({ length: 20 }, (_, i) => ({
      key: i % 7 === 0 ? null : `k-${batch}-${i}`,
      value: i % 11 === 0 ? null : `value ${batch} ${i} `.repeat(8),
      headers:
        i % 3 === 0
          ? ([
              ["dup", "1"],
              ["dup", null],
              ["", "empty key"]
            ] as const)
          : [],
      timestamp: 1_700_000_000_000 + batch * 100 - i
    }))
    yield* cluster.produce("orders", batch % 3, records, { codec: codecs[batch % 6]! })
  }
  yield* cluster.createTopic("payments", { partitions: 1 })
  for (const fate of ["commit", "abort", "commit"] as const) {
    const transaction = yield* cluster.beginTransaction()
    yield* transaction.produce("payments", 0, [{ key: fate, value: `${fate}ted` }])
    yield* transaction[fate]
  }
  yield* cluster.createTopic("idle", { partitions: 2 })
})
