import { Result, Schema } from "effect"
import type { StrimziReasonName } from "../../outcome/StrimziReasons.ts"
import { KafkaClusterSpec } from "../../resource/KafkaClusterSpec.ts"
import type { StrimziRef } from "../../resource/StrimziRefSpec.ts"
import { type Conditions, Kafka, KafkaUser, type Listener } from "./StrimziObjects.ts"

/** Why a reference stands for no cluster, with what to do. */
export interface Unresolved {
  readonly reason: StrimziReasonName
  readonly message: string
}

type Answer<A> = Result.Result<A, Unresolved>

const fail = (reason: StrimziReasonName, message: string) => Result.fail<Unresolved>({ reason, message })

/** What the API server has under the names of a reference; undefined for nothing. */
export interface Found {
  readonly kafka: unknown
  readonly user: unknown
}

/**
 * The cluster that a reference stands for, as a user would write it without one: never a part of it. Pure. Whether the
 * brokers take these credentials only they know.
 */
export const resolve = (ref: StrimziRef, found: Found): Answer<KafkaClusterSpec> =>
  Result.gen(function* () {
    const kafka = yield* present(Kafka, `Kafka ${ref.name}`, "StrimziKafkaMissing", found.kafka)
    const listener = yield* listenerOf(ref, kafka)
    const answer = loginOf(ref, listener, found.user)
    // What waiting cannot mend is said first: a new cluster takes its time until it has an address, and then users.
    if (Result.isFailure(answer) && answer.failure.reason !== "StrimziUserNotReady") yield* answer
    const bootstrapServers = yield* addresses(ref, kafka)
    const login = yield* answer
    const hasTls = listener.tls === true
    const written = {
      bootstrapServers,
      securityProtocol: "saslSecret" in login ? (hasTls ? "SASL_SSL" : "SASL_PLAINTEXT") : hasTls ? "SSL" : "PLAINTEXT",
      ...(hasTls ? { caSecret: { name: `${ref.name}-cluster-ca-cert` } } : {}),
      ...login
    }
    return yield* Result.mapError(decodeCluster(written), ({ message }) => ({
      reason: "StrimziUnreadable" as const,
      message: `what Strimzi publishes for listener ${ref.listener} of Kafka ${ref.name} cannot be used: ${message}; write bootstrapServers instead of strimziRef`
    }))
  })

const decodeCluster = Schema.decodeUnknownResult(KafkaClusterSpec)

/** An object that is there to stay, of the shape that is read. */
const present = <A>(
  schema: Schema.Codec<A & { readonly metadata: { readonly deletionTimestamp?: string } }, unknown>,
  what: string,
  missing: StrimziReasonName,
  object: unknown
): Answer<A> => {
  if (object === undefined) {
    return fail(missing, `${what} does not exist in the namespace of this resource; correct strimziRef or create it`)
  }
  const decoded = Schema.decodeUnknownResult(schema)(object)
  if (Result.isFailure(decoded)) {
    return fail(
      "StrimziUnreadable",
      `${what} has another form than expected: ${decoded.failure.message}; write bootstrapServers instead of strimziRef`
    )
  }
  return decoded.success.metadata.deletionTimestamp === undefined
    ? Result.succeed(decoded.success)
    : fail(missing, `${what} is being deleted; correct strimziRef or create it again`)
}

const list = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "it has none" : `it has ${names.join(", ")}`

/** Its own words, where Strimzi says why something is not ready. */
const said = (conditions: Conditions | undefined): string => {
  const found = conditions?.find(({ status, type }) => type === "NotReady" && status === "True")
  const words = [found?.reason, found?.message].filter((word) => word !== undefined)
  return words.length === 0 ? "" : ` (Strimzi says: ${words.join(": ")})`
}

const listenerOf = ({ listener: name, name: cluster }: StrimziRef, kafka: Kafka): Answer<Listener> => {
  const { listeners = [] } = kafka.spec.kafka
  const listener = listeners.find((one) => one.name === name)
  if (listener === undefined) {
    const others = list(listeners.map((one) => one.name))
    return fail(
      "StrimziListenerUnknown",
      `Kafka ${cluster} has no listener ${name}: ${others}; correct strimziRef.listener`
    )
  }
  if (listener.configuration?.brokerCertChainAndKey !== undefined) {
    return fail(
      "StrimziListenerUnsupported",
      `listener ${name} of Kafka ${cluster} has a certificate of its own (configuration.brokerCertChainAndKey), which Strimzi's authority did not sign; write bootstrapServers, and caSecret with the authority of that certificate, instead of strimziRef`
    )
  }
  return Result.succeed(listener)
}

