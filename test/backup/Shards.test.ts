import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, type Layer, Option } from "effect"
import * as Run from "../../src/backup/Run.ts"
import type { RunRequest } from "../../src/backup/RunRequest.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Seal from "../../src/manifest/Seal.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { inTime } from "./inTime.ts"
import { aRequest, assertHoldsAll, dyingAt, fill, layer, type RunOptions, shardAttempt, someTopics, world } from "./world.ts"

const noon = "2026-11-23T12:00:00Z"

const seated = (index: number, of: number, changes: Partial<RunRequest> = {}) =>
  aRequest(noon, { ...changes, ...(of === 1 ? {} : { seat: { index, of } }) })

/** All processes of a run at the same time, as the pods of an Indexed Job; each is replaced until it ends well. */
const together = Effect.fnUntraced(function* (
  of: number,
  options: (index: number, attempt: number) => RunOptions = () => ({}),
  changes: Partial<RunRequest> = {}
) {
  const pod = Effect.fnUntraced(function* (index: number) {
    for (let attempt = 1; attempt < 6; attempt++) {
      const exit = yield* Effect.exit(shardAttempt(seated(index, of, changes), options(index, attempt)))
      if (Exit.isSuccess(exit)) return exit.value
      const failure = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
      if (failure !== undefined && !["AttemptSuperseded"].includes(failure.reason._tag)) {
        return yield* Effect.die(failure)
      }
    }
    return yield* Effect.die(`shard ${index} did not end`)
  })
  const services = yield* Effect.context<Layer.Success<typeof layer>>()
  const all = Array.from({ length: of }, (_, index) => pod(index))
  const running = Effect.all(all, { concurrency: "unbounded" }).pipe(Effect.provideContext(services))
  const exit = yield* inTime(running, 600)
  if (Exit.isFailure(exit)) return yield* Effect.die(Cause.pretty(exit.cause))
  return exit.value
})

const commits = (ended: ReadonlyArray<Effect.Success<ReturnType<typeof shardAttempt>>>) =>
  ended.filter((one) => !Run.isShardEnded(one)) as ReadonlyArray<Run.RunSuccess>

/** One set, whole and sealed. */
const assertOneSet = Effect.fnUntraced(function* (store: ObjectStoreShape, of: string) {
  const entries = yield* Catalogue.entries(store)
  assert.deepStrictEqual(entries.map(({ _tag }) => _tag), ["Complete"], of)
  const set = yield* Catalogue.open(store, "nightly-20261123-120000")
  assert.deepStrictEqual((yield* Seal.inspect(store, set)).broken, [], of)
})

describe("a run of several shards", () => {
  it.effect("makes one set, which one process commits, and the others say that their shard has ended", () =>
    Effect.gen(function* () {
      const { cluster, store } = yield* world
      yield* fill(cluster)
      const ended = yield* together(3)
      const made = commits(ended).filter(({ alreadyComplete }) => !alreadyComplete)
      assert.lengthOf(made, 1)
      yield* assertOneSet(store, "3 shards")
      yield* assertHoldsAll(cluster, store, made[0]!.facts.backupId, someTopics)
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["before", "after"] as const)(
    "loses and doubles nothing when one of its processes dies %s any call to storage",
    (when) =>
      Effect.gen(function* () {
        const of = 3
        for (let victim = 0; victim < of; victim++) {
          for (let n = 1; ; n++) {
            const calls = yield* Effect.gen(function* () {
              const { cluster, store } = yield* world
              yield* fill(cluster)
              const dying = dyingAt(store, n, when)
              yield* together(of, (index, attempt) => (index === victim && attempt === 1 ? { store: dying.store } : {}))
              const what = `shard ${victim}, ${when} call ${n}`
              yield* assertOneSet(store, what)
              yield* assertHoldsAll(cluster, store, "nightly-20261123-120000", someTopics)
              return dying.calls()
            }).pipe(Effect.provide(layer))
            if (calls < n) {
              assert.isAbove(n, 15)
              break
            }
          }
        }
      }),
    300_000
  )
})
