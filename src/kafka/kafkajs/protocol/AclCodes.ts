import { type Acl, type AclOperation, aclOperations } from "../../AccessRules.ts"

/*
 * Numbers of ACLs on the wire. Source: Apache Kafka, `ResourceType`, `PatternType`, `AclOperation` and
 * `AclPermissionType`. 1 is "any" in a filter, for all of them.
 */

export const any = 1

const resources = { topic: 2, group: 3 } as const
const patterns = { literal: 3, prefixed: 4 } as const
const permissions = { Deny: 2, Allow: 3 } as const
/** The first operation has this number, and the others follow. */
const firstOperation = 2

const nameOf = <K extends string>(codes: Readonly<Record<K, number>>, code: number): K | undefined =>
  (Object.keys(codes) as Array<K>).find((name) => codes[name] === code)

export const resource = (name: Acl["resource"]): number => resources[name]
export const pattern = (name: Acl["pattern"]): number => patterns[name]
export const permission = (name: Acl["permission"]): number => permissions[name]
export const operation = (name: AclOperation): number => aclOperations.indexOf(name) + firstOperation

/** The name of a number; undefined for one of a later Kafka, and of other resources. */
export const resourceOf = (code: number) => nameOf(resources, code)
export const patternOf = (code: number) => nameOf(patterns, code)
export const permissionOf = (code: number) => nameOf(permissions, code)
export const operationOf = (code: number): AclOperation | undefined => aclOperations[code - firstOperation]
