import { Clock, Effect } from "effect"
import type { KafkaReason } from "../KafkaError.ts"
import * as Address from "./Address.ts"
import * as Diagnosis from "./Diagnosis.ts"
import * as Failure from "./Failure.ts"
import * as Identity from "./Identity.ts"
import * as Link from "./Link.ts"
import type { LinkBroken } from "./LinkBroken.ts"

/** The settings of every connection, except its credentials. */
export type Limits = Omit<Link.Settings, "ssl" | "sasl">

export interface BrokerAddress {
  readonly address: Address.Address
  /** For messages. */
  readonly where: string
}

/** Opens connections to the brokers of one cluster, with the present credentials from the Secrets. */
export interface Opener {
  readonly open: (broker: BrokerAddress, openTimeoutMillis: number) => Effect.Effect<Link.Link, KafkaReason>
  /** The port's reason for a broken connection that was opened here. */
  readonly reason: (broken: LinkBroken, broker: BrokerAddress) => Effect.Effect<KafkaReason>
  /** This broker has answered a request: from now on no failure of it is taken for a mistake in the configuration. */
  readonly served: (broker: BrokerAddress) => void
  /** True once any broker has answered a request. */
  readonly hasServed: () => boolean
}

/** Refused credentials are not sent again for this long unless they change: repeating them could lock the account. */
const refusedMillis = 10_000

interface Refusal {
  readonly identity: Identity.Identity
  readonly reason: KafkaReason
  readonly millis: number
}

/** A refusal is final until the brokers have accepted the credentials once; afterwards it may be due to a rotation. */
export const make = (limits: Limits, identity: Identity.Identity): Opener => {
  let current = identity
  let wasAccepted = false
  let refusal: Refusal | undefined
  const serving = new Set<string>()

  const settingsOf = ({ sasl, ssl }: Identity.Identity): Link.Settings => ({ ...limits, ssl, sasl })

  const reason: Opener["reason"] = (broken, { address, where }) =>
    Diagnosis.reason(broken, address, where, settingsOf(current), current.target).pipe(
      Effect.map((found) => {
        if (wasAccepted && Diagnosis.isRefusal(broken)) return Diagnosis.afterAcceptance(found, current.target)
        if (wasAccepted && found._tag === "TokenUnavailable") return Diagnosis.afterTokens(found)
        return serving.has(Address.format(address)) ? Diagnosis.afterService(found) : found
      })
    )

  const newest = Effect.gen(function* () {
    if (!wasAccepted) return current
    const fresh = yield* Identity.renewed(current)
    if (fresh !== current) {
      current = fresh
      const target = Failure.secrets(fresh.target)
      yield* Effect.logInfo("renewed credentials are in use").pipe(Effect.annotateLogs({ target }))
    }
    return fresh
  })

  const open: Opener["open"] = (broker, openTimeoutMillis) =>
    Effect.gen(function* () {
      const mine = yield* newest
      const nowMillis = yield* Clock.currentTimeMillis
      if (refusal?.identity === mine && nowMillis - refusal.millis < refusedMillis) return yield* refusal.reason
      return yield* mine.prepare.pipe(
        Effect.andThen(Link.open(broker.address, { ...settingsOf(mine), openTimeoutMillis })),
        Effect.tap(() =>
          Effect.sync(() => {
            wasAccepted = true
          })
        ),
        Effect.catch((broken) =>
          Effect.flatMap(reason(broken, broker), (found) => {
            if (wasAccepted && Diagnosis.isRefusal(broken)) {
              refusal = { identity: mine, reason: found, millis: nowMillis }
            }
            return Effect.fail(found)
          })
        )
      )
    })

  return {
    open,
    reason,
    served: ({ address }) => void serving.add(Address.format(address)),
    hasServed: () => serving.size > 0
  }
}
