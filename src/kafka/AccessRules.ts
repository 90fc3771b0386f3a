import type { Effect } from "effect"
import type { KafkaError } from "./KafkaError.ts"

/** What may be done to a topic or a group. Source: Apache Kafka, `org.apache.kafka.common.acl.AclOperation`. */
export const aclOperations = [
  "All",
  "Read",
  "Write",
  "Create",
  "Delete",
  "Alter",
  "Describe",
  "ClusterAction",
  "DescribeConfigs",
  "AlterConfigs",
  "IdempotentWrite",
  "CreateTokens",
  "DescribeTokens",
  "TwoPhaseCommit"
] as const
export type AclOperation = (typeof aclOperations)[number]

/** One ACL of topics or groups. */
export interface Acl {
  readonly resource: "topic" | "group"
  /** A name, the beginning of names where the pattern is prefixed, or `*` for all: literal, too. */
  readonly name: string
  readonly pattern: "literal" | "prefixed"
  /** `User:alice`, `User:*`. */
  readonly principal: string
  /** An address, or `*`. */
  readonly host: string
  readonly operation: AclOperation
  readonly permission: "Allow" | "Deny"
}

/** The ACLs of topics and groups, or that the brokers have nobody who would ask for any. */
export type Acls =
  | {
      readonly _tag: "Acls"
      readonly acls: ReadonlyArray<Acl>
      /** ACLs with an operation, pattern or permission that is not known here: they are left out. */
      readonly unknown: number
    }
  | { readonly _tag: "NoAuthorizer" }

/** A user with a SCRAM password, and for which mechanisms. Brokers give away neither password nor salt. */
export interface ScramUser {
  readonly name: string
  readonly mechanisms: ReadonlyArray<"SCRAM-SHA-256" | "SCRAM-SHA-512">
}

/** What clients of a user, a client id or an address may use; see KIP-546. */
export interface Quota {
  /** Types are `user`, `client-id` and `ip`, each once; null stands for the default of its type. */
  readonly entity: ReadonlyArray<{ readonly type: string; readonly name: string | null }>
  /** `consumer_byte_rate`, …; finite numbers. */
  readonly values: Readonly<Record<string, number>>
}

/** What became of one ACL or quota of a request. 0 is success. */
export interface AccessOutcome {
  readonly errorCode: number
  readonly detail: string | undefined
}

/** Who may do what in a cluster. */
export interface AccessReading {
  /** ACLs of topics and groups. Needs Describe on the cluster. */
  readonly acls: Effect.Effect<Acls, KafkaError>
  /** Needs Describe on the cluster, and brokers of Kafka 2.7 or later. */
  readonly scramUsers: Effect.Effect<ReadonlyArray<ScramUser>, KafkaError>
  /** Needs DescribeConfigs on the cluster, and brokers of Kafka 2.6 or later. */
  readonly quotas: Effect.Effect<ReadonlyArray<Quota>, KafkaError>
}

/** The same, and how it is changed. */
export interface AccessChanging extends AccessReading {
  /** False if the principal lacks Alter on the cluster. Creates nothing. */
  readonly mayCreateAcls: Effect.Effect<boolean, KafkaError>
  /**
   * Adds ACLs, one outcome for each, in their order; one that is there is success. Brokers may apply them some moments
   * after the answer. Needs Alter on the cluster.
   */
  readonly createAcls: (acls: ReadonlyArray<Acl>) => Effect.Effect<ReadonlyArray<AccessOutcome>, KafkaError>
  /**
   * Sets the values of quotas, one outcome for each, in their order; values that are not named stay. With
   * `validateOnly` nothing is changed. Needs AlterConfigs on the cluster.
   */
  readonly alterQuotas: (
    quotas: ReadonlyArray<Quota>,
    options?: { readonly validateOnly?: boolean }
  ) => Effect.Effect<ReadonlyArray<AccessOutcome>, KafkaError>
}

/** Tells two ACLs apart by everything that they say. */
export const keyOfAcl = ({ host, name, operation, pattern, permission, principal, resource }: Acl): string =>
  JSON.stringify([resource, pattern, name, principal, host, operation, permission])

/** The same for the entity of a quota. */
export const keyOfQuota = ({ entity }: Pick<Quota, "entity">): string =>
  JSON.stringify(entity.map(({ name, type }) => [type, name]).toSorted(([a], [b]) => (a! < b! ? -1 : 1)))
