import { createHash } from "node:crypto"
import { Clock, Effect, Stream } from "effect"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import * as Attempts from "../manifest/Attempts.ts"
import * as ManifestFile from "../manifest/ManifestFile.ts"
import { isThere } from "../manifest/ObjectsThere.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import * as ClusterMetadata from "../manifest/ClusterMetadata.ts"
import * as MetadataDocument from "../manifest/MetadataDocument.ts"
import * as GroupsSnapshot from "../manifest/GroupsSnapshot.ts"
import * as PartitionState from "../manifest/PartitionState.ts"
import { readFrom, type RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as Seal from "../manifest/Seal.ts"
import * as SealedJson from "../manifest/SealedJson.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import { SetFacts } from "../manifest/SetFacts.ts"
import { KeyedDigest } from "../segment/KeyedDigest.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import { isReason } from "../storage/ObjectStoreError.ts"
import type * as Base from "./Base.ts"
import * as Commit from "./Commit.ts"
import * as Facts from "./Facts.ts"
import * as Lineage from "./Lineage.ts"
import { NotProven, RunError } from "./RunError.ts"
import * as TakenOver from "./TakenOver.ts"
import type { WrittenDigests } from "./WrittenDigests.ts"

/** Every difference between the durable state and the plan: ends not reached, segments out of order or range. Pure. */
export const contradictions = (plan: RunPlan, state: RunState.RunState): ReadonlyArray<string> =>
  plan.topics.flatMap((topic) =>
    topic.partitions.flatMap((partition) => {
      const place = `${topic.name}[${partition.partition}]`
      const held = RunState.of(state, topic.name, partition)
      const problems: Array<string> = []
      if (held.position !== partition.until) {
        problems.push(`${place} was read to offset ${held.position} of ${partition.until}`)
      }
      let next = RunState.firstOffset(held, partition)
      for (const { key } of PartitionState.toHeal(held))
        problems.push(`${place}: ${key} is damaged and was not read again`)
      const healed = held.healed.flatMap((one) => (one.isPutBack ? [] : one.segments))
      const taken = [...PartitionState.taken(held), ...healed].toSorted((a, b) => a.start_offset - b.start_offset)
      for (const segment of taken) {
        if (segment.start_offset < next) problems.push(`${place}: ${segment.key} overlaps the segment before it`)
        next = segment.end_offset + 1
      }
      // The base's end, with its last records perhaps before it.
      if (held.reused !== undefined) next = Math.max(next, readFrom(partition))
      for (const segment of held.segments.toSorted((a, b) => a.start_offset - b.start_offset)) {
        if (segment.start_offset < next) problems.push(`${place}: ${segment.key} overlaps the segment before it`)
        if (segment.end_offset < segment.start_offset || segment.record_count < 1) {
          problems.push(`${place}: ${segment.key} has no records`)
        }
        next = segment.end_offset + 1
      }
      if (next > Math.max(partition.from, partition.until))
        problems.push(`${place} holds offsets beyond ${partition.until}`)
      return problems
    })
  )

/** A durable segment that the store has lost or changed. */
export interface LostSegment {
  readonly topic: string
  readonly partition: number
  /** What is wrong, with partition and key. */
  readonly detail: string
}

type Placed = ReturnType<typeof RunState.segments>[number]

const lost = ({ partition, segment, topic }: Placed, what: string): ReadonlyArray<LostSegment> => {
  const offsets = `${segment.start_offset}-${segment.end_offset}`
  return [{ topic, partition, detail: `${topic}[${partition}] offsets ${offsets}: ${segment.key} ${what}` }]
}

const altered = "was altered after it was stored"

/** Digests a piece that was read, and gives back its memory if nobody else has a part of it. */
const consume = (piece: Uint8Array, digest: (piece: Uint8Array) => void): void => {
  digest(piece)
  const { buffer } = piece
  if (buffer instanceof ArrayBuffer && buffer.byteLength === piece.byteLength) buffer.transfer(0)
}

const hasSize = (size: number, { segment }: Placed): string => `has ${size} bytes instead of ${segment.compressed_size}`

/**
 * Reads the whole segment again and compares it with the bytes that were written: by their size, and their digest,
 * which this process has of what it wrote itself, or else their SHA-256.
 */
const readBack = (store: ObjectStoreShape, placed: Placed, written: WrittenDigests) =>
  Effect.suspend(() => {
    const { key, sha256 } = placed.segment
    const own = written.of(key)
    const keyed = new KeyedDigest()
    const hash = createHash("sha256")
    const add =
      own === undefined ? (piece: Uint8Array) => void hash.update(piece) : (piece: Uint8Array) => keyed.add(piece)
    const isWritten = () => (own === undefined ? hash.digest("hex") === sha256 : keyed.end() === own)
    let size = 0
    const take = (piece: Uint8Array) => {
      size += piece.byteLength
      consume(piece, add)
    }
    return store.read(ObjectKey.make(key)).pipe(
      Stream.runForEach((piece) => Effect.sync(() => take(piece))),
      Effect.map(() => {
        if (size !== placed.segment.compressed_size) return lost(placed, hasSize(size, placed))
        return isWritten() ? [] : lost(placed, altered)
      }),
      Effect.catchReason("ObjectStoreError", "ContentMismatch", () => Effect.succeed(lost(placed, altered))),
      Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(lost(placed, "is missing")))
    )
  })

