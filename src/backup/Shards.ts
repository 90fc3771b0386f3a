import { Effect } from "effect"
import * as Attempts from "../manifest/Attempts.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as ShardDeal from "../manifest/ShardDeal.ts"
import * as ShardEnds from "../manifest/ShardEnds.ts"
import { ObjectStore } from "../storage/ObjectStore.ts"
import * as Commit from "./Commit.ts"
import type { Whole } from "./Committing.ts"
import * as Completion from "./Completion.ts"
import { NotProven, RunError } from "./RunError.ts"
import type { AtEnds, Work } from "./ShardAttempt.ts"
import type * as TakenOver from "./TakenOver.ts"

/*
 * What the shards of one run tell each other: through the store alone, and only that they are at their ends.
 */

/** A shard is at its ends, and others are not; or they are, and another process commits the backup. */
export interface ShardEnded {
  readonly shard: {
    readonly index: number
    readonly of: number
    /** How many partitions the process has read, and how many offsets they have. */
    readonly partitions: number
    readonly offsets: number
  }
  /** What is left, in words. */
  readonly notes: ReadonlyArray<string>
}

/** What is to be done again at one shard. */
export interface Todo {
  readonly shard: number
  readonly lost: TakenOver.Lost
}

/** Attempts at these shards of which nothing is known to be lost. */
export const afresh = (shards: ReadonlyArray<number>): ReadonlyArray<Todo> =>
  shards.map((shard) => ({ shard, lost: { givenUp: [], damaged: [] } }))

/** What was lost of the base, by the shards that can read it. */
export const todoFor = (plan: RunPlan, { damaged, givenUp }: TakenOver.Lost): ReadonlyArray<Todo> => {
  const shardOf = ShardDeal.deal(plan)
  const of = ({ partition, topic }: (typeof damaged | typeof givenUp)[number]) => shardOf(topic, partition.partition)
  const shards = [...new Set([...damaged, ...givenUp].map(of))].toSorted((a, b) => a - b)
  return shards.map((shard) => ({
    shard,
    lost: {
      damaged: damaged.filter((one) => of(one) === shard),
      givenUp: givenUp.filter((one) => of(one) === shard)
    }
  }))
}

/**
 * Proves what the shard has stored, and says that it is at its ends. `added` is what the attempt has read and stored.
 */
export const place = Effect.fn("Shards.place")(function* (
  { backupId, sameLog, written }: Work,
  { attempt, chain, isIdle, notes, part, state }: AtEnds,
  added: ShardEnds.Added
) {
  const store = yield* ObjectStore
  const shards = ShardDeal.count(part)
  const wrong = Completion.contradictions(part, state)
  const problems =
    wrong.length > 0 || isIdle
      ? wrong
      : (yield* Completion.lostSegments(store, part, state, written)).map(({ detail }) => detail)
  yield* Attempts.assertLatest(store, backupId, attempt, shards)
  yield* Commit.assertStillOurs(store, backupId, attempt)
  if (problems.length > 0) return yield* new RunError({ reason: new NotProven({ problems }) })
  yield* ShardEnds.place(store, backupId, {
    version: 1,
    attempt,
    shard: ShardDeal.shardOf(attempt, shards),
    shards,
    chain,
    added,
    notes: [...notes, ...sameLog.notes()]
  })
})

/** The whole run from the ends of all its shards, for the process whose attempt was the last one. */
export const whole = (
  plan: RunPlan,
  { attempt, base, reading }: AtEnds,
  { advances, attempts, ends }: Extract<ShardEnds.Found, { readonly _tag: "All" }>
): Whole => {
  const state = RunState.make()
  if (base !== undefined) RunState.reuse(state, plan, base.manifest)
  RunState.absorb(state, advances)
  return {
    plan,
    attempt,
    base,
    reading,
    state,
    notes: [...new Set(ends.flatMap(({ notes }) => notes))],
    ends: {
      attempts,
      ended: ends.map(({ attempt }) => attempt),
      proven: new Set(RunState.segments(plan, state).map(({ segment }) => segment.key))
    }
  }
}
