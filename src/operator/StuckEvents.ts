import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { Event } from "../kubernetes/Objects.ts"
import { isReported } from "./Caches.ts"
import * as JobFacts from "./jobs/JobFacts.ts"
import type * as Observed from "./Observed.ts"

/** How long a Job may have no running pod before its Events are read, in milliseconds: most start by themselves. */
const stuckAfterMillis = 30_000

/** Events about Jobs that are stuck: only these are read, because no other Job needs an explanation. */
export const list = (observed: Observed.Observed): Effect.Effect<ReadonlyArray<Event>, never, KubernetesApi> => {
  const unstarted = observed.jobs.filter(({ job, state }) => {
    const isGivenUp = state._tag === "Ended" && state.run.reason === "PodNotStarted" && !isReported(job)
    return state._tag === "Active" || state._tag === "ActiveMaintenance" || isGivenUp
  })
  return about(observed.namespace, unstarted, observed.nowMillis)
}

/** Events about those of these Jobs that have no running pod for a while. */
export const about = Effect.fn("StuckEvents.about")(function* (
  namespace: string,
  jobs: ReadonlyArray<Pick<Observed.ObservedJob, "job" | "pods">>,
  nowMillis: number
): Effect.fn.Return<ReadonlyArray<Event>, never, KubernetesApi> {
  const subjects = jobs.flatMap(({ job, pods }) => {
    if (nowMillis - JobFacts.startMillis(job, nowMillis) < stuckAfterMillis) return []
    if (pods.some(({ status }) => status?.phase === "Running" || status?.phase === "Succeeded")) return []
    return [
      job.metadata.name,
      ...pods.filter(({ status }) => status?.phase === "Pending").map((pod) => pod.metadata.name)
    ]
  })
  if (subjects.length === 0) return []
  const api = yield* KubernetesApi
  const lists = yield* Effect.forEach(subjects, (name) =>
    api.list(Kind.events, { namespace, fieldSelector: `regarding.name=${name}` }).pipe(
      Effect.map(({ items }) => items),
      // Events only explain: that the Job is stuck is known without them.
      Effect.catch((error) => Effect.as(Effect.logDebug("events cannot be read", error.message), []))
    )
  )
  return lists.flat()
})
