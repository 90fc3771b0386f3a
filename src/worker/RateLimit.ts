import { Clock, Effect } from "effect"

/** One ceiling, shared by all partitions of a run. */
export interface RateLimit {
  /** Accounts for what was just taken, and waits until the average is back at the ceiling. */
  readonly pay: (amount: number) => Effect.Effect<void>
}

/** No ceiling. */
export const unlimited: RateLimit = { pay: () => Effect.void }

/**
 * At most `perSecond` on average, however many fibers pay. Payment follows the fetch, so a single fetch may exceed one
 * second's amount. Unused time counts for 100 ms at most, so that no burst follows a pause.
 */
export const make = (perSecond: number): RateLimit => {
  const carriedMillis = 100
  let paidUntilMillis = Number.NEGATIVE_INFINITY
  return {
    pay: (amount) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        paidUntilMillis = Math.max(paidUntilMillis, now - carriedMillis) + (amount / perSecond) * 1000
        const waitMillis = paidUntilMillis - now
        return waitMillis > 0 ? Effect.sleep(waitMillis) : Effect.void
      })
  }
}

export const ofOptional = (perSecond: number | undefined): RateLimit =>
  perSecond === undefined ? unlimited : make(perSecond)

/**
 * Bytes to ask for in one fetch, so that the rate is smooth: a quarter of a second at the ceiling, 16 KiB to `most`.
 */
export const fetchBytes = (bytesPerSecond: number | undefined, most: number): number =>
  bytesPerSecond === undefined
    ? most
    : Math.max(Math.min(16 * 1024, most), Math.min(most, Math.floor(bytesPerSecond / 4)))
