import type { AccessOutcome, Acl } from "../../AccessRules.ts"
import * as AclCodes from "./AclCodes.ts"
import type { Api, Call } from "./Api.ts"
import { Malformed, type Reader } from "./Reader.ts"

/** 1 is the first with prefixed patterns (KIP-290), Kafka 2.0. */
export const api: Api = { key: 30, name: "CreateAcls", minVersion: 1, maxVersion: 3, flexibleFrom: 2 }

const outcomes = (r: Reader, expected: number): ReadonlyArray<AccessOutcome> => {
  r.int32()
  const found = r.array(3, () => {
    const errorCode = r.int16()
    const detail = r.nullableString()
    r.tags()
    return { errorCode, detail }
  })
  r.tags()
  if (found.length !== expected) throw new Malformed(`${found.length} answers to ${expected} ACLs`)
  return found
}

/** One outcome for each, in their order. */
export const call = (acls: ReadonlyArray<Acl>, version: number): Call<ReadonlyArray<AccessOutcome>> => ({
  api,
  version,
  encode: (w) => {
    w.arrayLength(acls.length)
    for (const { host, name, operation, pattern, permission, principal, resource } of acls) {
      w.int8(AclCodes.resource(resource)).string(name).int8(AclCodes.pattern(pattern))
      w.string(principal)
        .string(host)
        .int8(AclCodes.operation(operation))
        .int8(AclCodes.permission(permission))
        .noTags()
    }
    w.noTags()
  },
  decode: (r) => outcomes(r, acls.length)
})

/**
 * Asks for an ACL without a name, which every broker refuses, after it has looked at the permission to create any. The
 * code tells which of the two it refused.
 */
export const question = (version: number): Call<number> => {
  const nameless: Acl = {
    resource: "topic",
    name: "",
    pattern: "literal",
    principal: "User:kafka-backup",
    host: "*",
    operation: "Describe",
    permission: "Allow"
  }
  const asked = call([nameless], version)
  return { ...asked, decode: (r) => asked.decode(r)[0]!.errorCode }
}
