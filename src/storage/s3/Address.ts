import { isIP } from "node:net"
import * as Address from "../cloud/Address.ts"
import * as KeyRules from "../KeyRules.ts"
import type { S3Target } from "../StorageTarget.ts"

/** Why a name cannot be a bucket, or undefined. Source: Amazon S3 user guide, general purpose bucket naming rules. */
const bucketRefusal = (bucket: string): string | undefined => {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u.test(bucket)) {
    return "a bucket name has 3 to 63 lower-case letters, digits, dots and dashes, and begins and ends with a letter or digit"
  }
  if (bucket.includes("..")) return "a bucket name must not contain two consecutive dots"
  if (isIP(bucket) !== 0) return "a bucket name must not look like an IP address"
  return undefined
}

/** Why the target cannot be opened as configured, before any request is made. */
export const refusal = (target: S3Target): string | undefined => {
  const bucket = bucketRefusal(target.bucket)
  if (bucket !== undefined) return `bucket ${KeyRules.shown(target.bucket)}: ${bucket}`
  if (target.region.trim() === "") return "the region is empty"
  const prefix = Address.prefixRefusal(Address.prefixOf(target))
  if (prefix !== undefined || target.endpoint === undefined) return prefix
  return Address.endpointRefusal(target.endpoint)
}

/** For people: `s3 bucket kafka-backups, prefix production/hourly`. */
export const location = (target: S3Target): string => {
  const prefix = Address.prefixOf(target)
  return `s3 bucket ${target.bucket}${prefix === "" ? "" : `, prefix ${prefix}`}`
}
