import { Deferred, Effect, Stream } from "effect"
import * as FileCalls from "../../bench/counting/FileCalls.ts"
import * as Memory from "../../bench/counting/Memory.ts"
import * as Run from "../../src/backup/Run.ts"
import type { RunRequest } from "../../src/backup/RunRequest.ts"
import { KafkaSource, type KafkaSourceShape, KafkaSources } from "../../src/kafka/KafkaSource.ts"
import { segmentSettings } from "../../src/manifest/RunPlan.ts"
import * as Formats from "../../src/segment/Formats.ts"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import { ObjectStore, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import * as Bounds from "../../src/worker/Memory.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import { aRequest, world } from "../backup/world.ts"
import { temporaryVolume } from "../storage/temporaryVolume.ts"
import { since } from "./figures.ts"

/*
 * Runs of the product's own code between a cluster in memory and a directory, with the memory settings of a container
 * of 512 MiB, counted: nothing here depends on how fast the machine is.
 */

const limitBytes = 512 * 1024 * 1024
/** Memory settings know the number of cores; counts are to be the same on all machines. */
const cores = 2

const files: FileCalls.FileCalls = {}
const memory: Memory.Memory = { copiedBytes: 0, buffers: 0, bufferBytes: 0 }
await FileCalls.install(files)
Memory.install(memory)

/** What one run asked for, by kind. */
export interface Counted {
  readonly kafka: Readonly<Record<string, number>>
  readonly storage: Readonly<Record<string, number>>
  readonly files: Readonly<Record<string, number>>
  readonly memory: Readonly<Memory.Memory>
  readonly objects: number
  readonly storedBytes: number
  /** Keys and values. */
  readonly payloadBytes: number
}

const counting = (store: ObjectStoreShape, requests: Record<string, number>): ObjectStoreShape => {
  const count = (kind: string) => void (requests[kind] = (requests[kind] ?? 0) + 1)
  return {
    ...store,
    put: (key, pieces, options) => Effect.suspend(() => (count("put"), store.put(key, pieces, options))),
    get: (key) => Effect.suspend(() => (count("get"), store.get(key))),
    head: (key) => Effect.suspend(() => (count("head"), store.head(key))),
    delete: (key) => Effect.suspend(() => (count("delete"), store.delete(key))),
    read: (key) => Stream.suspend(() => (count("read"), store.read(key))),
    list: (prefix) => Stream.suspend(() => (count("list"), store.list(prefix))),
    folders: Stream.suspend(() => (count("folders"), store.folders))
  }
}

/** Backs the cluster up into an empty directory, or into that of `volume`. */
export const countedRun = Effect.fnUntraced(function* (changes: Partial<RunRequest>, volume?: string) {
  const { cluster } = yield* world
  const path = volume ?? (yield* temporaryVolume)
  // No checkpoint is written because time has passed.
  const request = aRequest("2026-11-23T12:00:00Z", { checkpointIntervalMillis: 24 * 3_600_000, ...changes })
  const requests: Record<string, number> = {}
  const store = counting(yield* DirectoryObjectStore.open({ _tag: "Directory", volume: path }), requests)
  const source = yield* (yield* KafkaSources).open({ bootstrapServers: request.bootstrapServers })
  // Where fetches are slow they ask for more: on a busy machine those in memory are, too.
  const kafka: KafkaSourceShape = { ...source, read: (asked) => source.read({ ...asked, mostFetchBytes: () => 0 }) }
  const before = { files: { ...files }, memory: { ...memory }, kafka: { ...(yield* cluster.counters) } }
  const ended = yield* Run.run(request, {
    ...Bounds.bounds(request.settings, limitBytes, cores),
    // Side by side, partitions share syncs of directories: as many as happen to be under way.
    openPartitions: 1,
    format: (settings) =>
      Formats.writer("records", segmentSettings(settings), {
        ...Bounds.ofSegments(settings, limitBytes),
        compressions: Bounds.bounds(settings, limitBytes, cores).compressions
      }),
    progress: RunProgress.make(),
    stop: yield* Deferred.make<void>()
  }).pipe(Effect.provideService(ObjectStore, store), Effect.provideService(KafkaSource, kafka))
  if (Run.isShardEnded(ended)) throw new Error(`only a shard ended: ${ended.notes.join("; ")}`)
  const { facts } = ended
  return {
    kafka: since(before.kafka, { ...(yield* cluster.counters) }),
    storage: since({}, requests),
    files: since(before.files, files),
    memory: since({ ...before.memory }, { ...memory }) as unknown as Memory.Memory,
    objects: facts.totals.segments,
    storedBytes: facts.totals.storedBytes,
    payloadBytes: facts.totals.payloadBytes
  } satisfies Counted as Counted
}, Effect.scoped)
