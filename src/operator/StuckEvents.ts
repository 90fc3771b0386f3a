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
export const list = Effect.fn("StuckEvents.list")(function* (
  observed: Observed.Observed
): Effect.fn.Return<ReadonlyArray<Event>, never, KubernetesApi> {
  const subjects = observed.jobs.flatMap(({ job, pods, state }) => {
    const isGivenUp = state._tag === "Ended" && state.run.reason === "PodNotStarted" && !isReported(job)
    if (state._tag !== "Active" && state._tag !== "ActiveMaintenance" && !isGivenUp) return []
    if (observed.nowMillis - JobFacts.startMillis(job, observed.nowMillis) < stuckAfterMillis) return []
    if (pods.some(({ status }) => status?.phase === "Running" || status?.phase === "Succeeded")) return []
    return [
      job.metadata.name,
      ...pods.filter(({ status }) => status?.phase === "Pending").map((pod) => pod.metadata.name)
    ]
  })
  if (subjects.length === 0) return []
  const api = yield* KubernetesApi
  const lists = yield* Effect.forEach(subjects, (name) =>
    api.list(Kind.events, { namespace: observed.namespace, fieldSelector: `regarding.name=${name}` }).pipe(
      Effect.map(({ items }) => items),
      // Events only explain: that the Job is stuck is known without them.
      Effect.catch((error) => Effect.as(Effect.logDebug("events cannot be read", error.message), []))
    )
  )
  return lists.flat()
})
