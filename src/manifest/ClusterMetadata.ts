import { Schema } from "effect"

/*
 * What a cluster knows, beside records, of those who use the topics of a backup. It holds no secret: brokers give away
 * names of users, never passwords.
 */

/** One ACL of a topic or a group; `operation` has Kafka's name. */
export const StoredAcl = Schema.Struct({
  resource: Schema.Literals(["topic", "group"]),
  name: Schema.String,
  pattern: Schema.Literals(["literal", "prefixed"]),
  principal: Schema.String,
  host: Schema.String,
  operation: Schema.String,
  permission: Schema.Literals(["Allow", "Deny"])
})
export type StoredAcl = typeof StoredAcl.Type

/** A user with a SCRAM password, and for which mechanisms. */
export const StoredUser = Schema.Struct({ name: Schema.String, mechanisms: Schema.Array(Schema.String) })
export type StoredUser = typeof StoredUser.Type

/** A name that is null stands for the default of its type. */
export const StoredQuota = Schema.Struct({
  entity: Schema.Array(Schema.Struct({ type: Schema.String, name: Schema.NullOr(Schema.String) })),
  values: Schema.Record(Schema.String, Schema.Finite)
})
export type StoredQuota = typeof StoredQuota.Type

/** Why there is nothing of a kind: the brokers have no authorizer, refused or did not answer, or it was too much. */
const missing = ["noAuthorizer", "notAllowed", "failed", "tooMany"] as const

const Part = <S extends Schema.Codec<any, any>>(entry: S) =>
  Schema.Union([
    Schema.Struct({ state: Schema.Literal("captured"), entries: Schema.Array(entry) }),
    Schema.Struct({ state: Schema.Literals(missing), detail: Schema.String })
  ])

/** What a run has captured; a kind that is absent was not asked for. */
export const ClusterMetadata = Schema.Struct({
  acls: Schema.optionalKey(Part(StoredAcl)),
  users: Schema.optionalKey(Part(StoredUser)),
  quotas: Schema.optionalKey(Part(StoredQuota))
})
export type ClusterMetadata = typeof ClusterMetadata.Type

/** One kind, without its entries. */
const PartFacts = Schema.Struct({
  state: Schema.String,
  /** How many were captured. */
  count: Schema.optionalKey(Schema.Int),
  /** Why none were. */
  detail: Schema.optionalKey(Schema.String)
})
export type PartFacts = typeof PartFacts.Type

/** The same in numbers, as the facts of a set have it. */
export const MetadataFacts = Schema.Struct({
  acls: Schema.optionalKey(PartFacts),
  users: Schema.optionalKey(PartFacts),
  quotas: Schema.optionalKey(PartFacts)
})
export type MetadataFacts = typeof MetadataFacts.Type

type AnyPart =
  | { readonly state: "captured"; readonly entries: ReadonlyArray<unknown> }
  | { readonly state: string; readonly detail: string }

const factsOf = (part: AnyPart): PartFacts =>
  "entries" in part ? { state: part.state, count: part.entries.length } : { state: part.state, detail: part.detail }

export const facts = ({ acls, quotas, users }: ClusterMetadata): MetadataFacts => ({
  ...(acls === undefined ? {} : { acls: factsOf(acls) }),
  ...(users === undefined ? {} : { users: factsOf(users) }),
  ...(quotas === undefined ? {} : { quotas: factsOf(quotas) })
})

/** A document is written where there is something to keep: what is missing, and why, is in the facts. */
export const hasEntries = (metadata: ClusterMetadata): boolean =>
  Object.values(facts(metadata)).some(({ count = 0 }) => count > 0)
