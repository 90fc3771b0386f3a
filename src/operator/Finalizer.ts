import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import { given } from "../resource/Json.ts"
import type { Caches } from "./Caches.ts"
import * as Labels from "./Labels.ts"
import type { Observed } from "./Observed.ts"

/**
 * Adds the finalizer to a resource whose backups are removed with it, and takes it off one whose backups are kept. An
 * invalid spec changes nothing: what the spec asked for before it became invalid still counts. With the resourceVersion
 * in the patch, finalizers of others are never lost.
 */
export const keep = Effect.fn("Finalizer.keep")(function* (
  caches: Caches,
  { backup, name, namespace, resource, uid }: Observed
): Effect.fn.Return<void, KubernetesError, KubernetesApi> {
  if (backup === undefined) return
  const { finalizers = [], resourceVersion } = resource.metadata
  const isHeld = finalizers.includes(Labels.finalizer)
  const isWanted = backup.spec.deletionPolicy === "Delete"
  if (isHeld === isWanted) return
  const api = yield* KubernetesApi
  const patched = yield* api.patch(
    Kind.kafkaBackups,
    { namespace, name },
    {
      metadata: given({
        uid,
        resourceVersion,
        finalizers: isWanted
          ? [...finalizers, Labels.finalizer]
          : finalizers.filter((finalizer) => finalizer !== Labels.finalizer)
      })
    }
  )
  caches.resources.learn(patched)
})
