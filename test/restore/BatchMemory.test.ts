import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { BatchMemory } from "../../src/restore/BatchMemory.ts"
import type { Lease } from "../../src/segment/ByteBudget.ts"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const answered = Effect.fnUntraced(function* (leases: () => Lease) {
  const lease = leases()
  yield* lease.take(10)
  lease.close()
  return new WeakRef(lease)
})

describe("the memory of batches", () => {
  it.live("keeps nothing of a batch that was answered: a partition may have millions", () =>
    Effect.gen(function* () {
      const leases = yield* new BatchMemory(100).leases()
      const refs = yield* Effect.forEach(Array.from({ length: 100 }), () => answered(leases))
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      collectGarbage()
      // The newest ones may be in use still by what made them.
      assert.isBelow(refs.filter((ref) => ref.deref() !== undefined).length, 5)
    }).pipe(Effect.scoped)
  )

  it.effect("gets back what was not answered when the writing ends", () =>
    Effect.gen(function* () {
      const memory = new BatchMemory(100)
      const scope = yield* Scope.make()
      const leases = yield* Scope.provide(memory.leases(), scope)
      yield* answered(leases)
      yield* leases().take(60)
      yield* leases().take(40)
      const other = (yield* memory.leases())()
      const waiting = yield* Effect.forkChild(other.take(100), { startImmediately: true })
      assert.strictEqual(other.held, 0)
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(waiting)
      assert.strictEqual(other.held, 100)
    }).pipe(Effect.scoped)
  )
})
