import { Effect, Exit, Pull, Scope, Stream } from "effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"

/** How calls are repeated: `once` is told how many attempts of the same call failed before it. */
export type RetryPolicy = <A>(
  once: (earlier: number) => Effect.Effect<A, ObjectStoreError>
) => Effect.Effect<A, ObjectStoreError>

/** Finds its way back to where a stream broke. */
export interface Continuation<A> {
  /** What of these elements has not been delivered yet; called for every chunk, in order, of every opening. */
  readonly fresh: (elements: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<A>, ObjectStoreError>
  /** The stream was opened anew and begins at its beginning. */
  readonly reopened: () => void
  /** The stream has come to its end by itself: is that the end of what was being delivered? */
  readonly ended: Effect.Effect<void, ObjectStoreError>
}

interface Opened<A> {
  readonly pull: Pull.Pull<ReadonlyArray<A>, ObjectStoreError>
  readonly scope: Scope.Closeable
}

const ended = Effect.succeed(undefined)

/**
 * A stream that survives its source: when the source breaks and waiting may help, it is opened again, and what had been
 * delivered is left out. It ends when the source ends, or fails; never early.
 */
export const resumed = <A>(
  persist: RetryPolicy,
  source: Stream.Stream<A, ObjectStoreError>,
  continuation: Continuation<A>
): Stream.Stream<A, ObjectStoreError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      let opened: Opened<A> | undefined
      const close = Effect.suspend(() => {
        const leaving = opened
        opened = undefined
        return leaving === undefined ? Effect.void : Scope.close(leaving.scope, Exit.void)
      })
      yield* Effect.addFinalizer(() => close)

      const open = Effect.gen(function* () {
        yield* close
        const scope = yield* Scope.make()
        const pull = yield* Scope.provide(Stream.toPull(source), scope)
        opened = { pull, scope }
        continuation.reopened()
        return opened
      })

      /** Pulls until something is there that was not delivered; undefined at the end. */
      const step = (from: Opened<A>): Effect.Effect<ReadonlyArray<A> | undefined, ObjectStoreError> =>
        Effect.flatMap(
          Pull.catchDone(from.pull, () => ended),
          (elements) =>
            elements === undefined
              ? Effect.as(continuation.ended, undefined)
              : Effect.flatMap(continuation.fresh(elements), (fresh) =>
                  fresh.length > 0 ? Effect.succeed(fresh) : step(from)
                )
        )

      const reopen = Effect.flatMap(open, step)

      // Where nothing breaks, a piece passes without asking anybody.
      const next = Effect.suspend(() =>
        opened === undefined
          ? persist(() => reopen)
          : Effect.catch(step(opened), (failure) =>
              persist((earlier) => (earlier === 0 ? Effect.fail(failure) : reopen))
            )
      )

      return Stream.unfold(undefined, () =>
        Effect.map(next, (elements) => (elements === undefined ? undefined : ([elements, undefined] as const)))
      ).pipe(Stream.flattenIterable)
    })
  )