/** Strimzi publishes an address once brokers listen there; until then nothing is guessed. */
const addresses = ({ listener, name }: StrimziRef, { status }: Kafka): Answer<ReadonlyArray<string>> => {
  const published = status?.listeners?.find((one) => one.name === listener)?.bootstrapServers ?? ""
  const servers = published
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "")
  return servers.length > 0
    ? Result.succeed([...new Set(servers)])
    : fail(
        "StrimziListenerNotReady",
        `Kafka ${name} has published no address of listener ${listener} yet${said(status?.conditions)}; it is looked up again every minute`
      )
}

/** The fields of the cluster that say how to log in. */
type Login =
  | { readonly tlsSecret: { readonly name: string; readonly certKey: string; readonly keyKey: string } }
  | { readonly saslSecret: { readonly name: string; readonly mechanism: string; readonly username: string } }
  | Readonly<Record<string, never>>

const loginOf = (ref: StrimziRef, { authentication, tls }: Listener, found: unknown): Answer<Login> => {
  const listener = `listener ${ref.listener} of Kafka ${ref.name}`
  const type = authentication?.type
  if (type === undefined) {
    return ref.user === undefined
      ? Result.succeed({})
      : fail(
          "StrimziUserMismatch",
          `${listener} has no authentication; remove strimziRef.user, or choose another listener`
        )
  }
  if (type !== "scram-sha-512" && !(type === "tls" && tls === true)) {
    return fail(
      "StrimziListenerUnsupported",
      `${listener} has authentication ${type}${type === "tls" ? " without TLS" : ""}; strimziRef supports tls and scram-sha-512: choose another listener, or write bootstrapServers and credentials instead`
    )
  }
  return ref.user === undefined
    ? fail(
        "StrimziUserMismatch",
        `${listener} has authentication ${type}; set strimziRef.user to a KafkaUser with the same`
      )
    : Result.flatMap(present(KafkaUser, `KafkaUser ${ref.user}`, "StrimziUserMissing", found), (user) =>
        credentials(ref, `KafkaUser ${ref.user}`, listener, type, user)
      )
}

const clusterLabel = "strimzi.io/cluster"

const credentials = (
  ref: StrimziRef,
  who: string,
  listener: string,
  wanted: "tls" | "scram-sha-512",
  { metadata, spec, status }: KafkaUser
): Answer<Login> => {
  const cluster = metadata.labels?.[clusterLabel]
  if (cluster !== ref.name) {
    const of = cluster === undefined ? `has no label ${clusterLabel}` : `belongs to Kafka ${cluster}`
    return fail("StrimziUserMismatch", `${who} ${of}, and strimziRef names Kafka ${ref.name}; correct one of them`)
  }
  const type = spec?.authentication?.type
  if (type === "tls-external" && wanted === "tls") {
    return fail(
      "StrimziUserMismatch",
      `${who} has authentication tls-external, so Strimzi keeps no certificate for it; write bootstrapServers, caSecret and tlsSecret instead of strimziRef`
    )
  }
  if (type !== wanted) {
    return fail(
      "StrimziUserMismatch",
      `${listener} has authentication ${wanted}, and ${who} has ${type ?? "none"}; correct strimziRef.listener or strimziRef.user`
    )
  }
  const { conditions, observedGeneration, secret, username } = status ?? {}
  const isReady = conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false
  const isStale = (observedGeneration ?? 0) < (metadata.generation ?? 0)
  if (!isReady || isStale || secret === undefined || username === undefined) {
    const why = isReady && isStale ? " (Strimzi has not seen its last edit)" : said(conditions)
    return fail("StrimziUserNotReady", `${who} is not ready yet${why}; it is looked up again every minute`)
  }
  return Result.succeed(
    wanted === "tls"
      ? { tlsSecret: { name: secret, certKey: "user.crt", keyKey: "user.key" } }
      : { saslSecret: { name: secret, mechanism: "SCRAM-SHA-512", username } }
  )
}
