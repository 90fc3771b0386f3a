import { type Context, Effect, Redacted } from "effect"
import { type PasswordCredentials, type TokenCredentials, values, wireMechanism } from "../KafkaCredentials.ts"
import type { KafkaAuthenticationFailed } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"
import * as TokenSource from "../tokens/TokenSource.ts"
import type { Settings } from "./Link.ts"
import { LinkBroken } from "./LinkBroken.ts"
import * as OAuthBearer from "./OAuthBearer.ts"
import { NoToken } from "./OAuthBearer.ts"
import * as Tls from "./Tls.ts"

/** The client's credentials, ready for connections. Secrets may rotate: every new connection uses the newest values. */
export interface Identity {
  readonly target: KafkaTarget
  readonly ssl: Settings["ssl"]
  readonly sasl: Settings["sasl"]
  /**
   * To be done before a connection is opened: gets the token that it will need, so that its time limit is not used up
   * by waiting for one, and a failure says what it is.
   */
  readonly prepare: Effect.Effect<void, LinkBroken>
}

const withTokens = (target: KafkaTarget, credentials: TokenCredentials, context: Context.Context<never>) => {
  const tokens = TokenSource.of(target, credentials)
  const get = Effect.mapError(tokens.get, (reason) => new NoToken(reason))
  const extensions = credentials.mechanism === "OAUTHBEARER" ? credentials.extensions : {}
  return {
    sasl: {
      mechanism: wireMechanism(credentials),
      authenticationProvider: OAuthBearer.provider(() => Effect.runPromiseWith(context)(get), extensions)
    },
    prepare: Effect.mapError(Effect.asVoid(get), (error) => new LinkBroken("authenticating", error))
  }
}

const withPassword = ({ mechanism, password, username }: PasswordCredentials) => ({
  sasl: { mechanism, username: Redacted.value(username), password: Redacted.value(password) },
  prepare: Effect.void
})

/** Fails if the TLS files are unusable. */
export const of = (target: KafkaTarget): Effect.Effect<Identity, KafkaAuthenticationFailed> =>
  Effect.gen(function* () {
    const ssl = yield* Tls.options(target.tls)
    const { sasl } = target
    if (sasl === undefined) return { target, ssl, sasl, prepare: Effect.void }
    const used = TokenSource.usesTokens(sasl)
      ? withTokens(target, sasl, yield* Effect.context<never>())
      : withPassword(sasl)
    return { target, ssl, ...used }
  })

const parts = ({ sasl, tls }: KafkaTarget): ReadonlyArray<string | undefined> => [
  tls?.ca,
  tls?.certificate,
  tls?.key === undefined ? undefined : Redacted.value(tls.key),
  ...(sasl === undefined ? [] : values(sasl))
]

const isSame = (one: KafkaTarget, other: KafkaTarget): boolean => {
  const others = parts(other)
  const mine = parts(one)
  return mine.length === others.length && mine.every((part, index) => part === others[index])
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
