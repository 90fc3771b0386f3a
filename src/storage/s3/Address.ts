import { isIP } from "node:net"
import * as KeyRules from "../KeyRules.ts"
import type { S3Target } from "../StorageTarget.ts"

/** Why a name cannot be a bucket, or undefined. Source: Amazon S3 user guide, general purpose bucket naming rules. */
const bucketRefusal = (bucket: string): string | undefined => {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/u.test(bucket)) {
    return "a bucket name has 3 to 63 lower-case letters, digits, dots and dashes, and begins and ends with a letter or digit"
  }
  if (bucket.includes("..")) return "a bucket name has no two dots in a row"
  if (isIP(bucket) !== 0) return "a bucket name does not look like an IP address"
  return undefined
}

/** Why a URL cannot be an endpoint, or undefined. Addresses of cloud metadata services are never stores. */
const endpointRefusal = (endpoint: string): string | undefined => {
  if (!URL.canParse(endpoint)) return "it is not a URL such as https://host:port"
  const url = new URL(endpoint)
  if (url.protocol !== "http:" && url.protocol !== "https:") return "it must begin with http:// or https://"
  if (url.username !== "" || url.password !== "") return "credentials do not belong into the URL: name a Secret"
  if (url.search !== "" || url.hash !== "") return "it must not have a query or a fragment"
  const host = url.hostname.replace(/^\[|\]$/gu, "")
  if (
    host.startsWith("169.254.") ||
    /^fe[89ab]/iu.test(host) ||
    /^::ffff:a9fe:/iu.test(host) ||
    /^fd00:ec2::/iu.test(host)
  ) {
    return "link-local addresses are not allowed"
  }
  return undefined
}

/** The key prefix without slashes around it; empty for the bucket's root. */
export const prefixOf = (target: Pick<S3Target, "prefix">): string => (target.prefix ?? "").replace(/^\/+|\/+$/gu, "")

/** Why the target cannot be opened as configured, before any request is made. */
export const refusal = (target: S3Target): string | undefined => {
  const bucket = bucketRefusal(target.bucket)
  if (bucket !== undefined) return `bucket ${KeyRules.shown(target.bucket)}: ${bucket}`
  const prefix = prefixOf(target)
  const path = prefix === "" ? undefined : KeyRules.refusal(prefix)
  if (path !== undefined) return `prefix ${KeyRules.shown(prefix)}: ${path}`
  if (target.region.trim() === "") return "the region is empty"
  const endpoint = target.endpoint === undefined ? undefined : endpointRefusal(target.endpoint)
  // The URL itself is not shown: it may carry a password.
  return endpoint === undefined ? undefined : `the endpoint is not usable: ${endpoint}`
}

/** For people: `s3 bucket kafka-backups, prefix production/hourly`. */
export const location = (target: S3Target): string => {
  const prefix = prefixOf(target)
  return `s3 bucket ${target.bucket}${prefix === "" ? "" : `, prefix ${prefix}`}`
}
