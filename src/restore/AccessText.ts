import type { Acl, Quota } from "../kafka/AccessRules.ts"
import type { DifferentQuota } from "./AclMapping.ts"
import type { StoredUser } from "../manifest/ClusterMetadata.ts"

/* ACLs, quotas and users in words for people. Pure. */

/** `Allow User:alice Read on topic orders`. */
export const ofAcl = ({ host, name, operation, permission, principal, resource }: Acl): string =>
  `${permission} ${principal} ${operation} on ${resource} ${name}${host === "*" ? "" : ` from ${host}`}`

const whose = (entity: Quota["entity"]): string =>
  entity.map(({ name, type }) => (name === null ? `every other ${type}` : `${type} ${name}`)).join(", ")

/** `consumer_byte_rate 1048576 of user alice`. */
export const ofQuota = ({ entity, values }: Quota): string =>
  `${Object.entries(values)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ")} of ${whose(entity)}`

/** `consumer_byte_rate of user alice is 999 in the cluster and 1048576 in the backup`. */
export const ofDifferentQuota = ({ backup, cluster, entity }: DifferentQuota): string =>
  Object.keys(backup)
    .map((key) => `${key} of ${whose(entity)} is ${cluster[key]} in the cluster and ${backup[key]} in the backup`)
    .join(", ")

/** `alice (SCRAM-SHA-512)`. */
export const ofUser = ({ mechanisms, name }: StoredUser): string => `${name} (${mechanisms.join(", ")})`

/** `1 ACL`, `2 ACLs`. */
export const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`
