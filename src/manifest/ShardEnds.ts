import { Effect, Schema, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Attempts from "./Attempts.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { AttemptSuperseded, CatalogueError } from "./CatalogueError.ts"
import { Attempt, type PartitionAdvance } from "./Checkpoint.ts"
import * as Documents from "./Documents.ts"
import type { RunPlan } from "./RunPlan.ts"
import * as SealedJson from "./SealedJson.ts"
import * as ShardDeal from "./ShardDeal.ts"

/** What one attempt has read from Kafka and stored. */
export const Added = Schema.Struct({
  records: Schema.Int,
  fetchedBytes: Schema.Int,
  storedBytes: Schema.Int,
  segments: Schema.Int
})
export type Added = typeof Added.Type

/** Of each of the four numbers what `made` says. */
const each = (made: (name: keyof Added) => number): Added => ({
  records: made("records"),
  fetchedBytes: made("fetchedBytes"),
  storedBytes: made("storedBytes"),
  segments: made("segments")
})

export const nothingAdded: Added = each(() => 0)
/** These numbers alone, of something that has more. */
export const added = (of: Added): Added => each((name) => of[name])
export const plus = (a: Added, b: Added): Added => each((name) => a[name] + b[name])
export const minus = (a: Added, b: Added): Added => each((name) => a[name] - b[name])

/**
 * A shard is at its ends, and everything that it stored was found as it was stored. It counts while no later attempt
 * at the shard has begun: so what the store loses afterwards can be read again.
 */
export const ShardEnd = Schema.Struct({
  version: Schema.Literal(1),
  attempt: Schema.Int,
  shard: Schema.Int,
  shards: Schema.Int,
  /** Where everything durable of the shard stands: attempts in order, each with its last checkpoint that counts. */
  chain: Attempt.fields.builtOn,
  added: Added,
  /** What the report of the run has to say of the shard. */
  notes: Schema.Array(Schema.String)
})
export type ShardEnd = typeof ShardEnd.Type

/** Stores the end of a shard. Fails with `AttemptSuperseded` if another process has the number of the attempt. */
export const place = Effect.fn("ShardEnds.place")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  end: ShardEnd
) {
  const key = BackupKeys.shardEnd(backupId, end.attempt)
  if (yield* Documents.create(store, key, ShardEnd, end, "data")) return
  // The answer to an earlier try may have been lost.
  if (Buffer.from(yield* store.get(key)).equals(SealedJson.seal(ShardEnd, end))) return
  return yield* new CatalogueError({ reason: new AttemptSuperseded({ backupId, attempt: end.attempt }) })
})

/** The ends of all shards, or which of them are not at their ends. */
export type Found =
  | {
      readonly _tag: "All"
      readonly ends: ReadonlyArray<ShardEnd>
      /** Of all shards, each after those that it follows. */
      readonly advances: ReadonlyArray<PartitionAdvance>
      /** All attempts that have begun, ascending. */
      readonly attempts: ReadonlyArray<number>
    }
  | { readonly _tag: "Open"; readonly shards: ReadonlyArray<number> }
  /** A document of these shards cannot be read: they are to be attempted again. */
  | { readonly _tag: "Unreadable"; readonly shards: ReadonlyArray<number> }

/** Everything durable that an end names; undefined where a part of it is gone or damaged. */
const advancesOf = Effect.fnUntraced(function* (store: ObjectStoreShape, backupId: BackupId, { chain }: ShardEnd) {
  const advances: Array<PartitionAdvance> = []
  for (const { attempt, sequence } of chain) {
    const read = yield* Attempts.readLink(store, backupId, attempt, sequence)
    if (read.sequence < sequence) return undefined
    for (const advance of read.advances) advances.push(advance)
  }
  return advances
})

/** Looks whether all shards are at their ends. Of the process that stores the last end, it is true. */
export const find = Effect.fn("ShardEnds.find")(function* (store: ObjectStoreShape, plan: RunPlan) {
  const { backupId } = plan
  const shards = ShardDeal.count(plan)
  const attempts = yield* Attempts.numbers(store, backupId)
  const latest = Array.from({ length: shards }, (_, shard) => Attempts.latest(attempts, { shard, shards }))
  const stored = new Set(
    yield* store.list(BackupKeys.shardFolder(backupId)).pipe(
      Stream.map(({ key }) => key),
      Stream.runCollect
    )
  )
  const open = latest.flatMap((attempt, shard) =>
    attempt > 0 && stored.has(BackupKeys.shardEnd(backupId, attempt)) ? [] : [shard]
  )
  if (open.length > 0) return { _tag: "Open", shards: open } satisfies Found as Found
  const found = yield* Effect.forEach(
    latest,
    (attempt) =>
      Documents.readIfThere(store, BackupKeys.shardEnd(backupId, attempt), ShardEnd).pipe(
        Effect.map((end) => (end !== undefined && isOf(end, attempt, shards) ? end : undefined)),
        Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
      ),
    { concurrency: 8 }
  )
  const ends: Array<ShardEnd> = []
  const advances: Array<PartitionAdvance> = []
  const unreadable: Array<number> = []
  for (const [shard, end] of found.entries()) {
    const durable = end && (yield* advancesOf(store, backupId, end))
    if (end === undefined || durable === undefined) {
      unreadable.push(shard)
      continue
    }
    ends.push(end)
    for (const advance of durable) advances.push(advance)
  }
  return unreadable.length > 0
    ? ({ _tag: "Unreadable", shards: unreadable } satisfies Found as Found)
    : ({ _tag: "All", ends, advances, attempts: attempts.toSorted((a, b) => a - b) } satisfies Found as Found)
})

/** A copy under another name counts for nothing. */
const isOf = (end: ShardEnd, attempt: number, shards: number): boolean =>
  end.attempt === attempt && end.shards === shards && end.shard === ShardDeal.shardOf(attempt, shards)
