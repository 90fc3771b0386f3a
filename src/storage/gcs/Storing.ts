import { Option, Schema } from "effect"
import * as Storing from "../cloud/Storing.ts"
import type { ObjectRole } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreReason, StorageAuthorizationFailed } from "../ObjectStoreError.ts"
import type { GcsTarget } from "../StorageTarget.ts"

type Settings = Pick<GcsTarget, "kmsKeyName" | "lock" | "storageClass">

/** What an upload asks for beside storing the bytes: in words, and the key. */
export const asked = ({ kmsKeyName, lock, storageClass }: Settings) => {
  const storing = Storing.text([
    ["storageClass", storageClass],
    ["kmsKeyName", kmsKeyName],
    ["objectRetention", Storing.lockText(lock)]
  ])
  return {
    ...(storing === undefined ? {} : { storing }),
    ...(kmsKeyName === undefined ? {} : { kmsKeyName })
  }
}

/** What the resource of the object says beside its name; class and lock are for data. */
export const resource = (
  { lock, storageClass }: Settings,
  role: ObjectRole | undefined,
  nowMillis: number
): Readonly<Record<string, unknown>> => {
  const until = Storing.lockedUntil(lock, role, nowMillis)
  return {
    ...(storageClass === undefined || role === undefined ? {} : { storageClass }),
    ...(lock === undefined || until === undefined
      ? {}
      : { retention: { mode: lock.mode, retainUntilTime: new Date(until).toISOString() } })
  }
}

/** For the address of an upload; the key is for every object. */
export const query = ({ kmsKeyName }: Settings): Readonly<Record<string, string>> =>
  kmsKeyName === undefined ? {} : { kmsKeyName }

const Stored = Schema.Struct({
  storageClass: Schema.optionalKey(Schema.String),
  kmsKeyName: Schema.optionalKey(Schema.String),
  retention: Schema.optionalKey(
    Schema.Struct({ mode: Schema.optionalKey(Schema.String), retainUntilTime: Schema.optionalKey(Schema.String) })
  )
})

/** How an object is stored, as its resource says it. */
export type Stored = typeof Stored.Type

/** What we ask for of the resource to know. */
export const fields = "storageClass,kmsKeyName,retention"

const decoded = Schema.decodeUnknownOption(Schema.fromJsonString(Stored))

/** Nothing is known of what does not say so. */
export const decode = (text: string): Stored => Option.getOrElse(decoded(text), (): Stored => ({}))

/** Why a test object is not stored as was asked for. The service names the version of the key, too. */
export const disproved = ({ kmsKeyName, lock, storageClass }: Settings, found: Stored): ObjectStoreReason | undefined =>
  Storing.disproved([
    {
      field: "storageClass",
      asked: storageClass,
      found: found.storageClass,
      advice: "choose a storage class that the store has, or remove storageClass"
    },
    {
      field: "kmsKeyName",
      asked: kmsKeyName,
      found: found.kmsKeyName?.replace(/\/cryptoKeyVersions\/\d+$/u, ""),
      advice: "use a store that encrypts with keys of Cloud KMS, or remove kmsKeyName"
    },
    {
      field: "objectRetention",
      asked: lock?.mode,
      found: found.retention?.mode,
      advice: "enable object retention on the bucket, or remove objectRetention"
    }
  ])

/** What refusals mean that come of these settings. Undefined where the refusal is about something else. */
export const refusal = (
  { message, status }: { readonly message: string; readonly status?: number },
  { kmsKeyName, storing }: { readonly kmsKeyName?: string; readonly storing?: string },
  operation: string,
  detail: string
): ObjectStoreReason | undefined => {
  if (/cloudkms|KMS|encryption key/u.test(message) && (status === 403 || status === 400 || status === 404)) {
    const key = kmsKeyName === undefined ? "the bucket's key" : `key ${kmsKeyName}`
    const advice = `grant the bucket's service agent the role Cloud KMS CryptoKey Encrypter/Decrypter on ${key}, which must exist in the bucket's location and be enabled`
    return new StorageAuthorizationFailed({ detail, advice })
  }
  if (operation !== "put" || storing === undefined) return undefined
  if (/storage\.objects\.setRetention/u.test(message)) {
    const advice =
      "grant storage.objects.setRetention on the bucket (objectRetention needs it) in a role of your own: Storage Admin has it, too, and much more"
    return new StorageAuthorizationFailed({ detail, advice })
  }
  return status === 400 && !/md5|crc32c|checksum|hash/iu.test(message)
    ? new Misconfigured({
        detail,
        advice: `the bucket may not take what is asked of it: ${storing}; enable it there (objectRetention needs object retention on the bucket), or correct or remove it`
      })
    : undefined
}
