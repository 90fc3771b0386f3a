import { Clock, Effect } from "effect"

/** How often an outage that goes on is told again, in milliseconds. */
const repeatMillis = 60_000

/** Says in the log that something does not work, at first and then once a minute, and that it works again. */
export interface Outage {
  readonly failed: (why: string) => Effect.Effect<void>
  readonly works: Effect.Effect<void>
}

/** `what` is what we are trying, as in `Watching jobs`. */
export const make = (what: string): Outage => {
  let begunMillis: number | undefined
  /** Of this outage something was said, so its end is worth a line too. */
  let isTold = false
  let toldMillis = Number.NEGATIVE_INFINITY
  return {
    failed: (why) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const since = begunMillis === undefined ? "" : `, for ${Math.round((now - begunMillis) / 1000)} s now`
        begunMillis ??= now
        if (now - toldMillis < repeatMillis) return Effect.logDebug(`${what} fails${since}: ${why}`)
        toldMillis = now
        isTold = true
        return Effect.logWarning(`${what} fails${since}: ${why}`)
      }),
    works: Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const since = begunMillis
      const say = isTold ? Effect.logInfo : Effect.logDebug
      begunMillis = undefined
      isTold = false
      return since === undefined ? Effect.void : say(`${what} works again, after ${Math.round((now - since) / 1000)} s`)
    })
  }
}
