import { Effect } from "effect"
import type { AccessChanging, AccessOutcome } from "../AccessRules.ts"
import { KafkaError } from "../KafkaError.ts"
import type { KafkaWriteWire } from "../KafkaWriteWire.ts"
import { isPassing, reasonOf } from "./Refusal.ts"

type Retried = <A>(request: Effect.Effect<A, KafkaError>) => Effect.Effect<A, KafkaError>

/** Fails with the first code that waiting may cure: what was done once is done again without harm. */
const settled =
  (doing: string) =>
  (outcomes: ReadonlyArray<AccessOutcome>): Effect.Effect<ReadonlyArray<AccessOutcome>, KafkaError> => {
    const passing = outcomes.find(({ errorCode }) => isPassing(errorCode))
    return passing === undefined
      ? Effect.succeed(outcomes)
      : Effect.fail(
          new KafkaError({ operation: "access", reason: reasonOf(passing.errorCode, { doing }, passing.detail) })
        )
  }

/** ACLs, users and quotas on top of a wire: every request is repeated for a limited time. */
export const accessChanges = ({ access }: KafkaWriteWire, retried: Retried): AccessChanging => ({
  acls: retried(access.acls),
  scramUsers: retried(access.scramUsers),
  quotas: retried(access.quotas),
  mayCreateAcls: retried(access.mayCreateAcls),
  createAcls: (acls) =>
    acls.length === 0 ? Effect.succeed([]) : retried(Effect.flatMap(access.createAcls(acls), settled("creating ACLs"))),
  alterQuotas: (quotas, options) =>
    quotas.length === 0
      ? Effect.succeed([])
      : retried(Effect.flatMap(access.alterQuotas(quotas, options), settled("setting client quotas")))
})
