import { Cause, Effect, Queue, type Scope } from "effect"

/**
 * Handles what arrives in the queue, one after the other, for as long as the scope lives. A failure is logged, and the
 * next arrival is handled.
 */
export const handling = <A, E>(
  name: string,
  arrivals: Queue.Queue<A>,
  handle: (arrival: A) => Effect.Effect<void, E>
): Effect.Effect<void, never, Scope.Scope> =>
  Queue.take(arrivals).pipe(
    Effect.flatMap((arrival) =>
      Effect.catchCause(handle(arrival), (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.logError(`${name} failed`, cause)
      )
    ),
    // No yield after each arrival: a test that moves the TestClock finds this fiber waiting, not about to wait.
    Effect.forever({ disableYield: true }),
    Effect.forkScoped,
    Effect.asVoid
  )
