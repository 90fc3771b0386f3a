import type { HeadObjectCommandOutput, PutObjectCommandInput } from "@aws-sdk/client-s3"
import * as Storing from "../cloud/Storing.ts"
import type { ObjectRole } from "../ObjectStore.ts"
import type { ObjectStoreReason } from "../ObjectStoreError.ts"
import type { S3Target, Tags } from "../StorageTarget.ts"

type Settings = Pick<S3Target, "encryption" | "lock" | "storageClass" | "tags">

const encryptionText = ({ encryption }: Settings) =>
  encryption === undefined
    ? undefined
    : `${encryption.algorithm}${encryption.kmsKeyId === undefined ? "" : ` with key ${encryption.kmsKeyId}`}`

/** Every thing that a put asks for beside storing the bytes, by the name of its field. */
const asked = (target: Settings): ReadonlyArray<Storing.Asked> => [
  ["serverSideEncryption", encryptionText(target)],
  ["storageClass", target.storageClass],
  ["objectLock", Storing.lockText(target.lock)],
  ["tags", target.tags === undefined ? undefined : Object.keys(target.tags).join(" and ")]
]

export const text = (target: Settings): string | undefined => Storing.text(asked(target))

const tagging = (tags: Tags): string =>
  Object.entries(tags)
    .map((pair) => pair.map(encodeURIComponent).join("="))
    .join("&")

/** What goes along with the content. Encryption and tags are for every object, class and lock for data. */
export const input = (
  { encryption, lock, storageClass, tags }: Settings,
  role: ObjectRole | undefined,
  nowMillis: number
): Partial<PutObjectCommandInput> => {
  const until = Storing.lockedUntil(lock, role, nowMillis)
  return {
    ...(encryption === undefined ? {} : { ServerSideEncryption: encryption.algorithm }),
    ...(encryption?.kmsKeyId === undefined ? {} : { SSEKMSKeyId: encryption.kmsKeyId }),
    ...(storageClass === undefined || role === undefined
      ? {}
      : { StorageClass: storageClass as NonNullable<PutObjectCommandInput["StorageClass"]> }),
    ...(tags === undefined ? {} : { Tagging: tagging(tags) }),
    ...(lock === undefined || until === undefined
      ? {}
      : {
          ObjectLockMode: lock.mode,
          ObjectLockRetainUntilDate: new Date(until),
          // S3 wants to hear which checksum comes with an object that is to be locked.
          ChecksumAlgorithm: "SHA256" as const
        })
  }
}

/** Why a test object is not stored as was asked for. An absent class means STANDARD. */
export const disproved = (
  { encryption, lock, storageClass }: Settings,
  head: HeadObjectCommandOutput
): ObjectStoreReason | undefined =>
  Storing.disproved([
    {
      field: "serverSideEncryption",
      asked: encryption?.algorithm,
      found: head.ServerSideEncryption,
      advice: "use a store that encrypts, or remove serverSideEncryption"
    },
    {
      field: "storageClass",
      asked: storageClass,
      found: head.StorageClass ?? "STANDARD",
      advice: "choose a storage class that the store has, or remove storageClass"
    },
    {
      field: "objectLock",
      asked: lock?.mode,
      found: head.ObjectLockRetainUntilDate === undefined ? undefined : head.ObjectLockMode,
      advice: "allow s3:GetObjectRetention, without which nobody sees a lock, and use a store that has object lock"
    }
  ])
