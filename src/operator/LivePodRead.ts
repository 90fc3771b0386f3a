import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import { type Caches, isReported } from "./Caches.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import type * as Observed from "./Observed.ts"

/**
 * Before the end of a Job is told as anything but a success, its pods are asked for at the server. Jobs and pods are watched apart:
 * the end of a Job may be heard of before the last words of its pod, and once told it is not told again. True when something was
 * asked, and the caches may know better now.
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

const isDoubtful = ({ job, reading }: Observed.ObservedJob): boolean => {
  // A clean-up has its time to live from the start: nobody may be left to give it one.
  if (isReported(job) && JobFacts.purpose(job) !== "cleanup") return false
  return reading._tag === "Ended"
    ? reading.run.outcome !== "success"
    : reading._tag === "EndedMaintenance" && !reading.maintenance.isSuccess
}
