import { Effect, Exit, Scope } from "effect"

/**
 * Opens something for as long as the surrounding scope lasts; `retry` decides how often it is tried. Everything that a
 * failed attempt had opened is closed before the next one, so that waiting for a cluster that is down holds no sockets.
 */
export const retried = <A, E, R>(
  open: Effect.Effect<A, E, R | Scope.Scope>,
  retry: (once: () => Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<R>()
    return yield* retry(() =>
      Effect.flatMap(Scope.fork(scope), (own) =>
        open.pipe(
          Scope.provide(own),
          Effect.provide(context),
          Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(own, exit) : Effect.void))
        )
      )
    )
  })
