import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as Checkpoints from "../../src/backup/Checkpoints.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as Attempts from "../../src/manifest/Attempts.ts"
import * as BackupKeys from "../../src/manifest/BackupKeys.ts"
import * as RunState from "../../src/manifest/RunState.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { layer, world } from "./world.ts"

const set = BackupId.make("set")

/** An advance with a field that a checkpoint does not keep, as the advances of a run have. */
const advance = (position: number) => ({ topic: "orders", partition: 0, from: 0, position, segments: [], gaps: [] })

describe("Checkpoints.flush", () => {
  it.effect("goes on after it was interrupted when the store had done its work and not yet said so", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const { attempt } = yield* Attempts.begin(store, set, { startedMillis: 1, host: "test" })
      let isSlow = true
      const slow: ObjectStoreShape = {
        ...store,
        put: (...args) => Effect.tap(store.put(...args), () => (isSlow ? Effect.never : Effect.void))
      }
      const checkpoints = yield* Checkpoints.make(slow, { backupId: set, attempt }, RunState.make())
      yield* checkpoints.remember(advance(10))
      const flushing = yield* Effect.forkChild(checkpoints.flush, { startImmediately: true })
      yield* Effect.yieldNow
      yield* Fiber.interrupt(flushing)
      isSlow = false
      yield* checkpoints.remember(advance(20))
      yield* checkpoints.flush
      const next = yield* Attempts.begin(store, set, { startedMillis: 2, host: "test" })
      assert.deepStrictEqual(
        next.advances.map(({ position }) => position),
        [10, 20]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("notices another writer of the same attempt", () =>
    Effect.gen(function* () {
      const { store } = yield* world
      const run = { backupId: set, attempt: 1 }
      const ours = yield* Checkpoints.make(store, run, RunState.make())
      const theirs = yield* Checkpoints.make(store, run, RunState.make())
      yield* ours.remember(advance(10))
      yield* ours.flush
      yield* theirs.remember(advance(11))
      const error = yield* Effect.flip(theirs.flush)
      assert.strictEqual(error.reason._tag, "AttemptSuperseded")
    }).pipe(Effect.provide(layer))
  )

  it.effect("does not take a copy under another number for the checkpoint or the attempt of that number", () =>
    Effect.gen(function* () {
      const { memory, store } = yield* world
      const begun = (startedMillis: number) => Attempts.begin(store, set, { startedMillis, host: "test" })
      const positions = (start: Attempts.AttemptStart) => start.advances.map(({ position }) => position)
      const { attempt } = yield* begun(1)
      const checkpoints = yield* Checkpoints.make(store, { backupId: set, attempt }, RunState.make())
      for (const position of [10, 20, 30]) {
        yield* checkpoints.remember(advance(position))
        yield* checkpoints.flush
      }
      const first = yield* store.get(BackupKeys.checkpoint(set, 1, 1))
      yield* memory.tamper(BackupKeys.checkpoint(set, 1, 2), () => first)
      const second = yield* begun(2)
      assert.deepStrictEqual(positions(second), [10])
      assert.include(second.notes.join(), "checkpoint/000001-000002.json is damaged (it is number 1 of attempt 1)")
      const attemptOne = yield* store.get(BackupKeys.attempt(set, 1))
      yield* memory.tamper(BackupKeys.attempt(set, 2), () => attemptOne)
      const third = yield* begun(3)
      assert.deepStrictEqual(positions(third), [])
      assert.include(third.notes.join(), "it is the one of attempt 1; the run starts again from the beginning")
    }).pipe(Effect.provide(layer))
  )
})
