import { Clock, Effect, Random } from "effect"
import type { ObjectStoreError } from "./ObjectStoreError.ts"

export interface Policy {
  /** Requests at most, the first included. */
  readonly attempts: number
  /** Total time spent waiting and trying, in milliseconds, after which no further request is made. */
  readonly budgetMillis: number
}

/**
 * Inside an adapter: once more, and only at once. Cures a kept connection that the server has just closed and a
 * conflict between conditional writes, and learns there whether a write happened whose answer was lost. Whatever lasts
 * longer is for `GuardedObjectStore`, so that the two do not multiply.
 */
export const atOnce: Policy = { attempts: 2, budgetMillis: 2_000 }

/** A person waits for the answer to `open`, and a wrong host name never gets better. */
export const opening: Policy = { attempts: 3, budgetMillis: 30_000 }

/** Without a circuit breaker: waits about 20 s in all for throttling and short outages to pass. */
export const bounded: Policy = { attempts: 8, budgetMillis: 120_000 }

const firstMillis = 200
const mostMillis = 8_000

/**
 * How long to wait before the next request, in milliseconds: 200 doubling to 8,000, of which a random half to whole,
 * and never less than the server asked for. `attempt` counts the requests made so far; `random` is in [0, 1).
 */
export const delayMillis = (attempt: number, random: number, retryAfterMillis = 0): number =>
  Math.max(retryAfterMillis, Math.round(Math.min(mostMillis, firstMillis * 2 ** (attempt - 1)) * (0.5 + random / 2)))

/**
 * Repeats `once` while its failure may pass, within the policy; the last failure is the answer. `once` is told how many
 * requests went before it: with one or more, something may have been done whose answer was lost.
 *
 * A loop and not a `Schedule`: a schedule counts its time from the first failure, where the budget counts the first
 * request too, and it would neither tell `once` what went before nor be shorter with Retry-After, chance and budget in
 * it.
 */
export const retrying = <A>(
  policy: Policy,
  once: (earlier: number) => Effect.Effect<A, ObjectStoreError>,
  mayPass: (error: ObjectStoreError, earlier: number) => boolean = (error) => error.isRetryable
): Effect.Effect<A, ObjectStoreError> =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    for (let earlier = 0; ; earlier++) {
      const outcome = yield* Effect.result(once(earlier))
      if (outcome._tag === "Success") return outcome.success
      const error = outcome.failure
      if (earlier + 1 >= policy.attempts || !mayPass(error, earlier)) return yield* error
      const asked = error.reason._tag === "StoreUnavailable" ? error.reason.retryAfterMillis : undefined
      const wait = delayMillis(earlier + 1, yield* Random.next, asked)
      if ((yield* Clock.currentTimeMillis) - begun + wait > policy.budgetMillis) return yield* error
      yield* Effect.sleep(wait)
    }
  })
