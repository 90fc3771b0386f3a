import { Deferred, Effect, Exit, Fiber } from "effect"

/** How long a run may take to seal and remember what it has after it was asked to stop; pods get 30 s by default. */
const graceMillis = 25_000

/**
 * Runs `work` so that an interruption (SIGTERM, SIGINT) first completes `stop` and then waits for the work to end by
 * itself; after 25 s it is interrupted for good. The work's own answer is what the caller gets either way.
 */
export const graceful = <A, E, R>(
  work: (stop: Deferred.Deferred<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const stop = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkDetach(restore(work(stop)), { startImmediately: true })
      const first = yield* Effect.exit(restore(Fiber.join(fiber)))
      if (Exit.isSuccess(first) || fiber.pollUnsafe() !== undefined) return yield* first
      yield* Deferred.succeed(stop, undefined)
      const ended = yield* Fiber.await(fiber).pipe(Effect.timeoutOption(graceMillis))
      if (ended._tag === "Some") return yield* ended.value
      yield* Fiber.interrupt(fiber)
      return yield* Fiber.join(fiber)
    })
  )
