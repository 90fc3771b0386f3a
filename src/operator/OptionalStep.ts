import { Cause, Effect, Option } from "effect"
import type * as Observed from "./Observed.ts"

/*
 * What the parts of a reconcile share that are not about runs: drills and checks. They count their Jobs apart, and a
 * failure in them changes nothing for backups.
 */

/** After a failure, and while the API server rejects a Job, the step is tried again after this time. */
export const failedAgainMillis = 30_000
export const refusedAgainMillis = 60_000

/** What is queued asks again after this time. It is woken when there is room for it. */
export const queuedAgainMillis = 60_000

/** After the end of a Job was reported: another one may be due. */
export const endedAgainMillis = 1000

/** The step, which never fails: also an internal error of it must not keep a backup from starting. */
export const isolated = <A, E extends Error, R>(
  what: "drill" | "check",
  { key }: Pick<Observed.Observed, "key">,
  step: Effect.Effect<A, E, R>,
  otherwise: A
): Effect.Effect<A, never, R> =>
  Effect.catchCause(step, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
    const log =
      error === undefined
        ? Effect.logError(`internal error while looking after a ${what} (please report it)`, cause)
        : Effect.logWarning(`looking after a ${what} failed, trying again: ${error.message}`)
    return Effect.as(Effect.annotateLogs(log, { resource: key }), otherwise)
  })
