import type { ActiveRun } from "../status/Facts.ts"

/* How soon a resource is looked at again when nothing is heard of it. All in milliseconds. */

/** While a run is active its pod is asked this often how far it is. */
export const progressEveryMillis = 15_000

/** A run that began less than a minute ago is asked more often: most end soon, and who started it by hand is looking. */
export const progressMillis = (startMillis: number, nowMillis: number): number =>
  nowMillis - startMillis < 60_000 ? 5_000 : progressEveryMillis

/** A Job that the API server does not take is tried again this much later. */
const refusedAgainMillis = 60_000

/** A run that has been in trouble for this long is looked at less often: its cure is heard of anyway. */
const longTroubledMillis = 300_000
const troubledEveryMillis = 60_000

/** After the end of a Job was told: what follows from it, such as retention, is decided when it is in the status. */
const endedAgainMillis = 1000

/** What a look found. */
export interface Found {
  /** When the schedule asks for a look. */
  readonly dueMillis: number | undefined
  readonly active: ActiveRun | undefined
  /** A Job is not over. */
  readonly isBusy: boolean
  readonly isRefused: boolean
  /** The end of a Job was told just now. */
  readonly hasEnded: boolean
  readonly nowMillis: number
}

/** Time until the next look; infinite when only something that happens is a reason for one. */
export const nextMillis = ({ active, dueMillis, hasEnded, isBusy, isRefused, nowMillis }: Found): number => {
  const asked = [
    dueMillis === undefined ? Infinity : dueMillis - nowMillis,
    active === undefined ? (isBusy ? progressEveryMillis : Infinity) : ofRun(active, nowMillis),
    isRefused ? refusedAgainMillis : Infinity,
    hasEnded ? endedAgainMillis : Infinity
  ]
  return Math.max(0, Math.min(...asked))
}

const ofRun = ({ startMillis, trouble }: ActiveRun, nowMillis: number): number =>
  trouble !== undefined && nowMillis - startMillis > longTroubledMillis
    ? troubledEveryMillis
    : progressMillis(startMillis, nowMillis)
