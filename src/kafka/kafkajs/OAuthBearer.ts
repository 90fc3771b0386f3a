import { Redacted } from "effect"
import type { KafkaReason } from "../KafkaError.ts"
import * as Quoted from "../../redaction/Quoted.ts"
import * as Token from "../tokens/Token.ts"
import type { KafkaJsAuthenticationProvider } from "./Internals.ts"

/** No token could be had, so none was sent. */
export class NoToken extends Error {
  readonly reason: KafkaReason
  constructor(reason: KafkaReason) {
    super(reason.message)
    this.name = "NoToken"
    this.reason = reason
  }
}

/** The broker refused the token. kafkajs's name for a refusal is also that of this one. */
export class TokenRefused extends Error {
  /** What the token says of itself. */
  readonly claims: Token.Claims
  constructor(status: string, token: Redacted.Redacted) {
    super(Quoted.without(status, [Redacted.value(token)], "its message is left out because it quotes the token"))
    this.name = "KafkaJSSASLAuthenticationError"
    this.claims = Token.claims(token)
  }
}

/** Start of heading, the separator of the mechanism (RFC 7628, section 3.1). */
const separator = "\x01"

/** The first message of the client (RFC 7628, section 3.1; extensions: KIP-342). */
export const initialResponse = (token: string, extensions: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(
    [
      "n,,",
      `auth=Bearer ${token}`,
      ...Object.entries(extensions).map(([name, value]) => `${name}=${value}`),
      "",
      ""
    ].join(separator)
  )

/** kafkajs frames every SASL message with its length, in either direction. */
const framed = (message: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(message.length)
  return Buffer.concat([length, message])
}
const lengthBytes = 4

/** The status that a refusal names (RFC 7628, section 3.2.2): `invalid_token`, `insufficient_scope`. */
const statusOf = (challenge: string): string => {
  try {
    const { scope, status } = JSON.parse(challenge) as { readonly status?: unknown; readonly scope?: unknown }
    if (typeof status !== "string") return challenge
    return typeof scope === "string" && scope !== "" ? `${status}, needs scope ${scope}` : status
  } catch {
    return challenge
  }
}

const typeOf = (error: unknown): unknown => (error as { readonly type?: unknown } | undefined)?.type

/**
 * SASL OAUTHBEARER with a token from `take`, which is asked for each authentication. kafkajs's own authenticator takes
 * a refusal for success: brokers refuse with a challenge, which the client has to confirm before it becomes an error.
 */
export const provider =
  (take: () => Promise<Token.Token>, extensions: Readonly<Record<string, string>>): KafkaJsAuthenticationProvider =>
  ({ saslAuthenticate }) => ({
    authenticate: async () => {
      const { value } = await take()
      const say = (message: Buffer): Promise<Buffer> =>
        saslAuthenticate({
          request: { encode: async () => framed(message) },
          response: { decode: async (answer) => answer.subarray(lengthBytes), parse: async (answer) => answer }
        }).catch((error: unknown) => {
          if (typeOf(error) !== "SASL_AUTHENTICATION_FAILED") throw error
          throw new TokenRefused(error instanceof Error ? error.message : String(error), value)
        })
      const challenge = (await say(initialResponse(Redacted.value(value), extensions))).toString("utf8")
      if (challenge === "") return
      const refused = new TokenRefused(statusOf(challenge), value)
      // The confirmation is answered by the error, or by the end of the connection; both mean what was said already.
      await say(Buffer.from(separator)).catch(() => undefined)
      throw refused
    }
  })
