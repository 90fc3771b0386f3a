import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import type { KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import { given } from "../resource/Json.ts"
import { deepEqual } from "../status/deepEqual.ts"

/**
 * Makes the resource's status what it should be, when it is not: server-side apply, then a merge patch that removes the
 * fields of others that are left. Fails with `Conflict` when the resource changed since it was observed: reconcile it
 * again. Gives the resource as it is now; `undefined` when there was nothing to write.
 */
export const write = Effect.fn("StatusWriter.write")(function* (
  resource: KubeObject,
  wanted: object,
  kind: Kind.Kind = Kind.kafkaBackups
): Effect.fn.Return<KubeObject | undefined, KubernetesError, KubernetesApi> {
  if (deepEqual(resource.status, wanted)) return undefined
  const api = yield* KubernetesApi
  const { name, namespace } = resource.metadata
  const ref = given({ name, namespace })
  const applied = yield* api.apply(
    kind,
    {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      // A decision about this version is never written over another version, nor over a successor of the same name.
      metadata: { ...ref, ...version(resource) },
      status: wanted
    },
    "status"
  )
  const rest = difference(applied.status, wanted)
  if (rest === undefined) return applied
  return yield* api.patch(kind, ref, { metadata: version(applied), status: rest }, "status")
})

/** Under `/status` the API server checks the resourceVersion and not the uid. */
const version = ({ metadata: { resourceVersion } }: KubeObject) => given({ resourceVersion })

/** The merge patch (RFC 7396) that makes `from` into `to`; `undefined` when they are the same. */
export const difference = (from: unknown, to: unknown): unknown => {
  if (deepEqual(from, to)) return undefined
  if (!isMap(from) || !isMap(to)) return to
  const patch: Record<string, unknown> = {}
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (to[name] === undefined) {
      if (from[name] !== undefined) patch[name] = null
    } else {
      const part = difference(from[name], to[name])
      if (part !== undefined) patch[name] = part
    }
  }
  return patch
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
