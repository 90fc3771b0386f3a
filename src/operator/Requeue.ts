import * as ActiveRuns from "./ActiveRuns.ts"
import type { ActiveRun } from "../status/Facts.ts"

/* How soon a resource is reconciled again when nothing happens to it. All in milliseconds. */

/** How often the pod of an active run is asked for its progress. */
export const progressEveryMillis = 15_000

/**
 * A run that began less than a minute ago is asked more often: most end soon, and who started it by hand is watching.
 */
export const progressMillis = (startMillis: number, nowMillis: number): number =>
  nowMillis - startMillis < 60_000 ? 5_000 : progressEveryMillis

/** A Job that the API server rejects is tried again after this time. */
const refusedAgainMillis = 60_000

/** A queued run asks again after this time, and its place is reported. It is woken when there is room for it. */
const queuedAgainMillis = 60_000

/** A run that has been in trouble for this long is reconciled less often: the watches report its recovery anyway. */
const longTroubledMillis = 300_000
const troubledEveryMillis = 60_000

/** After the end of a Job was reported: what follows, such as retention, is decided once the end is in the status. */
const endedAgainMillis = 1000

/** What decides about the next reconcile. */
export interface RequeueInput {
  /** When the schedule asks for a reconcile. */
  readonly dueMillis: number | undefined
  readonly active: ActiveRun | undefined
  /** A Job is not over. */
  readonly isBusy: boolean
  /** A run is due and waits for room. */
  readonly isQueued: boolean
  readonly isRefused: boolean
  /** The end of a Job was reported just now. */
  readonly hasEnded: boolean
  /** Until then a run that is due waits for a listing of storage. */
  readonly listingUntilMillis: number | undefined
  readonly nowMillis: number
}

/** Time until the next reconcile; infinite when only an event is a reason for one. */
export const nextMillis = (input: RequeueInput): number => {
  const { active, dueMillis, hasEnded, isBusy, isQueued, isRefused, listingUntilMillis, nowMillis } = input
  const asked = [
    dueMillis === undefined ? Infinity : dueMillis - nowMillis,
    active === undefined ? (isBusy ? progressEveryMillis : Infinity) : ofRun(active, nowMillis),
    isRefused ? refusedAgainMillis : Infinity,
    isQueued ? queuedAgainMillis : Infinity,
    hasEnded ? endedAgainMillis : Infinity,
    listingUntilMillis === undefined ? Infinity : listingUntilMillis - nowMillis,
    active?.waiting === undefined ? Infinity : ofWaiting(active.startMillis, active.waiting, nowMillis)
  ]
  return Math.max(0, Math.min(...asked))
}

/** When its Job no longer counts as active, so that another run may start; and when it fails. */
const ofWaiting = (
  startMillis: number,
  { failsAtMillis = Infinity }: NonNullable<ActiveRun["waiting"]>,
  nowMillis: number
): number => {
  const moments = [startMillis + ActiveRuns.graceMillis, failsAtMillis]
  return Math.min(...moments.filter((moment) => moment > nowMillis)) - nowMillis
}

const ofRun = ({ startMillis, trouble }: ActiveRun, nowMillis: number): number =>
  trouble !== undefined && nowMillis - startMillis > longTroubledMillis
    ? troubledEveryMillis
    : progressMillis(startMillis, nowMillis)
