import { Context, Deferred, Effect, Exit, Fiber } from "effect"

/** How long a run may take to seal and remember what it has after it was asked to stop; pods get 30 s by default. */
const graceMillis = 25_000

/** What the process will exit with, once a command has come to its own end; a signal after that changes nothing. */
export const Outcome = Context.Reference<{ exitCode: number | undefined }>("kafka-backup/cli/Outcome", {
  defaultValue: () => ({ exitCode: undefined })
})

/** What a run does when it is asked to stop. */
export interface StopManners {
  /** Whether there is anything to bring to safety; without it the work is interrupted at once. */
  readonly isWorthWaiting: () => boolean
  /** Tells whoever watches. */
  readonly announce: Effect.Effect<void>
}

/**
 * Runs `work` so that an interruption (SIGTERM, SIGINT) completes `stop` and then waits for the work to end by itself,
 * for at most 25 s; then it is interrupted for good. Gives the work's own exit either way, and is not interruptible
 * itself: what its caller does with the exit must not be either.
 */
export const graceful = <A, E, R>(
  work: (stop: Deferred.Deferred<void>) => Effect.Effect<A, E, R>,
  manners: StopManners
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const stop = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkDetach(work(stop), { startImmediately: true, uninterruptible: false })
      const first = yield* Effect.exit(Effect.interruptible(Fiber.await(fiber)))
      if (Exit.isSuccess(first)) return first.value
      if (manners.isWorthWaiting()) {
        yield* manners.announce
        yield* Deferred.succeed(stop, undefined)
        const ended = yield* Fiber.await(fiber).pipe(Effect.timeoutOption(graceMillis))
        if (ended._tag === "Some") return ended.value
      }
      yield* Fiber.interrupt(fiber)
      return yield* Fiber.await(fiber)
    })
  )
