import type { JobSettings } from "../jobs/JobSettings.ts"
import type { ReconcileResult } from "../ReconcileContext.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"

/** What every reconcile of such a resource is given, beside the ports. */
export interface OneTimeContext {
  readonly caches: OneTimeCaches
  /** How pods of Jobs are made. */
  readonly settings: JobSettings
}

/** Reconciles again after that many milliseconds. */
export const after = (millis: number): ReconcileResult => ({ _tag: "After", millis })

/** After the end of a Job was reported, and while a Job is being stopped: another one may be due. */
export const soonMillis = 1000
