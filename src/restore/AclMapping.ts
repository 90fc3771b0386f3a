import { type Acl, type AclOperation, aclOperations, keyOfAcl, keyOfQuota, type Quota } from "../kafka/AccessRules.ts"
import type { StoredAcl, StoredQuota, StoredUser } from "../manifest/ClusterMetadata.ts"

/*
 * Which ACLs and quotas of a backup are to be there after a restore. Pure.
 *
 * A pattern of the backup reaches further than a restore does: it becomes one ACL for each name that is restored, which
 * grants and denies the same for these, and nothing for others.
 */

/** What is restored, under its old and its new name. */
export interface Restored {
  readonly topics: ReadonlyArray<{ readonly source: string; readonly target: string }>
  /** Groups with offsets in these topics; they keep their names. */
  readonly groups: ReadonlyArray<string>
}

const isOperation = (name: string): name is AclOperation => (aclOperations as ReadonlyArray<string>).includes(name)

const covers = ({ name, pattern }: StoredAcl, restored: string): boolean =>
  pattern === "prefixed" ? restored.startsWith(name) : name === "*" || name === restored

/** Each once, for all topics and groups that are restored. An operation that this version does not know is left out. */
export const wanted = (stored: ReadonlyArray<StoredAcl>, { groups, topics }: Restored): ReadonlyArray<Acl> => {
  const found = new Map<string, Acl>()
  for (const acl of stored) {
    const { operation } = acl
    if (!isOperation(operation)) continue
    const names =
      acl.resource === "topic"
        ? topics.filter(({ source }) => covers(acl, source)).map(({ target }) => target)
        : groups.filter((group) => covers(acl, group))
    for (const name of names) {
      const one: Acl = { ...acl, operation, name, pattern: "literal" }
      found.set(keyOfAcl(one), one)
    }
  }
  return [...found.values()]
}

/** Those that are not there. */
export const missing = (some: ReadonlyArray<Acl>, there: ReadonlyArray<Acl>): ReadonlyArray<Acl> => {
  const known = new Set(there.map(keyOfAcl))
  return some.filter((acl) => !known.has(keyOfAcl(acl)))
}

/**
 * Those whose very opposite is there, and not in the backup: what one allows, the other denies, and denial wins. Only
 * literal ones of the same principal, host and operation are compared.
 */
export const opposed = (some: ReadonlyArray<Acl>, there: ReadonlyArray<Acl>): ReadonlyArray<Acl> => {
  const known = new Set(there.map(keyOfAcl))
  const own = new Set(some.map(keyOfAcl))
  return some.filter((acl) => {
    const opposite = keyOfAcl({ ...acl, permission: acl.permission === "Allow" ? "Deny" : "Allow" })
    return known.has(opposite) && !own.has(opposite)
  })
}

/** What is not set of each; a value that is set stays, whatever it is. */
export const missingQuotas = (some: ReadonlyArray<StoredQuota>, there: ReadonlyArray<Quota>): ReadonlyArray<Quota> => {
  const known = new Map(there.map((quota) => [keyOfQuota(quota), quota.values]))
  return some.flatMap(({ entity, values }) => {
    const set = known.get(keyOfQuota({ entity })) ?? {}
    const left = Object.entries(values).filter(([key]) => !Object.hasOwn(set, key))
    return left.length === 0 ? [] : [{ entity, values: Object.fromEntries(left) }]
  })
}

/** A quota of the backup that the cluster has with other values, which stay: only these are named, in both. */
export interface DifferentQuota {
  readonly entity: Quota["entity"]
  readonly backup: Quota["values"]
  readonly cluster: Quota["values"]
}

/** Those of which a value is set and is not that of the backup. */
export const differentQuotas = (
  some: ReadonlyArray<StoredQuota>,
  there: ReadonlyArray<Quota>
): ReadonlyArray<DifferentQuota> => {
  const known = new Map(there.map((quota) => [keyOfQuota(quota), quota.values]))
  return some.flatMap(({ entity, values }) => {
    const set = known.get(keyOfQuota({ entity })) ?? {}
    const keys = Object.keys(values).filter((key) => Object.hasOwn(set, key) && set[key] !== values[key])
    const only = (of: Quota["values"]) => Object.fromEntries(keys.map((key) => [key, of[key]!]))
    return keys.length === 0 ? [] : [{ entity, backup: only(values), cluster: only(set) }]
  })
}

/** How many of the backup's quotas are there as the backup has them. */
export const sameQuotas = (
  wanted: ReadonlyArray<StoredQuota>,
  ...others: ReadonlyArray<ReadonlyArray<Pick<Quota, "entity">>>
): number => {
  const left = new Set(others.flat().map(keyOfQuota))
  return wanted.filter((quota) => !left.has(keyOfQuota(quota))).length
}

/**
 * The users with SCRAM passwords that these ACLs or quotas name and the cluster does not have, by name and mechanisms.
 * `there`: those that it has.
 */
export const usersToMake = (
  stored: ReadonlyArray<StoredUser>,
  acls: ReadonlyArray<Acl>,
  quotas: ReadonlyArray<StoredQuota>,
  there: ReadonlySet<string>
): ReadonlyArray<StoredUser> => {
  const named = new Set([
    ...acls.map(({ principal }) => principal),
    ...quotas.flatMap(({ entity }) => entity.flatMap(({ name, type }) => (type === "user" ? [`User:${name}`] : [])))
  ])
  return stored.filter(({ name }) => named.has(`User:${name}`) && !there.has(name))
}
