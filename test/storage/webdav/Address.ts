import type { Redacted } from "effect"
import * as Address from "../../../src/storage/cloud/Address.ts"
import * as KeyRules from "../../../src/storage/KeyRules.ts"
import type { CredentialsOrigin } from "../../../src/storage/StorageTarget.ts"

export interface WebDavTarget {
  readonly _tag: "WebDav"
  readonly endpoint: string
  readonly collection: string
  readonly prefix?: string
  readonly credentials: { readonly token: Redacted.Redacted; readonly origin: CredentialsOrigin }
}

/** Why the target cannot be opened as configured, before any request is made. */
export const refusal = (target: WebDavTarget): string | undefined =>
  /^[a-z-]+$/u.test(target.collection)
    ? (Address.prefixRefusal(Address.prefixOf(target)) ?? Address.endpointRefusal(target.endpoint))
    : `collection ${KeyRules.shown(target.collection)}: its name has lower-case letters and dashes`

/** For people: `webdav collection backups, prefix team`. */
export const location = (target: WebDavTarget): string => {
  const prefix = Address.prefixOf(target)
  return `webdav collection ${target.collection}${prefix === "" ? "" : `, prefix ${prefix}`}`
}