/**
 * What the store says of a segment without reading it: what is wrong with it, nothing if it is as it was stored, or
 * that it has to be read back, unless somebody has.
 */
const look = (store: ObjectStoreShape, placed: Placed, isProven: boolean) => {
  const { segment } = placed
  if (segment.fingerprint === undefined && !isProven) return Effect.succeed("unproven" as const)
  return store.head(ObjectKey.make(segment.key)).pipe(
    Effect.map(({ fingerprint, size }) => {
      if (size !== segment.compressed_size) return lost(placed, hasSize(size, placed))
      if (segment.fingerprint === undefined || fingerprint === undefined) return isProven ? [] : ("unproven" as const)
      return fingerprint === segment.fingerprint ? [] : lost(placed, altered)
    }),
    Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(lost(placed, "is missing")))
  )
}

/**
 * Asks the store for every segment: it must exist with the size and the fingerprint that the put returned. Where there
 * is no fingerprint, on a directory, the segment is read back instead: what was just written is mostly still in
 * memory. Those that somebody has read back already, `proven`, are only asked for.
 */
export const lostSegments = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  state: RunState.RunState,
  written: WrittenDigests,
  proven: ReadonlySet<string> = new Set()
) {
  const looks = yield* Effect.forEach(
    RunState.segments(plan, state),
    (placed) => Effect.map(look(store, placed, proven.has(placed.segment.key)), (found) => ({ placed, found })),
    { concurrency: 16 }
  )
  const unproven = looks.flatMap(({ found, placed }) => (found === "unproven" ? [placed] : []))
  const read = yield* Effect.forEach(unproven, (placed) => readBack(store, placed, written), { concurrency: 2 })
  return [...looks.flatMap(({ found }) => (found === "unproven" ? [] : found)), ...read.flat()]
})

/** The warnings from comparing a backup with the previous one. */
const compared = (
  before: SetFacts,
  after: SetFacts,
  isIntended: (loss: Lineage.Loss) => boolean
): ReadonlyArray<string> => {
  const [older, newer] = [Lineage.of(before), Lineage.of(after)]
  return [
    ...Lineage.losses(older, newer)
      .filter((loss) => !isIntended(loss))
      .map((loss) => Lineage.sentence(loss, before.backupId)),
    ...Lineage.gaps(older, newer).map(Lineage.gapSentence)
  ]
}

/** What is to be committed. */
export interface ToCommit {
  readonly plan: RunPlan
  readonly attempt: number
  readonly state: RunState.RunState
  readonly base: Base.Base | undefined
  readonly written: WrittenDigests
  readonly notes: ReadonlyArray<string>
  /** The backup before it, where it is to be compared with one. */
  readonly previous: SetFacts | undefined
  /** Losses that somebody has accepted: no warning names them. */
  readonly isIntended: (loss: Lineage.Loss) => boolean
  /** Of a run with several shards. */
  readonly ends?: Commit.Ends | undefined
}

/** The end of a run: its set, or what of the base it has to read, after all. */
export type Committed =
  | { readonly _tag: "Complete"; readonly facts: SetFacts }
  | ({ readonly _tag: "BaseLost" } & TakenOver.Lost)

/**
 * Proves the set and commits it. `manifest.json` is written last and only if absent, after every partition has reached
 * its end and every segment was found as it was stored. The manifest and the facts seal each other and all other
 * documents. The notes name what the set lacks compared with `previous`. If the manifest exists already, another
 * attempt was faster.
 *
 * Where something is taken over, it is looked for and named while this process holds the owner's lock, like whoever
 * removes backups or records damage: so nothing that the manifest names is removed or recorded before it is named.
 */
