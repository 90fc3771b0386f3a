import { Clock, Effect } from "effect"
import type { KafkaCredentials, OAuthBearer, TokenCredentials } from "../KafkaCredentials.ts"
import type { KafkaReason } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"
import * as AwsKeys from "./AwsKeys.ts"
import * as ClientCredentialsGrant from "./ClientCredentialsGrant.ts"
import * as MskIamTokens from "./MskIamTokens.ts"
import * as Token from "./Token.ts"
import * as Tokens from "./Tokens.ts"

/** True for the mechanisms that need a token. */
export const usesTokens = (credentials: KafkaCredentials | undefined): credentials is TokenCredentials =>
  credentials?.mechanism === "OAUTHBEARER" || credentials?.mechanism === "AWS_MSK_IAM"

/**
 * The credentials with the present values of their Secrets; those that were read first while they cannot be read. A
 * connection that is open renews its session with them, too.
 */
const newest = <C extends TokenCredentials>(target: KafkaTarget, first: C): Effect.Effect<C> =>
  Effect.map(target.reread ?? Effect.succeed(undefined), (fresh) =>
    fresh?.sasl?.mechanism === first.mechanism ? (fresh.sasl as C) : first
  )

const oauthToken = ({ source }: OAuthBearer, waitsForUnknownHosts: boolean): Effect.Effect<Token.Token, KafkaReason> =>
  source._tag === "ClientCredentials"
    ? ClientCredentialsGrant.fetch(source, waitsForUnknownHosts)
    : Effect.map(Clock.currentTimeMillis, (takenMillis) => {
        const { expiryMillis } = Token.claims(source.token)
        return { value: source.token, takenMillis, ...(expiryMillis === undefined ? {} : { expiryMillis }) }
      })

/** Tokens for the brokers of `target`; nothing is asked for yet. */
export const of = (target: KafkaTarget, first: TokenCredentials): Tokens.Tokens => {
  if (first.mechanism === "AWS_MSK_IAM") {
    return Tokens.make(
      Effect.flatMap(newest(target, first), MskIamTokens.make(AwsKeys.make(), target.waitsForUnknownHosts === true))
    )
  }
  const token = Effect.flatMap(newest(target, first), (now) => oauthToken(now, target.waitsForUnknownHosts === true))
  // A file is read for every connection: whoever keeps it fresh decides how long a token is used.
  return first.source._tag === "GivenToken" ? { get: token } : Tokens.make(token)
}
