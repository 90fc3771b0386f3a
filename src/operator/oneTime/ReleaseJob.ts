import { Effect } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason } from "../../kubernetes/KubernetesError.ts"
import { given } from "../../resource/Json.ts"
import type { OneTimeCaches } from "./OneTimeCaches.ts"
import type { ObservedJob } from "./OneTimeObserved.ts"

/** A Job whose end is in the status gets its time to live; one that Kubernetes cannot end is deleted now. */
export const release = Effect.fnUntraced(function* (
  caches: Pick<OneTimeCaches, "jobs">,
  { job, state }: ObservedJob,
  ttlSecondsAfterFinished: number
) {
  const api = yield* KubernetesApi
  const { name, namespace, uid } = job.metadata
  const ref = given({ name, namespace })
  if (state._tag === "Ended" && state.isStuck) {
    return yield* api
      .remove(Kind.jobs, ref, given({ propagation: "Background" as const, uid }))
      .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
  }
  yield* api.patch(Kind.jobs, ref, { metadata: { uid }, spec: { ttlSecondsAfterFinished } }).pipe(
    Effect.map((patched) => caches.jobs.learn(patched)),
    // Deleted meanwhile, or another one of its name: nothing is left to release.
    Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void)
  )
})
