import { Effect } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { Event } from "../../kubernetes/Objects.ts"
import { isReported } from "../Caches.ts"
import * as StuckEvents from "../StuckEvents.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"
import type { OneTimeObserved } from "./OneTimeObserved.ts"

/**
 * What only the API server knows about the Jobs: pods of a Job that failed, whose summary may arrive after the end of
 * the Job, and Events about a Job that is stuck. Undefined where there is nothing to observe again.
 */
export const read = Effect.fnUntraced(function* (
  caches: Pick<OneTimeCaches, "pods">,
  { jobs, namespace, nowMillis }: Pick<OneTimeObserved, "jobs" | "namespace" | "nowMillis">
): Effect.fn.Return<ReadonlyArray<Event> | undefined, KubernetesError, KubernetesApi> {
  const api = yield* KubernetesApi
  const doubtful = jobs.filter(
    ({ job, state }) => state._tag === "Ended" && state.restore.outcome !== "success" && !isReported(job)
  )
  for (const { job } of doubtful) {
    const { items } = yield* api.list(Kind.pods, {
      namespace,
      labelSelector: `batch.kubernetes.io/job-name=${job.metadata.name}`
    })
    for (const pod of items) caches.pods.learn(pod)
  }
  const active = jobs.filter(({ state }) => state._tag === "Active")
  const events = yield* StuckEvents.about(namespace, active, nowMillis)
  return doubtful.length === 0 && events.length === 0 ? undefined : events
})
