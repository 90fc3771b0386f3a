import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import {
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  StoreUnavailable
} from "../../src/storage/ObjectStoreError.ts"
import * as Retry from "../../src/storage/Retry.ts"

const failing = (reason: ObjectStoreReason) =>
  new ObjectStoreError({ operation: "put", location: "s3 bucket b", reason })
const busy = (retryAfterMillis?: number) =>
  failing(new StoreUnavailable({ detail: "busy", ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) }))

/** The times, in milliseconds, at which requests were made that all fail like this. */
const timesOf = (policy: Retry.Policy, error: ObjectStoreError) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const once = Effect.gen(function* () {
      times.push(yield* Clock.currentTimeMillis)
      return yield* error
    })
    const fiber = yield* Effect.forkChild(Effect.exit(Retry.retrying(policy, () => once)))
    yield* TestClock.adjust("10 minutes")
    yield* Fiber.join(fiber)
    return times
  })

describe("Retry.delayMillis", () => {
  it("doubles from 200 ms to at most 8 s, and leaves between half and all of it to chance", () => {
    assert.deepStrictEqual(
      [1, 2, 3, 4, 5, 6, 7, 20].map((attempt) => Retry.delayMillis(attempt, 0)),
      [100, 200, 400, 800, 1600, 3200, 4000, 4000]
    )
    assert.closeTo(Retry.delayMillis(1, 0.999), 200, 1)
    assert.closeTo(Retry.delayMillis(20, 0.999), 8000, 10)
  })

  it("is never shorter than what the server asked for", () => {
    assert.strictEqual(Retry.delayMillis(1, 0, 30_000), 30_000)
    assert.strictEqual(Retry.delayMillis(7, 0, 1), 4000)
  })
})

describe("Retry.retrying", () => {
  it.effect("ends after as many requests as the policy allows", () =>
    Effect.gen(function* () {
      const times = yield* timesOf(Retry.bounded, busy())
      assert.strictEqual(times.length, Retry.bounded.attempts)
      assert.isAtMost(times.at(-1)!, Retry.bounded.budgetMillis)
    })
  )

  it.effect("obeys Retry-After, and gives up at once when that exceeds the budget", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* timesOf({ attempts: 3, budgetMillis: 120_000 }, busy(20_000)), [0, 20_000, 40_000])
      assert.deepStrictEqual(yield* timesOf({ attempts: 8, budgetMillis: 30_000 }, busy(20_000)), [600_000, 620_000])
      assert.deepStrictEqual(yield* timesOf(Retry.bounded, busy(3_600_000)), [1_200_000])
    })
  )

  it.effect("does not repeat what waiting cannot cure", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* timesOf(Retry.bounded, failing(new ObjectNotFound({ key: "a" }))), [0])
    })
  )
})
