import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { BackupId } from "../../src/identity/BackupId.ts"
import { type Owner, slotText } from "../../src/identity/RunIdentity.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as Claims from "../../src/manifest/Claims.ts"
import * as Documents from "../../src/manifest/Documents.ts"
import type { Manifest, ManifestSegment } from "../../src/manifest/Manifest.ts"
import { RunPlan } from "../../src/manifest/RunPlan.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import * as SealedJson from "../../src/manifest/SealedJson.ts"
import { SetFacts } from "../../src/manifest/SetFacts.ts"
import { ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"

/** Sets that name objects of earlier sets, written by hand: one topic, one partition, segments of ten records. */

export interface MadeSet {
  readonly backupId: BackupId
  readonly owner: Owner
  /** Of this set, in the order of their offsets. */
  readonly segments: ReadonlyArray<ManifestSegment>
}

/** A run that has stored its plan. */
export interface BegunRun {
  readonly backupId: BackupId
  readonly owner: Owner
  readonly slotMillis: number
  readonly base: MadeSet | undefined
}

export interface Making {
  readonly owner: Owner
  readonly slotMillis: number
  readonly base?: MadeSet | undefined
  /** So many of the base's segments are left out, the oldest first: their records are no longer in the log. */
  readonly drop?: number
  /** So many of the base's last segments become one of this set's. */
  readonly join?: number
  /** Segments of the set's own, behind the base's. */
  readonly own?: number
  /** Stored bytes of each own segment. */
  readonly bytes?: number
  /** Facts as versions before 0.4 wrote them: they do not say what the set references. */
  readonly isOld?: boolean
}

const settings = { compression: "none", compressionLevel: 1, includeOffsetHeaders: false } as const

const identityOf = ({ owner, slotMillis }: Pick<Making, "owner" | "slotMillis">) => ({
  owner,
  slot: slotText(slotMillis)
})

/** The first steps of a run: its claim, and the plan that names its base. */
export const begin = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { base, owner, slotMillis }: Pick<Making, "base" | "owner" | "slotMillis">
) {
  const identity = identityOf({ owner, slotMillis })
  const backupId = yield* Claims.take(store, identity)
  yield* Documents.create(store, BackupKeys.plan(backupId), RunPlan, {
    version: 1,
    backupId,
    identity,
    createdMillis: slotMillis,
    bootstrapServers: [],
    ...(base === undefined ? {} : { base: { backupId: base.backupId } }),
    settings,
    topics: [],
    notes: []
  })
  return { backupId, owner, slotMillis, base } satisfies BegunRun as BegunRun
})

const referencesOf = (backupId: BackupId, segments: ReadonlyArray<ManifestSegment>) => {
  const folders = Map.groupBy(segments, ({ key }) => key.split("/", 1)[0]!)
  return [...folders]
    .filter(([folder]) => folder !== backupId)
    .map(([folder, named]) => ({
      folder,
      objects: named.length,
      bytes: named.reduce((n, { compressed_size = 0 }) => n + compressed_size, 0)
    }))
    .toSorted((a, b) => (a.folder < b.folder ? -1 : 1))
}

/** Stores the rest of the set of a run. */
export const finish = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  { backupId, base, owner, slotMillis }: BegunRun,
  { bytes = 100, drop = 0, isOld = false, join = 0, own = 2 }: Partial<Making>
) {
  const reused = (base?.segments ?? []).slice(drop)
  const joined = join > 1 ? reused.splice(-join) : []
  const [first, last] = [joined[0]?.start_offset, joined.at(-1)?.end_offset]
  const next = (last ?? reused.at(-1)?.end_offset ?? base?.segments.at(-1)?.end_offset ?? -1) + 1
  const ranges = [
    ...(first === undefined || last === undefined ? [] : [[first, last] as const]),
    ...Array.from({ length: own }, (_, n) => [next + n * 10, next + n * 10 + 9] as const)
  ]
  const made = yield* Effect.forEach(
    ranges,
    Effect.fnUntraced(function* ([start, end]) {
      const key = BackupKeys.segment(backupId, "orders", 0, start, 1, ".bin")
      const content = createHash("shake256", { outputLength: bytes }).update(key).digest()
      yield* store.put(key, [content])
      return {
        key,
        start_offset: start,
        end_offset: end,
        start_timestamp: start,
        end_timestamp: end,
        record_count: end - start + 1,
        compressed_size: bytes,
        sha256: Seal.sha256(content)
      } satisfies ManifestSegment
    })
  )
  const segments = [...reused, ...made]
  const [from, until] = [segments[0]?.start_offset ?? 0, (segments.at(-1)?.end_offset ?? -1) + 1]
  const records = segments.reduce((n, { record_count }) => n + record_count, 0)
  const manifest: Manifest = {
    backup_id: backupId,
    created_at: slotMillis,
    topics: [
      {
        name: "orders",
        original_partition_count: 1,
        partitions: segments.length === 0 ? [] : [{ partition_id: 0, segments }]
      }
    ]
  }
  const facts = SealedJson.seal(SetFacts, {
    version: 1,
    backupId,
    manifestSha256: Seal.manifestSha256(manifest),
    identity: identityOf({ owner, slotMillis }),
    settings,
    ...(base === undefined || isOld ? {} : { base: { backupId: base.backupId } }),
    ...(isOld ? {} : { references: referencesOf(backupId, segments) }),
    addedHeaders: [],
    startedMillis: slotMillis,
    completedMillis: slotMillis + 60_000,
    totals: {
      topics: 1,
      partitions: 1,
      segments: segments.length,
      records,
      payloadBytes: records,
      storedBytes: segments.reduce((n, { compressed_size = 0 }) => n + compressed_size, 0)
    },
    topics: [{ name: "orders", partitions: [{ partition: 0, from, until, records }] }],
    gaps: [],
    notes: []
  })
  yield* store.put(BackupKeys.facts(backupId), [facts])
  const complete = { ...manifest, kb_documents: { "kb-meta.json": Seal.sha256(facts) } }
  yield* store.put(BackupKeys.manifest(backupId), [Buffer.from(Seal.manifestText(complete))])
  yield* store.put(BackupKeys.report(backupId), [Buffer.from("{}")])
  return { backupId, owner, segments } satisfies MadeSet as MadeSet
})

/** A whole set. */
export const make = (store: ObjectStoreShape, making: Making) =>
  Effect.flatMap(begin(store, making), (run) => finish(store, run, making))

/** Named objects of the set that are not there, or have other bytes. */
export const missing = (store: ObjectStoreShape, { segments }: MadeSet) =>
  Effect.map(
    Effect.forEach(segments, ({ key, sha256 }) =>
      store.get(ObjectKey.make(key)).pipe(
        Effect.map((bytes) => (Seal.sha256(bytes) === sha256 ? [] : [key])),
        Effect.catchTag("ObjectStoreError", () => Effect.succeed([key]))
      )
    ),
    (found) => found.flat()
  )
