import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Writers from "../../src/restore/Writers.ts"

/** How many of these were written at the same time at most, each for as many turns of the event loop. */
const mostAtOnce = (writers: Writers.Writers, sizes: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    let now = 0
    let most = 0
    const writing = Effect.gen(function* () {
      most = Math.max(most, ++now)
      for (let i = 0; i < 5; i++) yield* Effect.yieldNow
      now--
    })
    yield* Effect.forEach(sizes, (bytes) => writers.inTurn(bytes)(writing), { concurrency: "unbounded", discard: true })
    return most
  })

const large = Array.from({ length: 20 }, () => 500_000_000)
const small = Array.from({ length: 20 }, () => 1000)

describe("writers of a restore", () => {
  it.effect("are as many as there are cores, at least two, where partitions are large", () =>
    Effect.gen(function* () {
      for (const [open, cores, most] of [
        [8, 1, 2],
        [8, 2, 2],
        [8, 4, 4],
        [8, 64, 8],
        [4, 2, 2],
        [1, 2, 1]
      ] as const) {
        assert.strictEqual(yield* mostAtOnce(Writers.make(open, cores), large), most, `${open} open, ${cores} cores`)
      }
    })
  )

  it.effect("are as many as may be open where partitions are small", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* mostAtOnce(Writers.make(8, 2), small), 8)
      assert.strictEqual(yield* mostAtOnce(Writers.make(8, 2), [...large, ...small]), 8)
    })
  )

  it.effect("give their turn back when they fail", () =>
    Effect.gen(function* () {
      const writers = Writers.make(2, 2)
      for (let i = 0; i < 3; i++) yield* Effect.flip(writers.inTurn(500_000_000)(Effect.fail("the broker is away")))
      assert.strictEqual(yield* mostAtOnce(writers, large), 2)
    })
  )
})
