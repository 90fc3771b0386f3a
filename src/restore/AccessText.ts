import type { Acl, Quota } from "../kafka/AccessRules.ts"
import type { StoredUser } from "../manifest/ClusterMetadata.ts"

/* ACLs, quotas and users in words for people. Pure. */

/** `Allow User:alice Read on topic orders`. */
export const ofAcl = ({ host, name, operation, permission, principal, resource }: Acl): string =>
  `${permission} ${principal} ${operation} on ${resource} ${name}${host === "*" ? "" : ` from ${host}`}`

/** `consumer_byte_rate 1048576 of user alice`. */
export const ofQuota = ({ entity, values }: Quota): string => {
  const whose = entity.map(({ name, type }) => (name === null ? `every other ${type}` : `${type} ${name}`)).join(", ")
  return `${Object.entries(values)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ")} of ${whose}`
}

/** `alice (SCRAM-SHA-512)`. */
export const ofUser = ({ mechanisms, name }: StoredUser): string => `${name} (${mechanisms.join(", ")})`

/** `1 ACL`, `2 ACLs`. */
export const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`
