import type { BlobGetPropertiesResponse, ContainerClient } from "@azure/storage-blob"
import { Clock, Effect } from "effect"
import type * as Remote from "../cloud/Remote.ts"
import * as Storing from "../cloud/Storing.ts"
import type { Protection } from "../Protection.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"

/*
 * What a container makes of removed blobs. A policy or hold of the container makes the service refuse. A policy or hold
 * of one version (version-level immutability) does not: the blob becomes an earlier version, and that is "deleted".
 * The container is asked once whether it has such; blobs are looked at only where it may.
 */

export interface Locks extends Remote.Locks {
  /** What every answer may tell: the account has versions. */
  readonly heard: <A extends { readonly versionId?: string | undefined }>(answer: A) => A
  /** What the answer to a deletion tells: whether the blob is gone for good. */
  readonly deleted: (typePermanent: string | undefined) => void
}

const advice =
  "align the immutability policy with the retention of backups; the blob goes with the first retention after the policy has ended"

type Properties = Pick<BlobGetPropertiesResponse, "immutabilityPolicyExpiresOn" | "legalHold" | "versionId">

export const ofProperties = (
  { immutabilityPolicyExpiresOn, legalHold }: Properties,
  nowMillis: number
): Protection | undefined => Storing.protection(immutabilityPolicyExpiresOn?.getTime(), legalHold === true, nowMillis)

/** `isAsked`: the resource asks for policies, so there may be some whatever the container says. */
export const make = Effect.fnUntraced(function* (
  container: ContainerClient,
  isAsked: boolean,
  properties: (name: string) => Effect.Effect<Properties, ObjectStoreError>,
  send: <A>(request: (signal: AbortSignal) => Promise<A>) => Effect.Effect<A, ObjectStoreError>
) {
  let isVersioned = false
  let isSoft = false
  const heard: Locks["heard"] = (answer) => {
    if (answer.versionId !== undefined) isVersioned = true
    return answer
  }
  // A SAS token of a container may not ask for its properties.
  const mayLock = yield* Effect.cached(
    send((abortSignal) => container.getProperties({ abortSignal })).pipe(
      Effect.map((found) => found.isImmutableStorageWithVersioningEnabled !== false),
      Effect.orElseSucceed(() => true)
    )
  )
  const protection: Locks["protection"] = Effect.fnUntraced(function* (name) {
    if (!isAsked && !(yield* mayLock)) return undefined
    return ofProperties(heard(yield* properties(name)), yield* Clock.currentTimeMillis)
  })
  const kept = [
    ["as earlier versions until a lifecycle rule removes them", () => isVersioned],
    ["until the days of soft delete are over", () => isSoft]
  ] as const
  const afterlife = Effect.sync(() => {
    const how = kept.flatMap(([text, applies]) => (applies() ? [text] : []))
    return how.length === 0 ? undefined : `the account keeps them ${how.join(", and ")}`
  })
  return {
    heard,
    deleted: (typePermanent) => {
      if (typePermanent === "false") isSoft = true
    },
    protection,
    advice,
    afterlife
  } satisfies Locks as Locks
})
