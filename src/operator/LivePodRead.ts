import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import { type Caches, isReported } from "./Caches.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import type * as Observed from "./Observed.ts"

/**
 * Reads the pods of a Job from the API server before its end is reported as anything but a success. Jobs and pods have
 * separate watches: the end of a Job may arrive before its pod's summary, and an end that was reported is not reported
 * again. True when pods were read, and the caches may know more now.
 */
export const confirm = Effect.fn("LivePodRead.confirm")(function* (
  caches: Pick<Caches, "pods">,
  observed: Observed.Observed
): Effect.fn.Return<boolean, KubernetesError, KubernetesApi> {
  const doubtful = observed.jobs.filter(isDoubtful)
  if (doubtful.length === 0) return false
  const api = yield* KubernetesApi
  for (const { job } of doubtful) {
    const { items } = yield* api.list(Kind.pods, {
      namespace: observed.namespace,
      labelSelector: `batch.kubernetes.io/job-name=${job.metadata.name}`
    })
    for (const pod of items) caches.pods.learn(pod)
  }
  return true
})

const isDoubtful = ({ job, state }: Observed.ObservedJob): boolean => {
  // A clean-up has its time to live from the start, since its resource may be gone at its end.
  if (isReported(job) && JobFacts.purpose(job) !== "cleanup") return false
  return state._tag === "Ended"
    ? state.run.outcome !== "success"
    : state._tag === "EndedMaintenance" && !state.maintenance.isSuccess
}
