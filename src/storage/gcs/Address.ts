import * as Address from "../cloud/Address.ts"
import * as KeyRules from "../KeyRules.ts"
import type { GcsTarget } from "../StorageTarget.ts"

/** What the environment may say. */
export interface Environment {
  /** Address of an emulator, as all of Google's clients understand it: `host:port` or `http://host:port`. */
  readonly STORAGE_EMULATOR_HOST?: string | undefined
  /** Path of a credentials file, for Google's libraries. */
  readonly GOOGLE_APPLICATION_CREDENTIALS?: string | undefined
  /** Another address of the metadata server, for Google's libraries. */
  readonly GCE_METADATA_HOST?: string | undefined
  /** Kubernetes sets it in every pod. */
  readonly KUBERNETES_SERVICE_HOST?: string | undefined
}

/** True when we must say who we are: always to Google, to an emulator when the environment says how. */
export const isAuthenticated = (env: Environment): boolean =>
  emulator(env) === undefined || Boolean(env.GOOGLE_APPLICATION_CREDENTIALS || env.GCE_METADATA_HOST)

/** The emulator's address without a slash at its end; undefined when the real service is meant. */
export const emulator = ({ STORAGE_EMULATOR_HOST: host }: Environment): string | undefined =>
  host ? (/^https?:\/\//u.test(host) ? host : `http://${host}`).replace(/\/+$/u, "") : undefined

/** Address of the service. */
export const service = (env: Environment): string => emulator(env) ?? "https://storage.googleapis.com"

/** Why a name cannot be a bucket, or undefined. Source: Google Cloud Storage documentation, bucket names. */
const bucketRefusal = (bucket: string): string | undefined => {
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/u.test(bucket)) {
    return "the name of a bucket has 3 to 222 lower-case letters, digits, dashes, underscores and dots"
  }
  if (bucket.includes("..")) return "the name of a bucket must not contain two consecutive dots"
  return bucket.split(".").some((part) => part.length > 63)
    ? "each part of a bucket name between dots has at most 63 characters"
    : undefined
}

/** Why the target cannot be opened as configured, before any request is made. */
export const refusal = (target: GcsTarget, env: Environment): string | undefined => {
  const bucket = bucketRefusal(target.bucket)
  if (bucket !== undefined) return `bucket ${KeyRules.shown(target.bucket)}: ${bucket}`
  return Address.prefixRefusal(Address.prefixOf(target)) ?? Address.endpointRefusal(service(env))
}

/** For people: `gcs bucket kafka-backups, prefix production/hourly`. */
export const location = (target: GcsTarget): string => {
  const prefix = Address.prefixOf(target)
  return `gcs bucket ${target.bucket}${prefix === "" ? "" : `, prefix ${prefix}`}`
}
