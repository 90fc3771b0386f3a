import { Clock, Effect } from "effect"
import type { KafkaReason } from "../KafkaError.ts"
import type { Address } from "./Address.ts"
import * as Diagnosis from "./Diagnosis.ts"
import * as Failure from "./Failure.ts"
import * as Identity from "./Identity.ts"
import * as Link from "./Link.ts"
import type { LinkBroken } from "./LinkBroken.ts"

/** What holds for every connection, whoever we are. */
export type Limits = Omit<Link.Settings, "ssl" | "sasl">

export interface BrokerAddress {
  readonly address: Address
  /** For messages. */
  readonly where: string
}

/** Opens connections to the brokers of one cluster, as whoever our Secrets say that we are at that moment. */
export interface Opener {
  readonly open: (place: BrokerAddress, openTimeoutMillis: number) => Effect.Effect<Link.Link, KafkaReason>
  /** What broke a connection that was opened here, in the port's words. */
  readonly reason: (broken: LinkBroken, place: BrokerAddress) => Effect.Effect<KafkaReason>
}

/** Credentials that were refused are not shown again for this long, unless they change: it could only lock the account. */
const refusedMillis = 10_000

interface Refusal {
  readonly identity: Identity.Identity
  readonly reason: KafkaReason
  readonly millis: number
}

/** Until brokers let us in for the first time, a refusal is final; afterwards credentials may be changing under us. */
export const make = (limits: Limits, identity: Identity.Identity): Opener => {
  let current = identity
  let wasAccepted = false
  let refusal: Refusal | undefined

  const settingsOf = ({ sasl, ssl }: Identity.Identity): Link.Settings => ({ ...limits, ssl, sasl })

  const reason: Opener["reason"] = (broken, { address, where }) =>
    Diagnosis.reason(broken, address, where, settingsOf(current), current.target).pipe(
      Effect.map((found) =>
        wasAccepted && Diagnosis.isRefusal(broken) ? Diagnosis.afterAcceptance(found, current.target) : found
      )
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

  const open: Opener["open"] = (place, openTimeoutMillis) =>
    Effect.gen(function* () {
      const mine = yield* newest
      const nowMillis = yield* Clock.currentTimeMillis
      if (refusal?.identity === mine && nowMillis - refusal.millis < refusedMillis) return yield* refusal.reason
      return yield* Link.open(place.address, { ...settingsOf(mine), openTimeoutMillis }).pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            wasAccepted = true
          })
        ),
        Effect.catch((broken) =>
          Effect.flatMap(reason(broken, place), (found) => {
            if (wasAccepted && Diagnosis.isRefusal(broken)) {
              refusal = { identity: mine, reason: found, millis: nowMillis }
            }
            return Effect.fail(found)
          })
        )
      )
    })

  return { open, reason }
}
