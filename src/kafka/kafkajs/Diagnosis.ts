import { Effect } from "effect"
import tls from "node:tls"
import { wireMechanism } from "../KafkaCredentials.ts"
import { BrokerUnreachable, type KafkaReason, TokenUnavailable } from "../KafkaError.ts"
import type { KafkaTarget } from "../KafkaTarget.ts"
import { type Address, serverName } from "./Address.ts"
import * as CertificateFailure from "./CertificateFailure.ts"
import * as Failure from "./Failure.ts"
import * as Link from "./Link.ts"
import { type LinkBroken, NoAnswer } from "./LinkBroken.ts"
import { NoToken } from "./OAuthBearer.ts"
import * as SaslHandshake from "./protocol/SaslHandshake.ts"

/** Longest wait for an answer of a listener that has failed already. */
const probeLimitMillis = 3000

const probeMillis = (settings: Link.Settings): number => Math.min(probeLimitMillis, settings.openTimeoutMillis)

const illegalSaslState = 34

/** True if the listener completes a TLS handshake with any certificate. Sends nothing. */
const completesTls = (address: Address, settings: Link.Settings): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const socket = tls.connect({ ...address, ...serverName(address.host), rejectUnauthorized: false }, () => {
      resume(Effect.succeed(true))
      socket.destroy()
    })
    socket.on("error", () => resume(Effect.succeed(false)))
    socket.on("close", () => resume(Effect.succeed(false)))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: probeMillis(settings), orElse: () => Effect.succeed(false) }))

/** Opens a link with these settings for `use`, then closes it; undefined if that fails. */
const probe = <A>(
  address: Address,
  settings: Link.Settings,
  use: (link: Link.Link) => Effect.Effect<A, LinkBroken>
): Effect.Effect<A | undefined> => {
  const limits = { openTimeoutMillis: probeMillis(settings), requestTimeoutMillis: probeMillis(settings) }
  return Effect.acquireUseRelease(Link.open(address, { ...settings, ...limits }), use, (link) =>
    Effect.sync(link.close)
  ).pipe(Effect.catch(() => Effect.succeed(undefined)))
}

const greetsInPlaintext = (address: Address, settings: Link.Settings) =>
  probe(address, { ...settings, ssl: undefined, sasl: undefined }, () => Effect.succeed(true))

/** The listener's answer to a SASL handshake; undefined if there is none. Sends no credentials. */
const handshake = (address: Address, settings: Link.Settings, mechanism: string) =>
  probe(address, { ...settings, sasl: undefined }, (link) =>
    link.call(SaslHandshake.api, () => SaslHandshake.call(mechanism)).pipe(Effect.map(({ value }) => value))
  )

/**
 * Why a connection broke. If the listener closed it without a reason, the other protocols are tried, without
 * credentials, so that the advice rests on facts instead of guesses.
 */
export const reason = (
  broken: LinkBroken,
  address: Address,
  where: string,
  settings: Link.Settings,
  target: KafkaTarget
): Effect.Effect<KafkaReason> =>
  Effect.gen(function* () {
    const type = Failure.typeOf(broken.cause)
    if (type === "ILLEGAL_SASL_STATE") return Failure.proven.noSasl(where)
    if (type === "UNSUPPORTED_SASL_MECHANISM") {
      const answer = yield* handshake(
        address,
        settings,
        target.sasl === undefined ? "PLAIN" : wireMechanism(target.sasl)
      )
      return Failure.proven.mechanismNotOffered(where, answer?.mechanisms ?? [], target)
    }
    const unanswered = broken.cause instanceof NoAnswer && broken.stage === "greeting"
    if (Failure.isSilentClose(broken) || unanswered) {
      if (broken.stage === "connecting" && settings.ssl !== undefined) {
        if (yield* greetsInPlaintext(address, settings)) return Failure.proven.speaksPlaintext(where, broken.cause)
      }
      if (broken.stage === "greeting" && settings.ssl === undefined) {
        if (yield* completesTls(address, settings)) return Failure.proven.speaksTls(where, broken.cause)
      }
      if (broken.stage === "trusted" && settings.sasl === undefined) {
        const answer = yield* handshake(address, settings, "PLAIN")
        if (answer !== undefined && answer.errorCode !== illegalSaslState) {
          return Failure.proven.saslRequired(where, answer.mechanisms)
        }
      }
    }
    return Failure.reason(broken, where, target)
  })

/** True if the broker refused the user, the password, the token or the client certificate, or no token was given. */
export const isRefusal = ({ cause }: LinkBroken): boolean =>
  (cause instanceof NoToken ? cause.reason._tag === "KafkaAuthenticationFailed" : Failure.isRefusal(cause)) ||
  CertificateFailure.isRefusal(cause)

/**
 * The same refusal by brokers that accepted credentials earlier in this run: most likely credentials were rotated and
 * the Secret has not changed yet, so waiting may help.
 */
export const afterAcceptance = (reason: KafkaReason, target: KafkaTarget): KafkaReason =>
  reason._tag === "KafkaAuthenticationFailed"
    ? new BrokerUnreachable({
        detail: `${reason.message}, although it accepted credentials earlier in this run`,
        advice: `if credentials are being rotated, update ${Failure.secrets(target)}: every new connection reads them again; otherwise ${reason.advice}`,
        transient: true
      })
    : reason

/** The same failure to get a token once tokens were given: its address was right, so waiting may help. */
export const afterTokens = ({ advice, detail }: TokenUnavailable): TokenUnavailable =>
  new TokenUnavailable({ detail, advice, transient: true })

/**
 * The same failure of a broker that answered requests earlier in this run: its host name, its certificate and its
 * protocol were right, so that a restart or a rotation is more likely than a mistake, and waiting may help.
 */
export const afterService = (reason: KafkaReason): KafkaReason =>
  reason._tag === "KafkaAuthenticationFailed" || (reason._tag === "BrokerUnreachable" && !reason.transient)
    ? new BrokerUnreachable({
        detail: `${reason.message}, although this broker answered earlier in this run`,
        advice: `check whether the broker restarts or its listener changes; if this lasts, ${reason.advice}`,
        transient: true
      })
    : reason
