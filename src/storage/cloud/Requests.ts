import { Clock, Effect, Exit, Scope, Semaphore } from "effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"

/** Times in milliseconds; both end in `StoreUnavailable`. */
export interface TimeOuts {
  /** Without a byte of a body that is being read. */
  readonly idle: number
  /** From request to the head of the answer, for a request without a large body. */
  readonly answer: number
}

export const timeOuts: TimeOuts = { idle: 60_000, answer: 60_000 }

/**
 * Slowest upload that is still waited for, in bytes per second: a line this slow would need nine minutes for 64 MiB.
 */
const slowestUpload = 128 * 1024

/** Requests of one store that wait for an answer at the same time; more of them wait in line. */
const requestsAtOnce = 32

/** No answer came in time. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer"
}

/**
 * One request, its failure translated. Interruption, time-out and failure abort it, so that no half-sent body keeps its
 * memory or its socket; after success the signal stays silent, because the body may still be read.
 */
export type Send = <A>(
  request: (signal: AbortSignal) => Promise<A>,
  translate: (error: unknown, nowMillis: number) => ObjectStoreError,
  bodyBytes?: number
) => Effect.Effect<A, ObjectStoreError>

/** A line of requests to one store. */
export const make = (times: TimeOuts): Effect.Effect<Send> =>
  Effect.gen(function* () {
    const inFlight = yield* Semaphore.make(requestsAtOnce)
    return (request, translate, bodyBytes = 0) =>
      Effect.gen(function* () {
        const sending = yield* Scope.make()
        const signal = yield* Scope.provide(Effect.abortSignal, sending)
        const patience = times.answer + Math.ceil((bodyBytes / slowestUpload) * 1000)
        return yield* Effect.tryPromise({ try: () => request(signal), catch: (error) => error }).pipe(
          Effect.timeoutOrElse({
            duration: patience,
            orElse: () => Effect.fail(new NoAnswer(`no answer within ${Math.round(patience / 1000)} s`))
          }),
          Effect.catch((error) => Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(translate(error, now)))),
          Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(sending, exit) : Effect.void))
        )
      }).pipe(inFlight.withPermits(1))
  })
