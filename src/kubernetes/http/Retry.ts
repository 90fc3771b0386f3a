import { Clock, Effect, Random } from "effect"
import type { Failed } from "./Failure.ts"

/** Most requests, including the first. */
const attempts = 4
/** Most that waiting adds to one request. A longer `Retry-After` is left to the caller. */
const budgetMillis = 20_000
const firstMillis = 250
const mostMillis = 4_000

/** `first`, doubled with every failure up to `most`, times a random factor from 0.5 to 1; `random` is in [0, 1). */
export const delayMillis = (failures: number, random: number, first: number, most: number): number =>
  Math.round(Math.min(most, first * 2 ** Math.min(30, Math.max(0, failures - 1))) * (0.5 + random / 2))

/** The server's `Retry-After` in milliseconds; 0 when there is none. */
export const retryAfterMillis = ({ error: { reason } }: Failed): number =>
  reason._tag === "Throttled" ? (reason.retryAfterMillis ?? 0) : 0

/** A read may be repeated. A write only if it was not carried out, which 429 with `Retry-After` means. */
const mayRepeat = ({ error: { reason }, status }: Failed, isRead: boolean): boolean =>
  isRead
    ? reason._tag === "Throttled" || reason._tag === "Unavailable"
    : status === 429 && reason._tag === "Throttled" && reason.retryAfterMillis !== undefined

/** Repeats `once` while that is safe and may help, for a few attempts; fails with the last failure. */
export const retrying = <A>(isRead: boolean, once: Effect.Effect<A, Failed>): Effect.Effect<A, Failed> =>
  Effect.gen(function* () {
    const begunMillis = yield* Clock.currentTimeMillis
    for (let attempt = 1; ; attempt++) {
      const outcome = yield* Effect.result(once)
      if (outcome._tag === "Success") return outcome.success
      const failed = outcome.failure
      if (attempt >= attempts || !mayRepeat(failed, isRead)) return yield* Effect.fail(failed)
      const wait = Math.max(retryAfterMillis(failed), delayMillis(attempt, yield* Random.next, firstMillis, mostMillis))
      if ((yield* Clock.currentTimeMillis) - begunMillis + wait > budgetMillis) return yield* Effect.fail(failed)
      yield* Effect.sleep(wait)
    }
  })
