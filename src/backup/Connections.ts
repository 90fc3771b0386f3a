import { Effect, Redacted } from "effect"
import type { KafkaTarget } from "../kafka/KafkaTarget.ts"
import type { KafkaClusterSpec } from "../resource/KafkaClusterSpec.ts"
import * as StorageSpec from "../resource/StorageSpec.ts"
import { type SecretError, Secrets } from "../secrets/MountedSecrets.ts"
import type { StorageTarget } from "../storage/StorageTarget.ts"
import { NotSupported, RunError, SecretUnusable } from "./RunError.ts"

/** From what the spec names to what a port can open: credentials are read here, and nowhere else. */

const unusable = (error: SecretError) =>
  new RunError({ reason: new SecretUnusable({ secret: error.secret, key: error.key, detail: error.detail }) })

const tls = Effect.fnUntraced(function* (spec: KafkaClusterSpec) {
  if (spec.tlsSecret === undefined) return {}
  const { caKey, certKey, keyKey, name } = spec.tlsSecret
  const secrets = yield* Secrets
  const ca = Redacted.value(yield* secrets.text(name, caKey))
  const hasCertificate = yield* secrets.has(name, certKey)
  const hasKey = yield* secrets.has(name, keyKey)
  // A Secret with just the authorities means no client certificate; half a pair is a mistake.
  if (!hasCertificate && !hasKey) return { ca, secret: name }
  return {
    ca,
    secret: name,
    certificate: Redacted.value(yield* secrets.text(name, certKey)),
    key: yield* secrets.text(name, keyKey)
  }
}, Effect.mapError(unusable))

const sasl = Effect.fnUntraced(function* (spec: KafkaClusterSpec) {
  if (spec.saslSecret === undefined) return undefined
  const { mechanism, name, passwordKey, usernameKey } = spec.saslSecret
  const secrets = yield* Secrets
  return {
    mechanism,
    secret: name,
    usernameKey,
    passwordKey,
    username: yield* secrets.word(name, usernameKey),
    password: yield* secrets.word(name, passwordKey)
  }
}, Effect.mapError(unusable))

/** The cluster of a spec, with its credentials. The protocol decides; nothing is ever downgraded. */
export const kafka = Effect.fn("Connections.kafka")(function* (spec: KafkaClusterSpec) {
  const usesTls = spec.securityProtocol.endsWith("SSL")
  const credentials = yield* sasl(spec)
  return {
    bootstrapServers: spec.bootstrapServers,
    ...(usesTls ? { tls: yield* tls(spec) } : {}),
    ...(credentials === undefined ? {} : { sasl: credentials })
  } satisfies KafkaTarget
})

/** The store of a spec, with its credentials. `volumes` is where claims are mounted: `{volumes}/{claim name}`. */
export const storage = Effect.fn("Connections.storage")(function* (
  spec: StorageSpec.StorageSpec,
  volumes: string | undefined
): Effect.fn.Return<StorageTarget, RunError, Secrets> {
  const refuse = (field: string, detail: string) => new RunError({ reason: new NotSupported({ field, detail }) })
  const chosen = StorageSpec.chosen(spec)
  switch (chosen.storageType) {
    case "s3": {
      const { bucket, credentialsSecret, endpoint, prefix, region } = chosen.s3
      const target = {
        _tag: "S3" as const,
        bucket,
        region,
        ...(prefix ? { prefix } : {}),
        ...(endpoint ? { endpoint } : {})
      }
      if (credentialsSecret === undefined) return target
      const { accessKeyKey, name, secretKeyKey } = credentialsSecret
      const secrets = yield* Secrets
      return {
        ...target,
        credentials: {
          accessKeyId: yield* Effect.mapError(secrets.word(name, accessKeyKey), unusable),
          secretAccessKey: yield* Effect.mapError(secrets.word(name, secretKeyKey), unusable),
          origin: { secret: name, keys: [accessKeyKey, secretKeyKey] }
        }
      }
    }
    case "pvc": {
      const { claimName, subPath } = chosen.pvc
      if (volumes === undefined) {
        const detail = `claim ${claimName} is not mounted here; give --volumes DIR, with a directory DIR/${claimName}`
        return yield* refuse("spec.storage.pvc", detail)
      }
      return { _tag: "Directory", volume: `${volumes}/${claimName}`, ...(subPath ? { subPath } : {}) }
    }
    case "azure":
    case "gcs":
      return yield* refuse(
        "spec.storage.storageType",
        `${chosen.storageType} is part of the API, but this version can only write to s3 and pvc`
      )
  }
})
