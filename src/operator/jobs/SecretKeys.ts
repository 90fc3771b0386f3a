import type { KafkaBackupSpec } from "../../resource/KafkaBackupSpec.ts"
import * as StorageSpec from "../../resource/StorageSpec.ts"

/** One key of one Secret that a container reads. */
export interface SecretKey {
  readonly secret: string
  readonly key: string
}

const of = (secret: string, ...keys: ReadonlyArray<string>): ReadonlyArray<SecretKey> =>
  keys.map((key) => ({ secret, key }))

/** Keys that a connection to Kafka may need; some of them need not exist. */
export const ofKafka = ({
  kafkaCluster: { caSecret, saslSecret, tlsSecret }
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
      ))
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
