import { Redacted } from "effect"
import { type ClientCredentials, originText } from "../KafkaCredentials.ts"
import { KafkaAuthenticationFailed, type KafkaReason, TokenUnavailable } from "../KafkaError.ts"
import * as Quoted from "../../redaction/Quoted.ts"
import * as Token from "./Token.ts"
import type { Answer } from "./TokenRequest.ts"
import * as TokenRequest from "./TokenRequest.ts"

/*
 * What the answer of a token endpoint means. Nothing of it is quoted but the error that RFC 6749 defines, and of that
 * no text which holds a secret.
 */

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (body: string): Fields | undefined => {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

/** Longest text of a server that a message quotes. */
const longestText = 300

const quoted = (value: unknown, client: ClientCredentials): string | undefined => {
  if (typeof value !== "string") return undefined
  // A server may echo no more than the beginning of the header, and that is enough for a part of the secret.
  if (Quoted.hasPartOf(value, TokenRequest.basic(client))) return Quoted.leftOut
  const line = Quoted.without(value, [Redacted.value(client.clientSecret)])
    .replaceAll(/[\x00-\x1f\x7f]+/gu, " ")
    .trim()
  if (line === "") return undefined
  return line.length > longestText ? `${line.slice(0, longestText)}…` : line
}

/** `the token endpoint https://sso.example/token`. */
export const where = ({ tokenEndpoint }: ClientCredentials): string => `the token endpoint ${tokenEndpoint}`

const adviceFor = (error: string, client: ClientCredentials): string => {
  switch (error) {
    case "invalid_scope":
      return "correct scope in sasl.oauthBearer.clientCredentials: the server does not know it, or does not give it to this client"
    case "invalid_target":
      return "correct audience in sasl.oauthBearer.clientCredentials: the server does not know it"
    case "unauthorized_client":
    case "unsupported_grant_type":
      return "allow the grant client_credentials for this client at the server that issues tokens"
    case "invalid_client":
    case "":
      return `check ${originText(client.origin)}; some servers take them only in the ${client.sentIn === "Header" ? "body (sendIn: Body)" : "header (sendIn: Header)"}`
    default:
      return `check scope and audience in sasl.oauthBearer.clientCredentials, and ${originText(client.origin)}`
  }
}

const refused = (answer: Answer, fields: Fields | undefined, client: ClientCredentials) => {
  const error = quoted(fields?.["error"], client)
  const text = quoted(fields?.["error_description"], client)
  const said = [`${answer.status}`, ...(error === undefined ? [] : [error]), ...(text === undefined ? [] : [text])]
  return new KafkaAuthenticationFailed({
    detail: `${where(client)} refused the client (${said.join(": ")})`,
    advice: adviceFor(error ?? "", client)
  })
}

const unusable = (client: ClientCredentials, what: string) =>
  new TokenUnavailable({
    detail: `${where(client)} ${what}`,
    advice: "correct tokenEndpoint: it is the address that the server's metadata call token_endpoint",
    transient: false
  })

/** Seconds; some servers write them as text. */
const lifeSeconds = (value: unknown): number | undefined => {
  const seconds = typeof value === "string" && /^[0-9]{1,10}$/u.test(value) ? Number(value) : value
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds > 0 ? seconds : undefined
}

/** Bearer tokens are visible ASCII (RFC 6750, section 2.1); anything else would end the SASL message early. */
const isToken = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/u.test(value)

const tokenOf = (fields: Fields | undefined, client: ClientCredentials, nowMillis: number) => {
  if (fields === undefined) return unusable(client, "answers something else than JSON")
  const { access_token: value, expires_in: life, token_type: type } = fields
  if (value === undefined) return unusable(client, "answers without access_token")
  if (!isToken(value)) return unusable(client, "answers with an access_token that is not one")
  if (typeof type === "string" && type.toLowerCase() !== "bearer") {
    return unusable(client, `gives tokens of another type than Bearer (${quoted(type, client) ?? "no type"})`)
  }
  const token = Redacted.make(value)
  const seconds = lifeSeconds(life)
  const expiryMillis = seconds === undefined ? Token.claims(token).expiryMillis : nowMillis + seconds * 1000
  return { value: token, takenMillis: nowMillis, ...(expiryMillis === undefined ? {} : { expiryMillis }) }
}

/** The token of an answer that was asked for at `nowMillis`, or why there is none. */
export const read = (answer: Answer, client: ClientCredentials, nowMillis: number): Token.Token | KafkaReason => {
  const { status } = answer
  const fields = fieldsOf(answer.body)
  if (status === 200) return tokenOf(fields, client, nowMillis)
  if (status === 408 || status === 429 || status >= 500) {
    return new TokenUnavailable({
      detail: `${where(client)} answers ${status}`,
      advice: "check the log of the server that issues tokens",
      transient: true
    })
  }
  if (status >= 300 && status < 400) return unusable(client, `answers ${status}: redirects are not followed`)
  // Without an error of OAuth it is some other server, or another path of this one.
  if (status === 401 || status === 403 || (status === 400 && typeof fields?.["error"] === "string")) {
    return refused(answer, fields, client)
  }
  return unusable(client, `answers ${status}`)
}
