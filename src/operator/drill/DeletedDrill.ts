import { Effect, Option } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import { drillAnnotation } from "../../resource/KafkaBackup.ts"
import type { EndedDrill } from "../../status/drill/DrillFacts.ts"
import * as Format from "../../status/Format.ts"
import type { Caches } from "../Caches.ts"
import type { Observed } from "../Observed.ts"
import * as DrillJobState from "./DrillJobState.ts"

/** The end of a drill that the status calls active and whose Job is gone; undefined where there is none. */
export const find = Effect.fn("DeletedDrill.find")(function* (
  caches: Caches,
  { namespace, nowMillis, previous }: Pick<Observed, "namespace" | "nowMillis" | "previous">
): Effect.fn.Return<EndedDrill | undefined, KubernetesError, KubernetesApi> {
  const active = previous.drill?.active
  if (active === undefined || caches.jobs.get(`${namespace}/${active.jobName}`) !== undefined) return undefined
  const { cause, jobName, startTime } = active
  const api = yield* KubernetesApi
  const found = yield* Effect.map(api.get(Kind.jobs, { namespace, name: jobName }), Option.some).pipe(
    Effect.catchIf(hasReason("NotFound"), () => Effect.succeedNone)
  )
  if (Option.isSome(found)) {
    // The cache lags: the next reconcile sees it.
    caches.learnJob(found.value)
    return undefined
  }
  const last = caches.tombstone(`${namespace}/${jobName}`)
  if (last !== undefined) return DrillJobState.deleted(last.job, last.pods, nowMillis)
  return {
    jobName,
    cause,
    startMillis: Format.millis(startTime),
    endMillis: nowMillis,
    outcome: "incomplete",
    reason: "JobDeleted",
    message: `Job ${jobName} was deleted before its end was observed. To drill again, set annotation ${drillAnnotation} to a new value`
  }
})
