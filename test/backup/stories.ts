import { crc32 } from "node:zlib"
import { Effect } from "effect"
import * as BackupId from "../../src/identity/BackupId.ts"
import type { InMemoryCluster } from "../../src/kafka/memory/InMemoryCluster.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as DamageMarking from "../../src/manifest/DamageMarking.ts"
import type { ManifestSegment } from "../../src/manifest/Manifest.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import * as Kbak from "../../src/segment/kbak/Kbak.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { aRequest, world } from "./world.ts"

/** What stories about the stored objects of hourly backups share. */

export const slot = (hour: number) => `2026-11-23T${String(hour).padStart(2, "0")}:00:00Z`
export const idOf = (hour: number) => BackupId.forSlot("nightly", Date.parse(slot(hour)))

/** Three slots one after the other, and the backups of them. */
export const slots = [slot(12), slot(13), slot(14)] as const
export const ids = [idOf(12), idOf(13), idOf(14)] as const

export const incremental = (at: string) => aRequest(at, { incremental: {} })

export const { owner } = aRequest(slot(1)).identity
export const resource = { ...owner, adopting: undefined }

/** The keys that a set names, in the order of its manifest. */
export const keysOf = (store: ObjectStoreShape, backupId: string) =>
  Effect.map(Catalogue.open(store, backupId), ({ manifest }) =>
    manifest.topics.flatMap(({ partitions }) =>
      partitions.flatMap(({ segments }) => segments.map(({ key }) => ObjectKey.make(key)))
    )
  )

/** The segments that a set names of partition 0 of `orders`, in the order of their offsets. */
export const segmentsOf = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const { manifest } = yield* Catalogue.open(store, backupId)
  return manifest.topics.find(({ name }) => name === "orders")!.partitions[0]!.segments
})

/** All that a reading of the set finds wrong. */
export const damageOf = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: string) {
  const set = yield* Catalogue.open(store, backupId)
  const { broken, problems } = yield* Verification.verify(store, set, "records")
  return [...problems, ...broken].map(({ detail, key }) => `${key} ${detail}`)
})

export const lose = (store: ObjectStoreShape, { key }: ManifestSegment) => store.delete(ObjectKey.make(key))

/** Flips a bit, and nobody knows. */
export const flip = Effect.fnUntraced(function* (store: ObjectStoreShape, key: ObjectKey) {
  const bytes = Buffer.from(yield* store.get(key))
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  yield* store.put(key, [bytes])
})

/** The segment as a version of the format would write it that nobody knows yet: its own checksum is right. */
export const ofTheFuture = (bytes: Uint8Array): Buffer => {
  const future = Buffer.from(bytes).fill(99, 4, 5).subarray(0, -Kbak.footerBytes)
  return Buffer.concat([future, Kbak.footer(crc32(future))])
}

/** Flips a bit of one of `segmentsOf`, and records it as `verify --mark` or the reading of another run does. */
export const markAltered = Effect.fnUntraced(function* (
  { memory, store }: Pick<Effect.Success<typeof world>, "memory" | "store">,
  { end_offset, key, start_offset }: ManifestSegment
) {
  yield* memory.tamper(ObjectKey.make(key), (bytes) => bytes.with(40, bytes[40]! ^ 1))
  const place = { topic: "orders", partition: 0, firstOffset: start_offset, lastOffset: end_offset }
  yield* DamageMarking.mark(store, resource, {
    found: [{ key, ...place, detail: "its checksum is wrong", sinceMillis: 1 }],
    right: new Set()
  })
})

/** Ten records more in a partition of `orders`, enough for a segment. */
export const more = (cluster: InMemoryCluster, partition = 0) =>
  cluster.produce(
    "orders",
    partition,
    Array.from({ length: 10 }, (_, i) => ({ key: `new-${i}`, value: `new value ${i} `.repeat(8) }))
  )
