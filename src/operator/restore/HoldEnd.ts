import { Effect, Result } from "effect"
import type { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { Trouble } from "../../status/Facts.ts"
import * as HoldFields from "../../status/restore/HoldFields.ts"
import type { RestoreFacts } from "../../status/restore/RestoreFacts.ts"
import { isReported } from "../Caches.ts"
import * as EnsureJob from "../EnsureJob.ts"
import type { JobSettings } from "../jobs/JobSettings.ts"
import type { OneTimeCaches } from "../oneTime/OneTimeCaches.ts"
import * as StrimziClusters from "../strimzi/StrimziClusters.ts"
import * as RestoreJob from "./RestoreJob.ts"
import type { ObservedJob } from "../oneTime/OneTimeObserved.ts"
import type { RestoreObserved } from "./RestoreObserved.ts"

/** How often a Job that ends a hold is looked after, and how soon one that was refused is tried again. */
const againMillis = 60_000

/** What is to be done about the retention hold of a complete restore. */
export type HoldStep =
  /** Reconcile again after this time, in milliseconds. */
  | { readonly _tag: "Wait"; readonly millis: number }
  /** The Job cannot be made, or does not start: to be told, and to be looked after again. */
  | { readonly _tag: "Trouble"; readonly message: string; readonly millis: number }
  /** The Job that was to end the hold has ended. */
  | { readonly _tag: "Report"; readonly job: ObservedJob; readonly end: NonNullable<RestoreFacts["holdEnd"]> }

/**
 * Ends the hold when it is over: makes the Job, or finds it made. A Job that failed stays for an hour, and keeps
 * another one from being made meanwhile.
 */
export const step = Effect.fn("HoldEnd.step")(function* (
  { caches, settings }: { readonly caches: OneTimeCaches; readonly settings: JobSettings },
  observed: RestoreObserved,
  hold: RestoreFacts["hold"]
): Effect.fn.Return<HoldStep, KubernetesError, KubernetesApi> {
  const name = RestoreJob.holdNameOf(observed)
  const job = observed.jobs.find((one) => one.job.metadata.name === name)
  if (job?.state._tag === "Active") {
    const { trouble } = job.state.restore
    return trouble === undefined ? { _tag: "Wait", millis: againMillis } : troubled(trouble)
  }
  if (job?.state._tag === "Ended" && !isReported(job.job)) {
    const { message = "no reason was reported", outcome, reason = "JobFailed" } = job.state.restore
    return { _tag: "Report", job, end: { isSuccess: outcome === "success", message: `${reason}: ${message}` } }
  }
  const endMillis = HoldFields.endMillis(observed.previous, hold)
  if (endMillis === undefined || job !== undefined || observed.restore === undefined) {
    return { _tag: "Wait", millis: Infinity }
  }
  if (observed.nowMillis < endMillis) return { _tag: "Wait", millis: endMillis - observed.nowMillis }
  const whole = yield* StrimziClusters.ofTarget(observed.restore, observed.namespace, settings)
  const made = yield* EnsureJob.make(
    Result.flatMap(whole, (found) => RestoreJob.forHold(found, name, settings)),
    observed.uid
  )
  if (made._tag === "Refused") return troubled(made.trouble)
  caches.jobs.learn(made.job)
  return { _tag: "Wait", millis: againMillis }
})

const troubled = ({ message, reason }: Trouble): HoldStep => ({
  _tag: "Trouble",
  message: `${reason}: ${message}`,
  millis: againMillis
})
