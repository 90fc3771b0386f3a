import type { HeadObjectCommandOutput } from "@aws-sdk/client-s3"
import { Clock, Effect } from "effect"
import type * as Remote from "../cloud/Remote.ts"
import * as Storing from "../cloud/Storing.ts"
import type { Protection } from "../Protection.ts"
import { type ObjectStoreError, type ObjectStoreReason, StorageAuthorizationFailed } from "../ObjectStoreError.ts"
import type { Connection } from "./Connection.ts"

/*
 * What a bucket makes of removed objects. S3 deletes a locked object by hiding it behind a delete marker: only whoever
 * looks before knows that its bytes stay. The bucket is asked once whether it locks at all; objects are looked at only
 * where it may.
 */

/** True, false, or nobody knows: the identity may not ask, or the server has no such question. */
type Known = "yes" | "no" | "unknown"

export interface Locks extends Remote.Locks {
  /** What every answer of the store may tell: it has versions, or has none. */
  readonly heard: <A extends { readonly VersionId?: string | undefined }>(answer: A) => A
}

const advice =
  "align the lock with the retention of backups; the object goes with the first retention after its lock has ended"

/** The end of a retention, and a hold, of an object as HEAD describes it. */
export const ofHead = (
  head: Pick<HeadObjectCommandOutput, "ObjectLockLegalHoldStatus" | "ObjectLockRetainUntilDate">,
  nowMillis: number
): Protection | undefined =>
  Storing.protection(head.ObjectLockRetainUntilDate?.getTime(), head.ObjectLockLegalHoldStatus === "ON", nowMillis)

/** The same as a part of what is found. */
export const found = (...args: Parameters<typeof ofHead>): { readonly protection?: Protection } => {
  const protection = ofHead(...args)
  return protection === undefined ? {} : { protection }
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : "")

/** `isAsked`: the resource asks for locks, so there may be some whatever the bucket says. */
export const make = Effect.fnUntraced(function* (
  { client, sdk }: Connection,
  bucket: string,
  isAsked: boolean,
  head: (name: string) => Effect.Effect<HeadObjectCommandOutput, ObjectStoreError>,
  send: <A>(request: (signal: AbortSignal) => Promise<A>) => Effect.Effect<A, ObjectStoreError>,
  fail: (reason: ObjectStoreReason) => ObjectStoreError
) {
  let versions: Known = "unknown"
  const heard: Locks["heard"] = (answer) => {
    // The null version stands in a bucket whose versioning is suspended: what is written now replaces it.
    if (answer.VersionId !== undefined && answer.VersionId !== "null") versions = "yes"
    return answer
  }

  const orUnknown = (asked: Effect.Effect<Known, ObjectStoreError>) =>
    Effect.cached(Effect.orElseSucceed(asked, (): Known => "unknown"))

  const locks = yield* orUnknown(
    send((abortSignal) =>
      client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket: bucket }), { abortSignal }).then(
        ({ ObjectLockConfiguration }): Known =>
          ObjectLockConfiguration?.ObjectLockEnabled === "Enabled" ? "yes" : "no",
        (error: unknown): Known => {
          if (nameOf(error) === "ObjectLockConfigurationNotFoundError") return "no"
          throw error
        }
      )
    )
  )

  const versioning = yield* orUnknown(
    send((abortSignal) =>
      client
        .send(new sdk.GetBucketVersioningCommand({ Bucket: bucket }), { abortSignal })
        .then(({ Status }): Known => (Status === "Enabled" ? "yes" : "no"))
    )
  )

  /**
   * HEAD keeps silent about a lock before an identity that may not see it, so one object is asked for it by name. Only
   * a refusal says no: whatever else goes wrong says nothing of rights.
   */
  const maySee = (command: (name: string, abortSignal: AbortSignal) => Promise<unknown>) => {
    let answer: boolean | undefined
    return Effect.fnUntraced(function* (name: string) {
      answer ??= yield* send((abortSignal) =>
        command(name, abortSignal).then(
          () => true,
          (error: unknown) => nameOf(error) !== "AccessDenied"
        )
      )
      return answer
    })
  }
  const maySeeRetention = maySee((Key, abortSignal) =>
    client.send(new sdk.GetObjectRetentionCommand({ Bucket: bucket, Key }), { abortSignal })
  )
  const maySeeHold = maySee((Key, abortSignal) =>
    client.send(new sdk.GetObjectLegalHoldCommand({ Bucket: bucket, Key }), { abortSignal })
  )
  let isBlindToHolds = false

  const protection: Locks["protection"] = Effect.fnUntraced(function* (name) {
    const mayLock = isAsked ? "yes" : yield* locks
    if (mayLock === "no") return undefined
    const seen = heard(yield* head(name))
    const found = ofHead(seen, yield* Clock.currentTimeMillis)
    if (found !== undefined) return found
    // A lock needs versions, and an object without one was never locked.
    if (mayLock === "unknown" && (seen.VersionId === undefined || seen.VersionId === "null")) return undefined
    if (seen.ObjectLockRetainUntilDate === undefined && !(yield* maySeeRetention(name)))
      return yield* fail(
        new StorageAuthorizationFailed({
          detail: `bucket ${bucket} ${mayLock === "yes" ? "can lock objects" : "has versions and may lock objects"}, and this identity may not see which ones are locked`,
          isUnseen: true,
          advice:
            mayLock === "yes"
              ? `allow s3:GetObjectRetention on the objects of bucket ${bucket}: a locked object would be hidden and not removed`
              : `allow s3:GetBucketObjectLockConfiguration on bucket ${bucket}, and if it has object lock also s3:GetObjectRetention on its objects: a locked object would be hidden and not removed`
        })
      )
    if (seen.ObjectLockLegalHoldStatus === undefined && !(yield* maySeeHold(name))) isBlindToHolds = true
    return undefined
  })

  const afterlife = Effect.gen(function* () {
    const has = versions === "yes" ? versions : yield* versioning
    if (has !== "yes") return undefined
    return `the bucket keeps them as noncurrent versions until its lifecycle rules remove them${isBlindToHolds ? "; those under a legal hold stay as long as it lasts, and this identity may not see which ones (s3:GetObjectLegalHold)" : ""}`
  })
  return { heard, protection, advice, afterlife } satisfies Locks as Locks
})
