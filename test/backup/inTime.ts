import { Effect, type Exit } from "effect"
import { TestClock } from "effect/testing"
import { settle } from "../kafka/support.ts"

/** Moves the clock a second at a time, while real work (compression) gets its turns, until the effect ends. */
export const inTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  limitSeconds: number,
  each: (second: number) => void = () => undefined
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
    for (let second = 0; second < limitSeconds && fiber.pollUnsafe() === undefined; second++) {
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* settle
      each(second)
    }
    const exit: Exit.Exit<A, E> | undefined = fiber.pollUnsafe()
    if (exit === undefined) throw new Error(`still running after ${limitSeconds} s`)
    return exit
  })
