import { Effect, Redacted } from "effect"
import type { KafkaTarget } from "../kafka/KafkaTarget.ts"
import type { KafkaClusterSpec } from "../resource/KafkaClusterSpec.ts"
import type { AzureSpec } from "../resource/AzureSpec.ts"
import type { GcsSpec } from "../resource/GcsSpec.ts"
import type { S3Spec } from "../resource/S3Spec.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import { Secrets } from "../secrets/MountedSecrets.ts"
import { SecretError } from "../secrets/SecretError.ts"
import type { StorageTarget } from "../storage/StorageTarget.ts"
import * as StorageTargets from "./StorageTargets.ts"
import * as TokenConnections from "./TokenConnections.ts"
import { NotSupported, SecretUnusable, WorkerError } from "./WorkerError.ts"

/** From the names in a spec to a target that a port can open. Credentials are read here and nowhere else. */

const unusable = (error: SecretError) =>
  new WorkerError({ reason: new SecretUnusable({ secret: error.secret, key: error.key, detail: error.detail }) })

/** Authorities of `caSecret`, or else those of `tlsSecret`. */
const trusted = Effect.fnUntraced(function* ({ caSecret, tlsSecret }: KafkaClusterSpec) {
  const secrets = yield* Secrets
  if (caSecret !== undefined) {
    const { key, name } = caSecret
    return { ca: Redacted.value(yield* secrets.text(name, key)), caSecret: name, caKey: key }
  }
  if (tlsSecret === undefined) return {}
  const { caKey, name } = tlsSecret
  return { ca: Redacted.value(yield* secrets.text(name, caKey)), caKey }
})

const tls = Effect.fnUntraced(function* (spec: KafkaClusterSpec) {
  const ca = yield* trusted(spec)
  if (spec.tlsSecret === undefined) return ca
  const { certKey, keyKey, name } = spec.tlsSecret
  const secrets = yield* Secrets
  const authorities = { ...ca, secret: name, certKey, keyKey }
  const hasCertificate = yield* secrets.has(name, certKey)
  const hasKey = yield* secrets.has(name, keyKey)
  // A Secret with nothing but authorities means no client certificate, unless the resource names keys for one.
  const isNamed = spec.caSecret !== undefined || certKey !== "tls.crt" || keyKey !== "tls.key"
  if (!hasCertificate && !hasKey && !isNamed) return authorities
  if (spec.caSecret !== undefined && !hasCertificate && !hasKey) {
    const strimzi =
      certKey === "tls.crt" ? "; in the Secret of a Strimzi KafkaUser it is user.crt: set certKey and keyKey" : ""
    const detail = `this key is missing; beside caSecret, tlsSecret is for a client certificate${strimzi}`
    return yield* new SecretError({ secret: name, key: certKey, detail })
  }
  if (hasCertificate !== hasKey) {
    const [present, missing] = hasCertificate ? [certKey, keyKey] : [keyKey, certKey]
    const detail = `this key is missing, but ${present} exists; a client certificate needs both`
    return yield* new SecretError({ secret: name, key: missing, detail })
  }
  return {
    ...authorities,
    certificate: Redacted.value(yield* secrets.text(name, certKey)),
    key: yield* secrets.text(name, keyKey)
  }
}, Effect.mapError(unusable))

const sasl = Effect.fnUntraced(function* (spec: KafkaClusterSpec) {
  if (spec.saslSecret === undefined) return yield* TokenConnections.sasl(spec.sasl)
  const { mechanism, name, passwordKey, username, usernameKey } = spec.saslSecret
  const secrets = yield* Secrets
  return {
    mechanism,
    secret: name,
    passwordKey,
    ...(username === undefined
      ? { usernameKey, username: yield* secrets.word(name, usernameKey) }
      : { username: Redacted.make(username) }),
    password: yield* secrets.word(name, passwordKey)
  }
}, Effect.mapError(unusable))

/** The operator resolves it before it makes a Job, so only a command by hand meets it. */
const strimziRef = (name: string) =>
  new WorkerError({
    reason: new NotSupported({
      field: "strimziRef",
      detail: `only the operator reads Strimzi's resources; write the listener's bootstrapServers and securityProtocol, caSecret (name: ${name}-cluster-ca-cert) for TLS, and the KafkaUser's Secret as tlsSecret (certKey: user.crt, keyKey: user.key) or saslSecret (mechanism: SCRAM-SHA-512, username)`
    })
  })

