import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Job } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import type { Caches } from "./Caches.ts"

/** What becomes of a Job whose end is in the status. */
export type Release =
  /** It never started: it is deleted, unless a container starts at this very moment. */
  | { readonly _tag: "NeverStarted" }
  /** Kubernetes cannot end it: it is deleted. */
  | { readonly _tag: "Stuck" }
  /** It gets its time to live. */
  | { readonly _tag: "Keep"; readonly ttlSecondsAfterFinished: number }

/** Lets go of a Job whose end is in the status. */
export const release = Effect.fn("JobRelease.release")(function* (
  caches: Pick<Caches, "learnJob">,
  { metadata }: Job,
  how: Release
): Effect.fn.Return<void, KubernetesError, KubernetesApi> {
  const api = yield* KubernetesApi
  const { deletionTimestamp, name, namespace, resourceVersion, uid } = metadata
  const ref = given({ name, namespace })
  switch (how._tag) {
    case "NeverStarted":
      // A container that starts at this very moment changes the Job, and its pod is gone before the Job is.
      if (deletionTimestamp !== undefined) return
      return yield* api
        .remove(Kind.jobs, ref, given({ propagation: "Foreground" as const, resourceVersion, uid }))
        .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
    case "Stuck":
      return yield* api
        .remove(Kind.jobs, ref, given({ propagation: "Background" as const, uid }))
        .pipe(Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void))
    case "Keep":
      return yield* api
        .patch(Kind.jobs, ref, {
          metadata: { uid },
          spec: { ttlSecondsAfterFinished: how.ttlSecondsAfterFinished }
        })
        .pipe(
          Effect.map((patched) => caches.learnJob(patched)),
          // Deleted meanwhile, or another one of its name: nothing is left to release.
          Effect.catchIf(hasReason("NotFound", "Conflict"), () => Effect.void)
        )
  }
})
