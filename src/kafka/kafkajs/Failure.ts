import * as KafkaCredentials from "../KafkaCredentials.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"
import * as Quoted from "../../redaction/Quoted.ts"
import * as Token from "../tokens/Token.ts"
import { KafkaAuthenticationFailed, BrokerUnreachable, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import * as CertificateFailure from "./CertificateFailure.ts"
import { ConnectionClosed } from "./DemuxSocket.ts"
import { NotKafka } from "./FrameSplitter.ts"
import { type LinkBroken, NoAnswer, NoCommonVersion, type Stage, Unreadable } from "./LinkBroken.ts"
import { NoToken, TokenRefused } from "./OAuthBearer.ts"

const waitingHelps = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN"
])

const refused: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ETIMEDOUT: "the connection timed out",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  EAI_AGAIN: "the name server did not answer"
}

/** The source of the credentials: `Secret kafka, keys username and password`. */
const saslSecret = ({ sasl }: KafkaTarget): string =>
  sasl === undefined ? "the SASL credentials" : KafkaCredentials.origin(sasl)

/** True for a connection that was closed without a reason. */
export const isSilentClose = (broken: LinkBroken): boolean =>
  broken.cause instanceof ConnectionClosed || codeOf(broken.cause) === "ECONNRESET" || codeOf(broken.cause) === "EPIPE"

const codeOf = (error: Error): string => {
  const code = (error as { readonly code?: unknown }).code
  return typeof code === "string" ? code : ""
}

/** kafkajs's name of the protocol error, for example `UNSUPPORTED_SASL_MECHANISM`. */
export const typeOf = (error: Error): string => {
  const type = (error as { readonly type?: unknown }).type
  return typeof type === "string" ? type : ""
}

/** True if the broker refused user and password, or the token. */
export const isRefusal = (error: Error): boolean =>
  error.name === "KafkaJSSASLAuthenticationError" || typeOf(error) === "SASL_AUTHENTICATION_FAILED"

/** The Secrets with the credentials, for messages. */
export const secrets = (target: KafkaTarget): string =>
  [
    ...(target.sasl === undefined ? [] : [saslSecret(target)]),
    ...(target.tls === undefined ? [] : CertificateFailure.tlsSecrets(target))
  ].join(" and ")

const speaksPlaintext = (where: string, cause?: Error) =>
  new BrokerUnreachable({
    detail: `${where}: the listener does not speak TLS`,
    advice: "use the port of a TLS listener, or set securityProtocol to PLAINTEXT or SASL_PLAINTEXT",
    transient: false,
    ...(cause === undefined ? {} : { cause })
  })

const speaksTls = (where: string, cause?: Error) =>
  new BrokerUnreachable({
    detail: `${where}: the listener speaks TLS`,
    advice: "set securityProtocol to SSL or SASL_SSL, or use the port of a plaintext listener",
    transient: false,
    ...(cause === undefined ? {} : { cause })
  })

const notKafka = (where: string, error: NotKafka) => {
  const [first, second] = error.head
  if ((first === 0x15 || first === 0x16) && second === 3) return speaksTls(where, error)
  const speaksHttp = error.head.subarray(0, 4).toString("latin1") === "HTTP"
  return new BrokerUnreachable({
    detail: `${where}: the server ${speaksHttp ? "speaks HTTP, not Kafka" : `does not speak Kafka (${error.message})`}`,
    advice: "check host and port in bootstrapServers, and securityProtocol",
    transient: false,
    cause: error
  })
}

const saslRefused = (where: string, error: Error, target: KafkaTarget) => {
  if (error instanceof TokenRefused) return tokenRefused(where, error, target)
  const mechanism = target.sasl?.mechanism ?? ""
  return new KafkaAuthenticationFailed({
    detail: `${where}: authentication failed: the broker refused the SASL ${mechanism} credentials (${withoutSecrets(error.message, target)})`,
    advice: `check ${saslSecret(target)}, and check that the user exists for mechanism ${mechanism}`
  })
}

const tokenRefused = (where: string, error: TokenRefused, target: KafkaTarget) => {
  const claims = Token.described(error.claims, Date.now())
  const said = [withoutSecrets(error.message, target), ...(claims === "" ? [] : [`the token: ${claims}`])].join("; ")
  return new KafkaAuthenticationFailed({
    detail: `${where}: authentication failed: the broker refused the SASL ${target.sasl?.mechanism ?? ""} token (${said})`,
    advice:
      target.sasl?.mechanism === "AWS_MSK_IAM"
        ? `allow kafka-cluster:Connect on the cluster to ${KafkaCredentials.signer(target.sasl)}, and check region in sasl.awsMskIam and the clocks`
        : `check ${saslSecret(target)}, and compare issuer, audience, scope and end of the token with what the listener expects, and the clocks`
  })
}

