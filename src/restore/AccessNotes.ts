import type { AccessDone, Added, PreparedAccess } from "./Access.ts"
import * as AclMapping from "./AclMapping.ts"
import type { DifferentQuota } from "./AclMapping.ts"
import * as AccessText from "./AccessText.ts"

/* What is to be known of ACLs, quotas and users before and after a restore, for people. Pure. */

/** Refusals that are named one by one. */
const mostNamed = 10

const addedOf = <A>(one: string, added: Added<A> | undefined, textOf: (what: A) => string): ReadonlyArray<string> => {
  if (added === undefined) return []
  const { created, existing, refused } = added
  const was = (count: number) => `${AccessText.counted(count, one)} ${count === 1 ? "was" : "were"}`
  const more = refused.length - mostNamed
  return [
    `${was(created.length)} created and read back, and ${existing} ${existing === 1 ? "was" : "were"} there before`,
    ...refused.slice(0, mostNamed).map(({ reason, what }) => `this ${one} was not created: ${textOf(what)}: ${reason}`),
    ...(more > 0 ? [`${was(more)} not created either`] : [])
  ]
}

/** ACLs that the cluster has the opposite of: both are there in the end. */
const opposedOf = ({ acls }: PreparedAccess): ReadonlyArray<string> => {
  const { length } = acls?.opposed ?? []
  if (length === 0) return []
  const more = length > mostNamed ? `; and ${length - mostNamed} more` : ""
  const named = acls!.opposed.slice(0, mostNamed).map(AccessText.ofAcl)
  return [
    `the cluster has the opposite of ${AccessText.counted(length, "ACL")} of the backup, which stays, and what denies wins: ${named.join("; ")}${more}`
  ]
}

/** Quotas that the cluster has with other values: nothing is overwritten. */
const differentOf = (different: ReadonlyArray<DifferentQuota>): ReadonlyArray<string> => {
  const { length } = different
  if (length === 0) return []
  const more = length > mostNamed ? `; and ${length - mostNamed} more, which the report lists` : ""
  const named = different.slice(0, mostNamed).map(AccessText.ofDifferentQuota)
  return [
    `${AccessText.counted(length, "client quota")} of the backup ${length === 1 ? "has another value" : "have other values"} in the cluster, and nothing is overwritten: ${named.join("; ")}${more}`
  ]
}

const users = ({ users: some }: PreparedAccess): ReadonlyArray<string> =>
  some.length === 0
    ? []
    : [
        `a backup has no passwords: make these users with a password, unless they are there already: ${some.map(AccessText.ofUser).join("; ")}`
      ]

const doneBefore = "an earlier attempt has created the ACLs and quotas of the backup, and they were left as they are"

/** Of a restore that is complete. `wereAdded`: an earlier attempt has added everything. */
export const done = (
  prepared: PreparedAccess | undefined,
  access: AccessDone | undefined,
  wereAdded: boolean
): ReadonlyArray<string> => {
  if (prepared === undefined) return []
  if (wereAdded) return [doneBefore]
  return [
    ...prepared.notes,
    ...addedOf("ACL", access?.acls, AccessText.ofAcl),
    ...(access?.acls === undefined ? [] : opposedOf(prepared)),
    ...addedOf("client quota", access?.quotas, AccessText.ofQuota),
    ...differentOf(access?.quotas?.different ?? []),
    ...users(prepared)
  ]
}

/** What a dry run lists one by one; the JSON output has all. */
const mostListed = 50

const countOf = (one: string, { missing, wanted }: Kind<unknown>, there = wanted.length - missing.length): string => {
  const would = `${AccessText.counted(missing.length, one)} would be created`
  return `${would}; ${there} more of the backup ${there === 1 ? "is" : "are"} there already`
}

interface Kind<A> {
  readonly wanted: ReadonlyArray<unknown>
  readonly missing: ReadonlyArray<A>
}

const countOfQuotas = (quotas: NonNullable<PreparedAccess["quotas"]>): string =>
  countOf("client quota", quotas, AclMapping.sameQuotas(quotas.wanted, quotas.missing, quotas.different))

const listed = <A>(count: string, kind: Kind<A>, textOf: (what: A) => string): ReadonlyArray<string> => {
  const more = kind.missing.length - mostListed
  return [
    count,
    ...kind.missing.slice(0, mostListed).map((what) => `  ${textOf(what)}`),
    ...(more > 0 ? [`  and ${more} more, which --output json lists`] : [])
  ]
}

/** Of a dry run, one line for each ACL and quota. */
export const planned = (prepared: PreparedAccess | undefined, wereAdded: boolean): ReadonlyArray<string> => {
  if (prepared === undefined) return []
  if (wereAdded) return [`Note: ${doneBefore}`]
  const { acls, quotas } = prepared
  return [
    ...(acls === undefined ? [] : listed(countOf("ACL", acls), acls, AccessText.ofAcl)),
    ...(quotas === undefined ? [] : listed(countOfQuotas(quotas), quotas, AccessText.ofQuota)),
    ...[...opposedOf(prepared), ...differentOf(quotas?.different ?? []), ...prepared.notes, ...users(prepared)].map(
      (note) => `Note: ${note}`
    )
  ]
}

/** The same in numbers, for a status. */
export const counts = (prepared: PreparedAccess | undefined, wereAdded: boolean): ReadonlyArray<string> => {
  if (prepared === undefined) return []
  if (wereAdded) return [doneBefore]
  const { acls, notes, quotas } = prepared
  return [
    ...(acls === undefined ? [] : [countOf("ACL", acls)]),
    ...opposedOf(prepared),
    ...(quotas === undefined ? [] : [countOfQuotas(quotas)]),
    ...differentOf(quotas?.different ?? []),
    ...notes,
    ...users(prepared)
  ]
}
