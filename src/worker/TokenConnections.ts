import { Effect, Redacted } from "effect"
import type { GivenToken, TokenCredentials } from "../kafka/KafkaCredentials.ts"
import * as KafkaCredentials from "../kafka/KafkaCredentials.ts"
import type { AwsMskIamSpec } from "../resource/AwsMskIamSpec.ts"
import type { ClientCredentialsSpec } from "../resource/ClientCredentialsSpec.ts"
import type { OAuthBearerSpec } from "../resource/OAuthBearerSpec.ts"
import type { SaslSpec } from "../resource/SaslSpec.ts"
import * as ServiceAccountToken from "../resource/ServiceAccountToken.ts"
import { Secrets } from "../secrets/MountedSecrets.ts"
import { SecretError } from "../secrets/SecretError.ts"

/** From `kafkaCluster.sasl` to credentials that a cluster can be opened with. */

const clientCredentials = Effect.fnUntraced(function* (spec: ClientCredentialsSpec) {
  const { audience, caSecret, clientId, clientSecret, scope, sendIn, tokenEndpoint } = spec
  const { clientIdKey, clientSecretKey, name } = clientSecret
  const secrets = yield* Secrets
  const ca = caSecret === undefined ? undefined : yield* secrets.text(caSecret.name, caSecret.caKey)
  return {
    _tag: "ClientCredentials" as const,
    tokenEndpoint,
    clientId: clientId === undefined ? yield* secrets.word(name, clientIdKey) : Redacted.make(clientId),
    clientSecret: yield* secrets.word(name, clientSecretKey),
    sentIn: sendIn,
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
    ...(caSecret === undefined || ca === undefined
      ? {}
      : { authorities: { pem: Redacted.value(ca), secret: caSecret.name, key: caSecret.caKey } }),
    origin: { secret: name, keys: clientId === undefined ? [clientIdKey, clientSecretKey] : [clientSecretKey] }
  }
})

/** By hand there is no kubelet: says how the file is made. */
const serviceAccountToken = Effect.fnUntraced(function* (audience: string) {
  const secrets = yield* Secrets
  const token = yield* secrets.word(ServiceAccountToken.folder, ServiceAccountToken.file(audience), "ascii").pipe(
    Effect.mapError(
      ({ detail, key, secret }) =>
        new SecretError({
          secret,
          key,
          detail: `${detail}; the operator mounts the token of the pod's service account there, by hand kubectl create token --audience ${audience} makes one`
        })
    )
  )
  return { _tag: "GivenToken", token, origin: `the service account's token for audience ${audience}` } as const
})

const tokenSecret = Effect.fnUntraced(function* (secret: string, key: string) {
  const token = yield* (yield* Secrets).word(secret, key, "ascii")
  return {
    _tag: "GivenToken",
    token,
    origin: KafkaCredentials.originText({ secret, keys: [key] })
  } satisfies GivenToken
})

const oauthBearer = Effect.fnUntraced(function* (spec: OAuthBearerSpec) {
  const { clientCredentials: client, extensions = {}, serviceAccountToken: own, tokenSecret: given } = spec
  const mechanism = "OAUTHBEARER" as const
  if (client !== undefined) return { mechanism, source: yield* clientCredentials(client), extensions }
  if (given !== undefined) return { mechanism, source: yield* tokenSecret(given.name, given.key), extensions }
  if (own !== undefined) return { mechanism, source: yield* serviceAccountToken(own.audience), extensions }
  return undefined
})

const mskIam = Effect.fnUntraced(function* (spec: AwsMskIamSpec) {
  const { credentialsSecret, externalId, region, roleArn } = spec
  const target = {
    mechanism: "AWS_MSK_IAM" as const,
    region,
    ...(roleArn === undefined ? {} : { role: { arn: roleArn, ...(externalId === undefined ? {} : { externalId }) } })
  }
  if (credentialsSecret === undefined) return target
  const { accessKeyKey, name, secretKeyKey } = credentialsSecret
  const secrets = yield* Secrets
  return {
    ...target,
    credentials: {
      accessKeyId: yield* secrets.word(name, accessKeyKey, "ascii"),
      secretAccessKey: yield* secrets.word(name, secretKeyKey),
      origin: { secret: name, keys: [accessKeyKey, secretKeyKey] }
    }
  }
})

/**
 * The credentials of a spec that uses tokens; undefined for one that does not. The schema refuses more than one way.
 */
export const sasl = Effect.fnUntraced(function* (
  spec: SaslSpec | undefined
): Effect.fn.Return<TokenCredentials | undefined, SecretError, Secrets> {
  if (spec?.mechanism === "AWS_MSK_IAM") return spec.awsMskIam && (yield* mskIam(spec.awsMskIam))
  return spec?.oauthBearer && (yield* oauthBearer(spec.oauthBearer))
})
