import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as Renewal from "../../src/secrets/Renewal.ts"

/** A Secret that a story may change, or take away for a moment. */
const aSecret = () => {
  let value: string | undefined = "first"
  const credentials = (text: string) => ({ user: "backup", password: Redacted.make(text) })
  const renewal = Renewal.make(
    credentials("first"),
    Effect.suspend(() => (value === undefined ? Effect.fail("missing") : Effect.succeed(credentials(value))))
  )
  return {
    renewed: Effect.map(renewal.renewed(true), (found) =>
      found === undefined ? undefined : Redacted.value(found.password)
    ),
    change: (to: string | undefined) => {
      value = to
    }
  }
}

describe("Renewal", () => {
  it.effect("returns a change at once, and each change once", () =>
    Effect.gen(function* () {
      const { change, renewed } = aSecret()
      change("second")
      assert.strictEqual(yield* renewed, "second")
      change("third")
      assert.strictEqual(yield* renewed, "third")
    })
  )

  it.effect(
    "waits for a Secret that is renewed a minute after the old value was refused, through a moment without it",
    () =>
      Effect.gen(function* () {
        const { change, renewed } = aSecret()
        const waiting = yield* Effect.forkChild(renewed, { startImmediately: true })
        yield* TestClock.adjust("30 seconds")
        change(undefined)
        yield* TestClock.adjust("30 seconds")
        assert.isUndefined(waiting.pollUnsafe())
        change("second")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* Fiber.join(waiting), "second")
      })
  )

  it.effect("gives up after two minutes, does not wait again, and still notices a later change", () =>
    Effect.gen(function* () {
      const { change, renewed } = aSecret()
      const waiting = yield* Effect.forkChild(renewed, { startImmediately: true })
      yield* TestClock.adjust("2 minutes")
      assert.isUndefined(yield* Fiber.join(waiting))
      assert.isUndefined(yield* renewed)
      change("second")
      assert.strictEqual(yield* renewed, "second")
    })
  )
})
