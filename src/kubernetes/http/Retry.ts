import { Clock, Effect, Random } from "effect"
import type { Failed } from "./Failure.ts"

/** Requests at most, the first included. */
const attempts = 4
/** A wish to come back later than this is for the caller to fulfil. Also the most that one request is drawn out by waiting. */
const budgetMillis = 20_000
const firstMillis = 250
const mostMillis = 4_000

/** `first` doubling with every failure to at most `most`, of which a random half to whole; `random` is in [0, 1). */
export const delayMillis = (failures: number, random: number, first: number, most: number): number =>
  Math.round(Math.min(most, first * 2 ** Math.min(30, Math.max(0, failures - 1))) * (0.5 + random / 2))

/** What the server wished for, in milliseconds. */
export const wishedMillis = ({ error: { reason } }: Failed): number =>
  reason._tag === "Throttled" ? (reason.retryAfterMillis ?? 0) : 0

/** Reads do no harm twice. Of a write we must know that it was not carried out: the server says so with 429 and a wish. */
const mayRepeat = ({ error: { reason }, status }: Failed, isRead: boolean): boolean =>
  isRead
    ? reason._tag === "Throttled" || reason._tag === "Unavailable"
    : status === 429 && reason._tag === "Throttled" && reason.retryAfterMillis !== undefined

/** Repeats `once` while that is safe and may help, for a few attempts; the last failure is the answer. */
export const retrying = <A>(isRead: boolean, once: Effect.Effect<A, Failed>): Effect.Effect<A, Failed> =>
  Effect.gen(function* () {
    const begunMillis = yield* Clock.currentTimeMillis
    for (let attempt = 1; ; attempt++) {
      const outcome = yield* Effect.result(once)
      if (outcome._tag === "Success") return outcome.success
      const failed = outcome.failure
      if (attempt >= attempts || !mayRepeat(failed, isRead)) return yield* Effect.fail(failed)
      const wait = Math.max(wishedMillis(failed), delayMillis(attempt, yield* Random.next, firstMillis, mostMillis))
      if ((yield* Clock.currentTimeMillis) - begunMillis + wait > budgetMillis) return yield* Effect.fail(failed)
      yield* Effect.sleep(wait)
    }
  })