/** A server's text may quote the credentials; such a text is left out entirely. */
const withoutSecrets = (text: string, { sasl }: KafkaTarget): string =>
  sasl === undefined
    ? text
    : Quoted.without(text, KafkaCredentials.confidential(sasl), "its message is left out because it quotes a secret")

const ends: Record<Stage, string> = {
  connecting: "the connection was closed before it was established",
  greeting: "the connection was closed after the first request",
  authenticating: "the connection was closed during SASL authentication",
  trusted: "the connection was closed before the first answer",
  serving: "the connection was lost"
}

const silences: Record<Stage, string> = {
  connecting: "no connection was established",
  greeting: "the server accepted the connection, but did not answer the first request",
  authenticating: "SASL authentication was not complete",
  trusted: "no answer came",
  serving: "no answer came"
}

/** The port's reason for a broken connection. `where` names the broker or server. */
export const reason = (broken: LinkBroken, where: string, target: KafkaTarget): KafkaReason => {
  const error = broken.cause
  const code = codeOf(error)
  if (error instanceof NoToken) return error.reason
  if (error instanceof NotKafka) return notKafka(where, error)
  if (error instanceof NoCommonVersion) {
    return new ProtocolFailure({ detail: `${where}: ${error.message}`, transient: false, cause: error })
  }
  if (error instanceof Unreadable) {
    return new ProtocolFailure({ detail: `${where}: ${error.message}`, transient: false, cause: error })
  }
  if (error instanceof NoAnswer) {
    return new BrokerUnreachable({
      detail: `${where}: ${silences[broken.stage]} within ${error.millis / 1000} s`,
      advice: "check that the broker runs and that firewalls and NetworkPolicies allow the connection",
      transient: true,
      cause: error
    })
  }
  if (isRefusal(error)) {
    return saslRefused(where, error, target)
  }
  const certificate = CertificateFailure.reason(code, where, error, target)
  if (certificate !== undefined) return certificate
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return speaksPlaintext(where, error)
  }
  if (/^ERR_(SSL|TLS|OSSL)/u.test(code)) {
    return new KafkaAuthenticationFailed({
      detail: `${where}: the TLS handshake failed (${code})`,
      advice: `check the TLS versions and ciphers of the listener, whether it requires a client certificate, and ${CertificateFailure.tlsSecret(target)}`,
      cause: error
    })
  }
  if (code === "ENOTFOUND" || code === "EAI_NONAME") {
    return new BrokerUnreachable({
      detail: `${where}: the host name is unknown`,
      advice:
        "check from inside this Kubernetes cluster that the names in bootstrapServers and in the brokers' advertised.listeners resolve",
      transient: target.waitsForUnknownHosts === true,
      cause: error
    })
  }
  if (isSilentClose(broken)) {
    return new BrokerUnreachable({
      detail: `${where}: ${ends[broken.stage]}`,
      advice:
        broken.stage === "serving"
          ? "check the broker's log and the network; the next attempt resumes where the run stopped"
          : "check that the broker runs and that securityProtocol matches the listener",
      transient: true,
      cause: error
    })
  }
  const text = withoutSecrets(error.message || code || error.name, target)
  return new BrokerUnreachable({
    detail: `${where}: ${refused[code] ?? text}`,
    advice:
      "check that the broker runs, and check host and port in bootstrapServers and in the brokers' advertised.listeners",
    transient: waitingHelps.has(code) || code === "",
    ...(text === error.message ? { cause: error } : {})
  })
}

/** Reasons that are certain, because the listener itself was asked. */
export const proven = {
  speaksPlaintext,
  speaksTls,
  mechanismNotOffered: (where: string, offered: ReadonlyArray<string>, target: KafkaTarget) =>
    new KafkaAuthenticationFailed({
      detail: `${where}: the listener does not offer SASL mechanism ${target.sasl === undefined ? "" : KafkaCredentials.wireMechanism(target.sasl)}; it offers ${list(offered)}`,
      advice:
        target.sasl !== undefined && KafkaCredentials.wireMechanism(target.sasl) === "OAUTHBEARER"
          ? `use saslSecret instead of sasl, with one of ${list(offered)} and credentials for it, or a listener that offers OAUTHBEARER`
          : `set the mechanism to one of ${list(offered)}, with credentials for it in ${saslSecret(target)}`
    }),
  noSasl: (where: string) =>
    new BrokerUnreachable({
      detail: `${where}: the listener does not use SASL`,
      advice: "set securityProtocol to PLAINTEXT or SSL, or use the port of a SASL listener",
      transient: false
    }),
  saslRequired: (where: string, offered: ReadonlyArray<string>) =>
    new KafkaAuthenticationFailed({
      detail: `${where}: the listener requires SASL; it offers ${list(offered)}`,
      advice: "set securityProtocol to SASL_PLAINTEXT or SASL_SSL, and saslSecret to a Secret with credentials, or sasl"
    })
}

const list = (mechanisms: ReadonlyArray<string>): string =>
  mechanisms.length === 0 ? "no mechanism" : mechanisms.join(", ")
