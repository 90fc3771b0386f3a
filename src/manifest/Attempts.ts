import { Effect, Result, Stream } from "effect"
import type { BackupId } from "../identity/BackupId.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as BackupKeys from "./BackupKeys.ts"
import { AttemptSuperseded, CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import { Attempt, Checkpoint, type PartitionAdvance } from "./Checkpoint.ts"
import * as Documents from "./Documents.ts"
import * as SealedJson from "./SealedJson.ts"
import * as ShardDeal from "./ShardDeal.ts"

/** The start of an attempt: its number, and everything that its predecessors made durable. */
export interface AttemptStart {
  readonly attempt: number
  readonly advances: ReadonlyArray<PartitionAdvance>
  /** Where those stand: attempts in order, each with its last checkpoint that counts. */
  readonly builtOn: Attempt["builtOn"]
  /** Notes for the report, such as damaged checkpoints. */
  readonly notes: ReadonlyArray<string>
}

/** The shard that an attempt works at, of how many: the whole run by default. */
export interface Share {
  readonly shard: number
  readonly shards: number
}

const whole: Share = { shard: 0, shards: 1 }

/** The numbers of all attempts of the run, in no order. */
export const numbers = (store: ObjectStoreShape, backupId: BackupId) =>
  store.list(BackupKeys.attemptFolder(backupId)).pipe(
    Stream.runCollect,
    Effect.map((found) => found.flatMap((info) => BackupKeys.trailingNumber(info.key) ?? []))
  )

/** The newest attempt at a shard among these; 0 for none. */
export const latest = (attempts: ReadonlyArray<number>, { shard, shards }: Share): number =>
  Math.max(0, ...attempts.filter((attempt) => ShardDeal.shardOf(attempt, shards) === shard))

/**
 * The checkpoints of one attempt in sequence, up to the first that is missing, damaged or not the one of its name: a
 * copy of another one would count its segments twice.
 */
export const readLink = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number,
  upTo: number
) {
  const advances: Array<PartitionAdvance> = []
  for (let sequence = 1; sequence <= upTo; sequence++) {
    const key = BackupKeys.checkpoint(backupId, attempt, sequence)
    const bytes = yield* store
      .get(key)
      .pipe(Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed(undefined)))
    if (bytes === undefined) return { advances, sequence: sequence - 1 }
    const opened = SealedJson.open(Checkpoint, bytes)
    if (Result.isFailure(opened)) {
      return { advances, sequence: sequence - 1, note: `checkpoint ${key} is damaged (${opened.failure.message})` }
    }
    const { advances: found, attempt: itsAttempt, sequence: itsSequence } = opened.success
    if (itsAttempt !== attempt || itsSequence !== sequence) {
      const what = `it is number ${itsSequence} of attempt ${itsAttempt}`
      return { advances, sequence: sequence - 1, note: `checkpoint ${key} is damaged (${what})` }
    }
    advances.push(...found)
  }
  return { advances, sequence: upTo }
})

/**
 * Begins the next attempt at a run, or at one shard of it: reads what earlier attempts made durable there, then takes
 * the next number by creating its document. The numbers of different shards never meet: see `ShardDeal.shardOf`. A
 * damaged checkpoint ends the chain: everything after it is read from Kafka again, never guessed.
 */
export const begin = Effect.fn("Attempts.begin")(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  facts: { readonly startedMillis: number; readonly host: string },
  share: Share = whole
) {
  for (;;) {
    const last = latest(yield* numbers(store, backupId), share)
    const notes: Array<string> = []
    const advances: Array<PartitionAdvance> = []
    const builtOn: Array<{ attempt: number; sequence: number }> = []
    if (last > 0) {
      const key = BackupKeys.attempt(backupId, last)
      const predecessor = yield* Documents.read(store, key, Attempt).pipe(
        Effect.filterOrFail(
          (document) => document.attempt === last,
          ({ attempt: named }) =>
            new CatalogueError({ reason: new DocumentUnreadable({ key, detail: `it is the one of attempt ${named}` }) })
        ),
        Effect.catchTag("CatalogueError", (error) => {
          notes.push(`${error.message}; the run starts again from the beginning of its plan`)
          return Effect.succeed(undefined)
        })
      )
      const chain =
        predecessor === undefined ? [] : [...predecessor.builtOn, { attempt: last, sequence: Number.MAX_SAFE_INTEGER }]
      for (const link of chain) {
        const read = yield* readLink(store, backupId, link.attempt, link.sequence)
        advances.push(...read.advances)
        builtOn.push({ attempt: link.attempt, sequence: read.sequence })
        const isCut = link.attempt !== last && read.sequence < link.sequence
        if (read.note !== undefined || isCut) {
          notes.push(
            `${read.note ?? `checkpoint ${read.sequence + 1} of attempt ${link.attempt} is missing`}; ` +
              "everything after it was read again"
          )
          break
        }
      }
    }
    const attempt = last === 0 ? share.shard + 1 : last + share.shards
    const document: Attempt = { version: 1, attempt, ...facts, builtOn }
    if (yield* Documents.create(store, BackupKeys.attempt(backupId, attempt), Attempt, document, "data")) {
      return { attempt, advances, builtOn, notes } satisfies AttemptStart
    }
  }
})

/**
 * Fails with `AttemptSuperseded` if a later attempt at the same shard has begun; called before anything final is
 * written.
 */
export const assertLatest = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  backupId: BackupId,
  attempt: number,
  shards = 1
) {
  const by = latest(yield* numbers(store, backupId), { shard: ShardDeal.shardOf(attempt, shards), shards })
  if (by > attempt) return yield* new CatalogueError({ reason: new AttemptSuperseded({ backupId, attempt, by }) })
})
