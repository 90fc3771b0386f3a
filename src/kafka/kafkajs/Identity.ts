import { Effect, Redacted } from "effect"
import type { KafkaAuthenticationFailed } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"
import type { Settings } from "./Link.ts"
import * as Tls from "./Tls.ts"

/** The client's credentials, ready for connections. Secrets may rotate: every new connection uses the newest values. */
export interface Identity {
  readonly target: KafkaTarget
  readonly ssl: Settings["ssl"]
  readonly sasl: Settings["sasl"]
}

/** Fails if the TLS files are unusable. */
export const of = (target: KafkaTarget): Effect.Effect<Identity, KafkaAuthenticationFailed> =>
  Effect.map(Tls.options(target.tls), (ssl) => ({
    target,
    ssl,
    sasl:
      target.sasl === undefined
        ? undefined
        : {
            mechanism: target.sasl.mechanism,
            username: Redacted.value(target.sasl.username),
            password: Redacted.value(target.sasl.password)
          }
  }))

const parts = ({ sasl, tls }: KafkaTarget): ReadonlyArray<string | undefined> => [
  tls?.ca,
  tls?.certificate,
  tls?.key === undefined ? undefined : Redacted.value(tls.key),
  sasl === undefined ? undefined : Redacted.value(sasl.username),
  sasl === undefined ? undefined : Redacted.value(sasl.password)
]

const isSame = (one: KafkaTarget, other: KafkaTarget): boolean => {
  const others = parts(other)
  return parts(one).every((part, index) => part === others[index])
}

/**
 * The identity from the present Secrets: the same one if they are unchanged, or unreadable or unusable as in the middle
 * of a rotation.
 */
export const renewed = (identity: Identity): Effect.Effect<Identity> =>
  (identity.target.reread ?? Effect.succeed(undefined)).pipe(
    Effect.flatMap((fresh) =>
      fresh === undefined || isSame(fresh, identity.target) ? Effect.succeed(identity) : of(fresh)
    ),
    Effect.catch(() => Effect.succeed(identity))
  )
