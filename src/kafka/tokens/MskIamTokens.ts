import { Clock, Effect, Redacted } from "effect"
import type { MskIam } from "../KafkaCredentials.ts"
import * as KafkaCredentials from "../KafkaCredentials.ts"
import { KafkaAuthenticationFailed, type KafkaReason, TokenUnavailable } from "../KafkaError.ts"
import * as Quoted from "../../redaction/Quoted.ts"
import * as AwsKeys from "./AwsKeys.ts"
import * as MskToken from "./MskToken.ts"
import type { Token } from "./Token.ts"

/** For all requests to AWS that one token needs, in milliseconds; below the 30 s of a request to a broker. */
const limitMillis = 25_000

/** How AWS names this program in the logs of the cluster. */
const userAgent = "kafka-backup"

/** What errors of the SDK and of Node have of interest. */
interface Failed extends Error {
  readonly code?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
}

const away = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ENOTFOUND"
])

const isAway = ({ $metadata, code, name }: Failed): boolean =>
  ($metadata?.httpStatusCode ?? 0) >= 500 ||
  name === "TimeoutError" ||
  /^Throttling|^TooManyRequests/u.test(name) ||
  (typeof code === "string" && away.has(code))

/** The text of AWS on one line, unless it quotes a secret. */
const textOf = ({ message, name }: Failed, target: MskIam): string => {
  const text = Quoted.without(message, KafkaCredentials.confidential(target))
  return `${name}: ${text.replaceAll(/\s+/gu, " ").slice(0, 300)}`
}

const adviceFor = ({ credentials, role }: MskIam): string => {
  if (role !== undefined) {
    return `check that the trust policy of ${role.arn} lets ${credentials === undefined ? "the role of the pod's service account" : "the user of these keys"} assume it${role.externalId === undefined ? "" : " with this externalId"}`
  }
  return credentials === undefined
    ? "annotate the ServiceAccount in podTemplate.serviceAccountName with eks.amazonaws.com/role-arn, or give it an EKS Pod Identity association, and check the role's trust policy"
    : `check ${KafkaCredentials.originText(credentials.origin)}`
}

/** The name is in the text alone: the SDK keeps no more of Node's error than its code. */
const unknownHost = ({ code, message }: Failed): string | undefined =>
  code === "ENOTFOUND" ? /ENOTFOUND ([\w.-]+)/u.exec(message)?.[1] : undefined

/** No name server knows the host: of a region that does not exist, or the pod cannot ask the right one. */
const ofUnknownHost = (host: string, { region }: MskIam, waitsForUnknownHosts: boolean): KafkaReason => {
  const dns = "check from inside this Kubernetes cluster that the name resolves"
  return new TokenUnavailable({
    detail: `AWS gives no credentials: the host name ${host} is unknown`,
    advice: host.includes(region)
      ? `correct region in sasl.awsMskIam (now ${region}): AWS may have no such region; if it has, ${dns}`
      : dns,
    transient: waitsForUnknownHosts
  })
}

const failure = (error: Failed, target: MskIam, waitsForUnknownHosts: boolean): KafkaReason => {
  if (error instanceof AwsKeys.NoIdentity) {
    // Nobody was there to assume the role: its trust policy was not asked.
    const { role: _, ...pod } = target
    return failure(asError(error.cause), pod, waitsForUnknownHosts)
  }
  const host = unknownHost(error)
  if (host !== undefined) return ofUnknownHost(host, target, waitsForUnknownHosts)
  return isAway(error)
    ? new TokenUnavailable({
        detail: `AWS gives no credentials at the moment (${textOf(error, target)})`,
        advice:
          "check that the pod of the run reaches STS and the cloud's metadata service, and the proxies of the environment",
        transient: true
      })
    : new KafkaAuthenticationFailed({
        detail: `AWS gives no credentials for ${KafkaCredentials.signer(target)} (${textOf(error, target)})`,
        advice: adviceFor(target)
      })
}

const asError = (cause: unknown): Failed => (cause instanceof Error ? cause : new Error(String(cause)))

/**
 * Signs a token with the present keys, for as long as they are valid and 15 minutes at most. A host that no name server
 * knows is waited for only if that is asked for: a region may be misspelt.
 */
export const make = (
  keys: (target: MskIam) => Promise<AwsKeys.Keys> = AwsKeys.make(),
  waitsForUnknownHosts = false
): ((target: MskIam) => Effect.Effect<Token, KafkaReason>) =>
  Effect.fnUntraced(function* (target: MskIam) {
    const found = yield* Effect.tryPromise({
      try: () => keys(target),
      catch: (cause) => failure(asError(cause), target, waitsForUnknownHosts)
    }).pipe(
      Effect.timeoutOrElse({
        duration: limitMillis,
        orElse: () =>
          Effect.fail(
            failure(
              Object.assign(new Error(`no answer within ${limitMillis / 1000} s`), { name: "TimeoutError" }),
              target,
              waitsForUnknownHosts
            )
          )
      })
    )
    const nowMillis = yield* Clock.currentTimeMillis
    const left = Math.floor(((found.expiryMillis ?? Infinity) - nowMillis) / 1000)
    if (found.accessKeyId === "" || found.secretAccessKey === "" || left < 1) {
      return yield* Effect.fail(
        failure(new Error("it answered without keys that are valid now"), target, waitsForUnknownHosts)
      )
    }
    const seconds = Math.min(MskToken.lifeSeconds, left)
    return {
      value: Redacted.make(MskToken.sign(target.region, found, nowMillis, seconds, userAgent)),
      takenMillis: nowMillis,
      expiryMillis: nowMillis + seconds * 1000
    }
  })
