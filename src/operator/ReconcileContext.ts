import type { Caches } from "./Caches.ts"
import type { JobSettings } from "./jobs/JobSettings.ts"
import type { RunQueue } from "./RunQueue.ts"

/** What every reconcile is given, beside the ports. */
export interface ReconcileContext {
  readonly caches: Caches
  readonly queue: RunQueue
  /** Drills wait in a queue of their own, so that none of them holds up a run. */
  readonly drillQueue: RunQueue
  /** So do checks. */
  readonly checkQueue: RunQueue
  /** Longest time between two checks of a resource without a run, in milliseconds. Absent: only after an edit. */
  readonly checkEveryMillis: number | undefined
  /** How pods of Jobs are made. */
  readonly settings: JobSettings
}

/** What a reconcile asks for. */
export type ReconcileResult =
  /** No further reconcile: the resource is gone. */
  | { readonly _tag: "Gone" }
  /** Reconcile again after this time at the latest, in milliseconds; earlier when something happens. */
  | { readonly _tag: "After"; readonly millis: number }
