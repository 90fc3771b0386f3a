import { assert } from "@effect/vitest"
import { Cause, Effect, Exit, type Layer, Option } from "effect"
import * as Run from "../../src/backup/Run.ts"
import type { RunRequest } from "../../src/backup/RunRequest.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { inTime } from "./inTime.ts"
import { aRequest, type layer, type RunOptions, shardAttempt } from "./world.ts"

/** What stories about runs of several processes share. */

export const noon = "2026-11-23T12:00:00Z"
export const backupId = "nightly-20261123-120000"

/** The request of one of several processes. */
export const seated = (index: number, of: number, changes: Partial<RunRequest> = {}): RunRequest =>
  aRequest(noon, { ...changes, ...(of === 1 ? {} : { seat: { index, of } }) })

/** What the process with this index has at its n-th start, from 1. */
export type OptionsOf = (index: number, start: number) => RunOptions

/** Failures that a Job answers with another pod. */
const isTriedAgain = (exit: Exit.Exit<unknown, { readonly reason: { readonly _tag: string } }>): boolean => {
  if (Exit.isSuccess(exit)) return false
  const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  return failure === undefined || failure.reason._tag === "AttemptSuperseded"
}

/** Moves the clock until the effect ends. */
export const clocked = Effect.fnUntraced(function* <A, E>(
  effect: Effect.Effect<A, E, Layer.Success<typeof layer>>,
  limitSeconds = 900
) {
  const services = yield* Effect.context<Layer.Success<typeof layer>>()
  return yield* yield* inTime(Effect.provideContext(effect, services), limitSeconds)
})

/** All processes of a run at the same time, as the pods of an Indexed Job: each is replaced until it ends well. */
export const together = Effect.fnUntraced(function* (
  of: number,
  options: OptionsOf = () => ({}),
  changes: Partial<RunRequest> = {}
) {
  const pod = Effect.fnUntraced(function* (index: number) {
    for (let start = 1; start < 8; start++) {
      const exit = yield* Effect.exit(shardAttempt(seated(index, of, changes), options(index, start)))
      if (!isTriedAgain(exit)) return yield* exit
    }
    throw new Error(`process ${index} of ${of} does not end well`)
  })
  const all = Array.from({ length: of }, (_, index) => pod(index))
  return yield* clocked(Effect.all(all, { concurrency: "unbounded" }))
})

/** The processes that made the backup: one of them, unless it died after its commit. */
export const madeBy = (ended: ReadonlyArray<Effect.Success<ReturnType<typeof shardAttempt>>>) =>
  ended.flatMap((one) => (Run.isShardEnded(one) || one.alreadyComplete ? [] : [one]))

/** One backup, whole and sealed. */
export const assertOneSet = Effect.fnUntraced(function* (store: ObjectStoreShape, what: string) {
  assert.deepStrictEqual(
    (yield* Catalogue.entries(store)).map(({ _tag }) => _tag),
    ["Complete"],
    what
  )
  const set = yield* Catalogue.open(store, backupId)
  assert.deepStrictEqual((yield* Seal.inspect(store, set)).broken, [], what)
  return set
})
