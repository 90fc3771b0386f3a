import type { Acl } from "../../AccessRules.ts"
import * as AclCodes from "./AclCodes.ts"
import type { Api, Call } from "./Api.ts"

/** 1 is the first with prefixed patterns (KIP-290), Kafka 2.0. */
export const api: Api = { key: 29, name: "DescribeAcls", minVersion: 1, maxVersion: 3, flexibleFrom: 2 }

export interface Answer {
  readonly errorCode: number
  readonly detail: string | undefined
  readonly acls: ReadonlyArray<Acl>
  /** ACLs with numbers that are not known. */
  readonly unknown: number
}

/** All ACLs of one kind of resource. */
export const call = (resource: Acl["resource"], version: number): Call<Answer> => ({
  api,
  version,
  encode: (w) => {
    w.int8(AclCodes.resource(resource)).nullableString(undefined).int8(AclCodes.any)
    w.nullableString(undefined).nullableString(undefined).int8(AclCodes.any).int8(AclCodes.any).noTags()
  },
  decode: (r) => {
    r.int32()
    const errorCode = r.int16()
    const detail = r.nullableString()
    const acls: Array<Acl> = []
    let unknown = 0
    r.array(4, () => {
      const kind = AclCodes.resourceOf(r.int8())
      const name = r.string()
      const pattern = AclCodes.patternOf(r.int8())
      r.array(4, () => {
        const principal = r.string()
        const host = r.string()
        const operation = AclCodes.operationOf(r.int8())
        const permission = AclCodes.permissionOf(r.int8())
        r.tags()
        if (kind !== undefined && pattern !== undefined && operation !== undefined && permission !== undefined) {
          acls.push({ resource: kind, name, pattern, principal, host, operation, permission })
        } else unknown++
      })
      r.tags()
    })
    r.tags()
    return { errorCode, detail, acls, unknown }
  }
})
