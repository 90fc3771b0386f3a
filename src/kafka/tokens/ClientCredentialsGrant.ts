import { Clock, Effect, Schedule } from "effect"
import tls from "node:tls"
import * as Certificates from "../../certificates/Certificates.ts"
import type { ClientCredentials } from "../KafkaCredentials.ts"
import { KafkaAuthenticationFailed, type KafkaReason, TokenUnavailable } from "../KafkaError.ts"
import type { Token } from "./Token.ts"
import * as TokenAnswer from "./TokenAnswer.ts"
import * as TokenRequest from "./TokenRequest.ts"

/** Times in milliseconds. */
export interface Times {
  /** For one request, answer included. */
  readonly request: number
}

/** With three requests and the waits between them, below the 30 s that a request to a broker may take. */
export const times: Times = { request: 8_000 }

/** After 250 ms and after 1 s more; then the breaker of the run decides how long to go on. */
const retry = Schedule.exponential("250 millis", 4).pipe(
  Schedule.upTo({ times: 2 }),
  Schedule.setInputType<KafkaReason>(),
  Schedule.while(({ input }) => input._tag === "TokenUnavailable" && input.transient)
)

const codeOf = (error: Error): string => {
  const { code } = error as { readonly code?: unknown }
  return typeof code === "string" ? code : ""
}

/** Where the authorities of the endpoint come from, for advice. */
const trustAdvice = ({ authorities }: ClientCredentials): string =>
  authorities === undefined
    ? "set sasl.oauthBearer.clientCredentials.caSecret to a Secret with the certificate authority of the endpoint"
    : `put the certificate authority of the endpoint into Secret ${authorities.secret}, key ${authorities.key}`

/** Why no answer came. */
const failure = (error: Error, client: ClientCredentials, waitsForUnknownHosts: boolean): KafkaReason => {
  const code = codeOf(error)
  const where = TokenAnswer.where(client)
  if (error instanceof TokenRequest.TooLong) {
    const advice = "correct tokenEndpoint: this is not the answer of a server that issues tokens"
    return new TokenUnavailable({ detail: `${where}: ${error.message}`, advice, transient: false })
  }
  if (Certificates.isUntrusted(code)) {
    return new KafkaAuthenticationFailed({
      detail: `${where}: its certificate is not trusted (${code})`,
      advice: trustAdvice(client)
    })
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const what = {
      ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for other names",
      CERT_HAS_EXPIRED: "its certificate has expired",
      CERT_NOT_YET_VALID: "its certificate is not valid yet"
    }[code]
    return new KafkaAuthenticationFailed({
      detail: `${where}: ${what}`,
      advice: "use a name from the certificate in tokenEndpoint, or renew the certificate, and check the clocks"
    })
  }
  if (code === "ENOTFOUND" || code === "EAI_NONAME") {
    const advice = "check from inside this Kubernetes cluster that the host name in tokenEndpoint resolves"
    return new TokenUnavailable({
      detail: `${where}: the host name is unknown`,
      advice,
      transient: waitsForUnknownHosts
    })
  }
  if (/^(EPROTO|ERR_SSL|ERR_OSSL)/u.test(code)) {
    const advice = "check the port in tokenEndpoint, and the TLS versions of the server: TLS 1.2 or later is required"
    return new TokenUnavailable({ detail: `${where}: the TLS handshake failed (${code})`, advice, transient: false })
  }
  const what = error instanceof TokenRequest.TimedOut ? error.message : code === "" ? "the connection was lost" : code
  return new TokenUnavailable({
    detail: `${where} cannot be reached: ${what}`,
    advice:
      "check that the server runs, and that firewalls, proxies and NetworkPolicies let the pod of the run reach it",
    transient: true
  })
}

/** Trust in the authorities of the endpoint, and in all that are trusted anyway. */
const trustOf = ({ authorities }: ClientCredentials): tls.SecureContext | undefined | KafkaAuthenticationFailed => {
  if (authorities === undefined) return undefined
  const unusable = (detail: string) =>
    new KafkaAuthenticationFailed({
      detail: `Secret ${authorities.secret}: ${detail}`,
      advice: `put the certificate authority of the token endpoint into key ${authorities.key}, as PEM`
    })
  const certificates = Certificates.read(authorities.key, authorities.pem)
  if (typeof certificates === "string") return unusable(certificates)
  try {
    const ca = [...Certificates.publicAuthorities(), ...certificates.map(String)]
    return tls.createSecureContext({ ca, ...Certificates.anyIsTrusted })
  } catch {
    return unusable(`the certificates of ${authorities.key} cannot be used`)
  }
}

/**
 * A token for the client itself (RFC 6749, section 4.4). What may pass by waiting (no answer, 429, 5xx) is tried three
 * times. Fails with `KafkaAuthenticationFailed` where the client, or the certificate of the endpoint, is refused, and
 * with `TokenUnavailable` otherwise.
 */
export const fetch = (
  client: ClientCredentials,
  waitsForUnknownHosts = false,
  { request }: Times = times
): Effect.Effect<Token, KafkaReason> =>
  Effect.suspend(() => {
    const trust = trustOf(client)
    if (trust instanceof KafkaAuthenticationFailed) return Effect.fail(trust)
    return Effect.gen(function* () {
      const nowMillis = yield* Clock.currentTimeMillis
      const answer = yield* Effect.mapError(TokenRequest.post(client, trust, request), (error) =>
        failure(error, client, waitsForUnknownHosts)
      )
      const token = TokenAnswer.read(answer, client, nowMillis)
      return "_tag" in token ? yield* Effect.fail(token) : token
    }).pipe(Effect.retry(retry))
  })
