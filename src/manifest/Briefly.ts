import { type Duration, Effect, type Exit, Fiber, Option } from "effect"

/**
 * Runs `effect` for at most that long, and interrupts it then; also where interruption waits, as in a finalizer or
 * while a command ends. A store that does not answer holds nobody up. Undefined: it did not end in time.
 */
export const briefly = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  most: Duration.Input
): Effect.Effect<Exit.Exit<A, E> | undefined, never, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkDetach(effect, { uninterruptible: false })
    const ended = yield* Effect.timeoutOption(Fiber.await(fiber), most)
    yield* Fiber.interrupt(fiber)
    return Option.getOrUndefined(ended)
  })
