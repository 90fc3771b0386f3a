import { Clock, Effect } from "effect"
import type { AccessOutcome, Acl, Quota } from "../kafka/AccessRules.ts"
import { ErrorCode } from "../kafka/ErrorCode.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { StoredQuota, StoredUser } from "../manifest/ClusterMetadata.ts"
import * as AclMapping from "./AclMapping.ts"

/* The last step of a restore: ACLs and quotas of the backup, in the cluster. */

/** What a restore is going to do about ACLs and quotas; a kind that is absent is left alone. */
export interface PreparedAccess {
  readonly acls?: {
    /** All that are to be there in the end. */
    readonly wanted: ReadonlyArray<Acl>
    /** Those that were not there when this was asked. */
    readonly missing: ReadonlyArray<Acl>
    /** Those whose opposite was there: see `AclMapping.opposed`. */
    readonly opposed: ReadonlyArray<Acl>
  }
  readonly quotas?: {
    readonly wanted: ReadonlyArray<StoredQuota>
    readonly missing: ReadonlyArray<Quota>
    /** Those that are there with other values. One may lack a value, too. */
    readonly different: ReadonlyArray<AclMapping.DifferentQuota>
  }
  /** Users that these name and that a person has to make: nobody but them knows their passwords. */
  readonly users: ReadonlyArray<StoredUser>
  readonly notes: ReadonlyArray<string>
}

/** One that is not there, and why. */
export interface Refused<A> {
  readonly what: A
  readonly reason: string
}

/**
 * What became of one kind: what was added and read back, how many were there before as the backup has them, and what
 * was not added.
 */
export interface Added<A> {
  readonly created: ReadonlyArray<A>
  readonly existing: number
  readonly refused: ReadonlyArray<Refused<A>>
}

export interface AccessDone {
  readonly acls?: Added<Acl>
  /** Beside it those that were there with other values, which stay. */
  readonly quotas?: Added<Quota> & { readonly different: ReadonlyArray<AclMapping.DifferentQuota> }
}

/** How long brokers may take until what they have accepted can be read. */
const visibleMillis = 15_000

const reasonOf = ({ detail, errorCode }: AccessOutcome): string =>
  `the broker answered with error code ${errorCode}${detail === undefined ? "" : `: ${detail}`}`

/** Adds what is missing, and reads back until all of it is there. `known`: what was missing before the restore. */
const add = <A>(
  known: ReadonlyArray<A>,
  missing: Effect.Effect<ReadonlyArray<A>, KafkaError>,
  create: (some: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<AccessOutcome>, KafkaError>,
  keyOf: (one: A) => string
) =>
  Effect.gen(function* () {
    const todo = yield* missing
    const outcomes = yield* create(todo)
    const isTaken = (at: number) => outcomes[at]?.errorCode === ErrorCode.none
    const refused = todo.flatMap((what, at) => (isTaken(at) ? [] : [{ what, reason: reasonOf(outcomes[at]!) }]))
    const taken = todo.filter((_, at) => isTaken(at))
    const untilMillis = (yield* Clock.currentTimeMillis) + visibleMillis
    let left = taken.length === 0 ? new Set<string>() : new Set((yield* missing).map(keyOf))
    while (taken.some((one) => left.has(keyOf(one))) && (yield* Clock.currentTimeMillis) < untilMillis) {
      yield* Effect.sleep(250)
      left = new Set((yield* missing).map(keyOf))
    }
    const unseen = taken.filter((one) => left.has(keyOf(one)))
    return {
      created: taken.filter((one) => !left.has(keyOf(one))),
      refused: [
        ...refused,
        ...unseen.map((what) => ({ what, reason: "the brokers accepted it, and do not list it afterwards" }))
      ]
    }
  }).pipe(
    // The records are proven: a permission that was taken away meanwhile is no reason to fail.
    Effect.catch((error) =>
      error.isRetryable
        ? Effect.fail(error)
        : Effect.succeed({ created: [], refused: known.map((what) => ({ what, reason: error.reason.message })) })
    )
  )

const missingAcls = ({ access }: KafkaSinkShape, wanted: ReadonlyArray<Acl>) =>
  Effect.map(access.acls, (found) => AclMapping.missing(wanted, found._tag === "Acls" ? found.acls : []))

const differentQuotas = ({ access }: KafkaSinkShape, { different, wanted }: NonNullable<PreparedAccess["quotas"]>) =>
  access.quotas.pipe(
    Effect.map((found) => AclMapping.differentQuotas(wanted, found)),
    Effect.catch((error) => (error.isRetryable ? Effect.fail(error) : Effect.succeed(different)))
  )

const missingQuotas = ({ access }: KafkaSinkShape, wanted: ReadonlyArray<StoredQuota>) =>
  Effect.map(access.quotas, (found) => AclMapping.missingQuotas(wanted, found))

/** Adds the ACLs and quotas that are missing by now, and reads them back. What is there stays as it is. */
export const create = Effect.fn("Access.create")(function* (
  sink: KafkaSinkShape,
  { acls, quotas }: PreparedAccess
): Effect.fn.Return<AccessDone, KafkaError> {
  const ofAcls =
    acls &&
    (yield* add(acls.missing, missingAcls(sink, acls.wanted), sink.access.createAcls, (acl) => JSON.stringify(acl)))
  const ofQuotas =
    quotas &&
    (yield* add(
      quotas.missing,
      missingQuotas(sink, quotas.wanted),
      (some) => sink.access.alterQuotas(some),
      ({ entity }) => JSON.stringify(entity)
    ))
  const different = quotas === undefined ? [] : yield* differentQuotas(sink, quotas)
  return {
    ...(ofAcls === undefined
      ? {}
      : { acls: { ...ofAcls, existing: acls!.wanted.length - ofAcls.created.length - ofAcls.refused.length } }),
    ...(ofQuotas === undefined
      ? {}
      : {
          quotas: {
            ...ofQuotas,
            existing: AclMapping.sameQuotas(
              quotas!.wanted,
              ofQuotas.created,
              ofQuotas.refused.map(({ what }) => what),
              different
            ),
            different
          }
        })
  }
})

/** Whether nothing is left to do. */
export const isWhole = ({ acls, quotas }: AccessDone): boolean =>
  (acls?.refused.length ?? 0) + (quotas?.refused.length ?? 0) === 0
