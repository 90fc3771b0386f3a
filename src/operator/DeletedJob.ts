import { Effect, Option } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { EndedRun } from "../status/Facts.ts"
import * as Format from "../status/Format.ts"
import type { Caches } from "./Caches.ts"
import * as JobState from "./jobs/JobState.ts"
import type * as Observed from "./Observed.ts"

/**
 * A run that the status calls active and whose Job is gone: it ended, and only what was last observed of it can be
 * reported.
 */
export const find = Effect.fn("DeletedJob.find")(function* (
  caches: Caches,
  { key, namespace, nowMillis, previous }: Observed.Observed,
  ownedJobs: Observed.OwnedJobs
): Effect.fn.Return<EndedRun | undefined, KubernetesError, KubernetesApi> {
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
  if (last?._tag === "Ended") return last.run
  yield* Effect.logDebug("a Job was deleted before its end was observed").pipe(
    Effect.annotateLogs({ resource: key, job: jobName })
  )
  return {
    jobName,
    cause: run.cause,
    backupId: run.backupId,
    startMillis: Format.millis(run.startTime),
    endMillis: nowMillis,
    outcome: "interrupted",
    reason: "JobDeleted",
    message: `Job ${jobName} was deleted before its end was observed; stored data is kept, and storage is listed again. To run again, set the trigger annotation to a new value`,
    notes: []
  }
})
