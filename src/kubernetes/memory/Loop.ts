import { Cause, Effect, Queue, type Scope } from "effect"

/** Handles what arrives in the queue, one after the other, for as long as the scope lives. What fails is logged, and the next is handled. */
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
    // Without a pause after each: whoever moves a TestClock finds us waiting, not about to wait.
    Effect.forever({ disableYield: true }),
    Effect.forkScoped,
    Effect.asVoid
  )
