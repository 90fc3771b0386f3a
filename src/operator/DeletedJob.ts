import { Effect, Option } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { EndedRun } from "../status/Facts.ts"
import * as Format from "../status/Format.ts"
import type { Caches } from "./Caches.ts"
import * as JobState from "./jobs/JobState.ts"
import * as RunAgain from "./jobs/RunAgain.ts"
import type * as Observed from "./Observed.ts"
import * as Replacement from "./Replacement.ts"
import type { RunCause } from "../schedule/RunCause.ts"

/** A run that the status calls active and whose Job is gone. */
export type DeletedJob =
  /** It ended, and only what was last observed of it can be reported. */
  | { readonly _tag: "Ended"; readonly run: EndedRun }
  /** The operator deleted its Job to make it again. */
  | { readonly _tag: "Replaced"; readonly cause: RunCause }

/** Finds out whether the Job of the active run is gone, and what that means. */
export const find = Effect.fn("DeletedJob.find")(function* (
  caches: Caches,
  observed: Observed.Observed,
  ownedJobs: Observed.OwnedJobs
): Effect.fn.Return<DeletedJob | undefined, KubernetesError, KubernetesApi> {
  const { key, namespace, nowMillis, previous } = observed
  const run = previous.activeRun
  if (run?.jobName === undefined) return undefined
  const { jobName } = run
  if (caches.jobs.get(`${namespace}/${jobName}`) !== undefined || ownedJobs.active !== undefined) return undefined
  const api = yield* KubernetesApi
  const found = yield* Effect.map(api.get(Kind.jobs, { namespace, name: jobName }), Option.some).pipe(
    Effect.catchIf(hasReason("NotFound"), () => Effect.succeedNone)
  )
  if (Option.isSome(found)) {
    // The cache lags: the next reconcile sees it.
    caches.learnJob(found.value)
    return undefined
  }
  const tombstone = caches.tombstone(`${namespace}/${jobName}`)
  const last = tombstone === undefined ? undefined : JobState.deleted(tombstone.job, tombstone.pods, nowMillis)
  const replaced = run.replacing === true ? Replacement.causeOf(observed) : undefined
  if (replaced !== undefined && (last?._tag !== "Ended" || last.run.outcome !== "success")) {
    return { _tag: "Replaced", cause: replaced }
  }
  if (last?._tag === "Ended") return { _tag: "Ended", run: last.run }
  yield* Effect.logDebug("a Job was deleted before its end was observed").pipe(
    Effect.annotateLogs({ resource: key, job: jobName })
  )
  const ended: EndedRun = {
    jobName,
    cause: run.cause,
    backupId: run.backupId,
    startMillis: Format.millis(run.startTime),
    endMillis: nowMillis,
    outcome: "interrupted",
    reason: "JobDeleted",
    message: `Job ${jobName} was deleted before its end was observed; stored data is kept, and storage is listed again.${RunAgain.advice}`,
    notes: []
  }
  return { _tag: "Ended", run: ended }
})
