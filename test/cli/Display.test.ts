import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as Display from "../../src/cli/Display.ts"

/** The lines that work of this length leaves in a log. */
const linesOf = Effect.fnUntraced(function* (seconds: number) {
  const printed: Array<string> = []
  let asked = 0
  const work = Effect.sleep(seconds * 1000).pipe(
    Display.lines(() => `line ${++asked}`),
    Effect.provideService(Console.Console, { ...console, error: (text: string) => void printed.push(text) })
  )
  const fiber = yield* Effect.forkChild(work)
  yield* TestClock.adjust(seconds * 1000)
  yield* Fiber.join(fiber)
  return printed
})

describe("progress without a terminal", () => {
  it.effect("is a line after a second, and then one every ten seconds", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* linesOf(0.9), [])
      assert.deepStrictEqual(yield* linesOf(5), ["line 1"])
      assert.deepStrictEqual(yield* linesOf(35), ["line 1", "line 2", "line 3", "line 4"])
    })
  )
})