/** The cluster of a spec with its credentials, which can be read again. Nothing falls back to a weaker protocol. */
export const kafka = Effect.fn("Connections.kafka")(function* (
  spec: KafkaClusterSpec,
  options: Pick<KafkaTarget, "waitsForUnknownHosts"> = {}
): Effect.fn.Return<KafkaTarget, WorkerError, Secrets> {
  const secrets = yield* Secrets
  const { bootstrapServers } = spec
  // The spec has one of both: its own rule says so.
  if (bootstrapServers === undefined) return yield* strimziRef(spec.strimziRef?.name ?? "")
  const usesTls = spec.securityProtocol.endsWith("SSL")
  return {
    bootstrapServers,
    sasl: yield* sasl(spec),
    tls: usesTls ? yield* tls(spec) : undefined,
    ...options,
    reread: kafka(spec, options).pipe(
      Effect.provideService(Secrets, secrets),
      Effect.catch(() => Effect.succeed(undefined))
    )
  }
})

/** The way to authenticate that a spec chooses; the schema refuses more than one. */
const azureCredentials = Effect.fnUntraced(function* (spec: AzureSpec) {
  const { credentialsSecret, sasTokenSecret, servicePrincipalSecret, useWorkloadIdentity } = spec
  const secrets = yield* Secrets
  if (credentialsSecret !== undefined) {
    const { accountKeyKey, name } = credentialsSecret
    const accountKey = yield* secrets.word(name, accountKeyKey, "ascii")
    return { _tag: "AccountKey", accountKey, origin: { secret: name, keys: [accountKeyKey] } } as const
  }
  if (sasTokenSecret !== undefined) {
    const { name, sasTokenKey } = sasTokenSecret
    const sasToken = yield* secrets.word(name, sasTokenKey, "ascii")
    return { _tag: "SasToken", sasToken, origin: { secret: name, keys: [sasTokenKey] } } as const
  }
  if (servicePrincipalSecret !== undefined) {
    const { clientIdKey, clientSecretKey, name, tenantIdKey } = servicePrincipalSecret
    return {
      _tag: "ServicePrincipal",
      clientId: yield* secrets.word(name, clientIdKey, "ascii"),
      tenantId: yield* secrets.word(name, tenantIdKey, "ascii"),
      clientSecret: yield* secrets.word(name, clientSecretKey),
      origin: { secret: name, keys: [clientIdKey, tenantIdKey, clientSecretKey] }
    } as const
  }
  return { _tag: useWorkloadIdentity ? "WorkloadIdentity" : "Platform" } as const
}, Effect.mapError(unusable))

const gcsCredentials = Effect.fnUntraced(function* (spec: GcsSpec) {
  if (spec.credentialsSecret === undefined) return undefined
  const { key, name } = spec.credentialsSecret
  const secrets = yield* Secrets
  return { keyFile: yield* secrets.text(name, key), origin: { secret: name, keys: [key] } }
}, Effect.mapError(unusable))

const authorities = Effect.fnUntraced(function* ({ caKey, name }: NonNullable<S3Spec["caSecret"]>) {
  const secrets = yield* Secrets
  const pem = Redacted.value(yield* secrets.text(name, caKey))
  return { pem, origin: { secret: name, key: caKey } }
}, Effect.mapError(unusable))

/** The store of a spec, with its credentials. `volumes` is where claims are mounted: `{volumes}/{claim name}`. */
export const storage = Effect.fn("Connections.storage")(function* (
  spec: StorageSpec.StorageSpec,
  volumes: string | undefined
): Effect.fn.Return<StorageTarget, WorkerError, Secrets> {
  const refuse = (field: string, detail: string) => new WorkerError({ reason: new NotSupported({ field, detail }) })
  const chosen = StorageSpec.chosen(spec)
  switch (chosen.storageType) {
    case "s3": {
      const { caSecret, credentialsSecret } = chosen.s3
      const secrets = yield* Secrets
      const target = {
        ...StorageTargets.s3(chosen.s3),
        ...(caSecret === undefined ? {} : { authorities: yield* authorities(caSecret) })
      }
      if (credentialsSecret === undefined) return target
      const { accessKeyKey, name, secretKeyKey } = credentialsSecret
      return {
        ...target,
        credentials: {
          accessKeyId: yield* Effect.mapError(secrets.word(name, accessKeyKey, "ascii"), unusable),
          secretAccessKey: yield* Effect.mapError(secrets.word(name, secretKeyKey), unusable),
          origin: { secret: name, keys: [accessKeyKey, secretKeyKey] }
        }
      }
    }
    case "pvc": {
      const { claimName, subPath } = chosen.pvc
      if (volumes === undefined) {
        const detail = `claim ${claimName} is not mounted here; give --volumes DIR with a directory DIR/${claimName}`
        return yield* refuse("spec.storage.pvc", detail)
      }
      return { _tag: "Directory", volume: `${volumes}/${claimName}`, ...(subPath ? { subPath } : {}) }
    }
    case "azure": {
      return { ...StorageTargets.azure(chosen.azure), credentials: yield* azureCredentials(chosen.azure) }
    }
    case "gcs": {
      const credentials = yield* gcsCredentials(chosen.gcs)
      const target = StorageTargets.gcs(chosen.gcs)
      return credentials === undefined ? target : { ...target, credentials }
    }
  }
})