export const commit = Effect.fn("Completion.commit")(function* (
  store: ObjectStoreShape,
  { attempt, base, ends, isIntended, notes, plan, previous, state, written }: ToCommit
) {
  const { backupId } = plan
  const wrong = contradictions(plan, state)
  const problems =
    wrong.length > 0
      ? wrong
      : (yield* lostSegments(store, plan, state, written, ends?.proven)).map((lost) => lost.detail)
  // Another attempt may have finished the backup, or retention removed it: then objects are missing without a fault.
  yield* Attempts.assertLatest(store, backupId, attempt, ShardDeal.count(plan))
  yield* Commit.assertStillOurs(store, backupId, attempt)
  if (problems.length > 0) {
    // Another shard may have committed it, and removed what its manifest does not name.
    if (yield* isThere(store, BackupKeys.manifest(backupId))) return yield* Commit.superseded(backupId, attempt)
    return yield* new RunError({ reason: new NotProven({ problems }) })
  }

  const naming = Effect.gen(function* () {
    const made = Facts.of(plan, state, base, notes, yield* Clock.currentTimeMillis)
    const all = previous === undefined ? notes : [...notes, ...compared(previous, made, isIntended)]
    return yield* write(store, plan, attempt, state, { ...made, notes: all }, ends)
  })
  const complete = Effect.map(naming, (facts): Committed => ({ _tag: "Complete", facts }))
  if (RunState.takenOver(plan, state).length === 0) return yield* complete
  const looking = Effect.flatMap(TakenOver.lost(store, plan, state), (lost) =>
    lost.givenUp.length + lost.damaged.length === 0
      ? complete
      : Effect.succeed<Committed>({ _tag: "BaseLost", ...lost })
  )
  const { owner } = plan.identity
  const holding = <A, E>(of: Owner, work: Effect.Effect<A, E>) =>
    OwnerLock.holding(store, of, `attempt ${attempt} of ${backupId}`, work, "whileRenewed")
  // An earlier resource of this name made the base, and one of its Jobs may still be at work.
  const earlier = base?.facts.identity.owner
  const locked = earlier === undefined || isSameOwner(earlier, owner) ? looking : holding(earlier, looking)
  return yield* holding(owner, locked)
})

const mebibyte = 1024 * 1024

/** Why a manifest of this length, in bytes, is not written: no command could read the backup. Pure. */
export const tooLong = (bytes: number): ReadonlyArray<string> =>
  bytes <= ManifestFile.longest
    ? []
    : [
        `its manifest.json would have ${Math.ceil(bytes / mebibyte)} MiB, and at most ` +
          `${ManifestFile.longest / mebibyte} MiB can be read again: ` +
          "select fewer topics for each backup, or give the run more memory, which makes segments larger"
      ]

/** Writes the documents of the set, the manifest last. */
const write = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  plan: RunPlan,
  attempt: number,
  state: RunState.RunState,
  made: SetFacts,
  ends: Commit.Ends | undefined
) {
  const { backupId } = plan
  const unlisted = Buffer.from(Seal.manifestText(RunState.manifest(plan, state)))
  const set: SetFacts = { ...made, attempt, manifestSha256: Seal.sha256(unlisted) }
  const sealed = SealedJson.seal(SetFacts, set)
  const documents: Record<string, Uint8Array> = {}
  if (plan.groups !== undefined) {
    const snapshot = GroupsSnapshot.encode(plan.groups, plan.createdMillis)
    yield* Commit.placeOfPlan(store, BackupKeys.groups(backupId), snapshot)
    documents[BackupKeys.groups(backupId)] = snapshot
  }
  if (plan.clusterMetadata !== undefined && ClusterMetadata.hasEntries(plan.clusterMetadata)) {
    const metadata = MetadataDocument.encode(backupId, plan.clusterMetadata, plan.createdMillis)
    yield* Commit.placeOfPlan(store, BackupKeys.clusterMetadata(backupId), metadata)
    documents[BackupKeys.clusterMetadata(backupId)] = metadata
  }
  documents[yield* Commit.placeFacts(store, backupId, attempt, sealed)] = sealed
  const text = ManifestFile.listing(unlisted, yield* Commit.documents(store, plan, attempt, documents, ends))
  const problems = tooLong(text.reduce((sum, { byteLength }) => sum + byteLength, 0))
  if (problems.length > 0) return yield* new RunError({ reason: new NotProven({ problems }) })
  yield* store
    .put(BackupKeys.manifest(backupId), text, { ifAbsent: true, role: "data" })
    .pipe(Effect.catchIf(isReason("ObjectExists"), () => Commit.superseded(backupId, attempt)))
  // The backup may have been removed while this attempt was paused: a manifest alone is not a backup,
  // and has to go from sight, whether or not a lock keeps its bytes.
  yield* Commit.assertStillOurs(store, backupId, attempt).pipe(
    Effect.tapError((error) =>
      error._tag === "CatalogueError" ? store.delete(BackupKeys.manifest(backupId)) : Effect.void
    )
  )
  return set
})
