import type { KafkaBackupSpec } from "../../resource/KafkaBackupSpec.ts"
import type { SaslSpec } from "../../resource/SaslSpec.ts"
import * as ServiceAccountToken from "../../resource/ServiceAccountToken.ts"
import * as StorageSpec from "../../resource/StorageSpec.ts"

/** One key of one Secret that a container reads; or a token of its service account, as if it were one. */
export interface SecretKey {
  readonly secret: string
  readonly key: string
  /** Present for a token. */
  readonly token?: { readonly audience: string; readonly expirationSeconds: number }
}

const of = (secret: string, ...keys: ReadonlyArray<string>): ReadonlyArray<SecretKey> =>
  keys.map((key) => ({ secret, key }))

const ofTokens = ({ awsMskIam, oauthBearer }: SaslSpec): ReadonlyArray<SecretKey> => {
  const { clientCredentials: client, serviceAccountToken: token, tokenSecret } = oauthBearer ?? {}
  const keys = awsMskIam?.credentialsSecret
  return [
    ...(client === undefined
      ? []
      : [
          ...(client.clientId === undefined ? of(client.clientSecret.name, client.clientSecret.clientIdKey) : []),
          ...of(client.clientSecret.name, client.clientSecret.clientSecretKey),
          ...(client.caSecret === undefined ? [] : of(client.caSecret.name, client.caSecret.caKey))
        ]),
    ...(tokenSecret === undefined ? [] : of(tokenSecret.name, tokenSecret.key)),
    ...(token === undefined
      ? []
      : [{ secret: ServiceAccountToken.folder, key: ServiceAccountToken.file(token.audience), token }]),
    ...(keys === undefined ? [] : of(keys.name, keys.accessKeyKey, keys.secretKeyKey))
  ]
}

/** Keys that a connection to Kafka may need; some of them need not exist. */
export const ofKafka = ({
  kafkaCluster: { caSecret, sasl, saslSecret, tlsSecret }
}: Pick<KafkaBackupSpec, "kafkaCluster">): ReadonlyArray<SecretKey> => [
  ...(caSecret === undefined ? [] : of(caSecret.name, caSecret.key)),
  ...(tlsSecret === undefined
    ? []
    : of(tlsSecret.name, ...(caSecret === undefined ? [tlsSecret.caKey] : []), tlsSecret.certKey, tlsSecret.keyKey)),
  ...(saslSecret === undefined
    ? []
    : of(
        saslSecret.name,
        ...(saslSecret.username === undefined ? [saslSecret.usernameKey] : []),
        saslSecret.passwordKey
      )),
  ...(sasl === undefined ? [] : ofTokens(sasl))
]

/** Keys that the chosen storage needs. Blocks that `storageType` does not name bring nothing into the pod. */
export const ofStorage = ({ storage }: Pick<KafkaBackupSpec, "storage">): ReadonlyArray<SecretKey> => {
  const chosen = StorageSpec.chosen(storage)
  switch (chosen.storageType) {
    case "s3": {
      const { caSecret, credentialsSecret: keys } = chosen.s3
      return [
        ...(keys === undefined ? [] : of(keys.name, keys.accessKeyKey, keys.secretKeyKey)),
        ...(caSecret === undefined ? [] : of(caSecret.name, caSecret.caKey))
      ]
    }
    case "azure": {
      const { credentialsSecret: account, sasTokenSecret: sas, servicePrincipalSecret: principal } = chosen.azure
      return [
        ...(account === undefined ? [] : of(account.name, account.accountKeyKey)),
        ...(sas === undefined ? [] : of(sas.name, sas.sasTokenKey)),
        ...(principal === undefined
          ? []
          : of(principal.name, principal.clientIdKey, principal.tenantIdKey, principal.clientSecretKey))
      ]
    }
    case "gcs": {
      const { credentialsSecret } = chosen.gcs
      return credentialsSecret === undefined ? [] : of(credentialsSecret.name, credentialsSecret.key)
    }
    case "pvc":
      return []
  }
}
