import { Clock, Effect } from "effect"

/** Between two log lines about the same outage, in milliseconds. */
const repeatMillis = 60_000

/** Logs that something fails, at once and then once a minute, and that it works again. */
export interface Outage {
  readonly failed: (why: string) => Effect.Effect<void>
  readonly works: Effect.Effect<void>
}

/** `what` is the task that fails, as in `watching jobs`. */
export const make = (what: string): Outage => {
  let startedMillis: number | undefined
  /** This outage was logged, so its end is logged too. */
  let isLogged = false
  let loggedMillis = Number.NEGATIVE_INFINITY
  return {
    failed: (why) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const since = startedMillis === undefined ? "" : ` (for ${Math.round((now - startedMillis) / 1000)} s)`
        startedMillis ??= now
        if (now - loggedMillis < repeatMillis) return Effect.logDebug(`${what} fails${since}: ${why}`)
        loggedMillis = now
        isLogged = true
        return Effect.logWarning(`${what} fails${since}: ${why}`)
      }),
    works: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const since = startedMillis
      const log = isLogged ? Effect.logInfo : Effect.logDebug
      startedMillis = undefined
      isLogged = false
      return since === undefined ? Effect.void : log(`${what} works again after ${Math.round((now - since) / 1000)} s`)
    })
  }
}
