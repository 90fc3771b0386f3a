import { endpoint } from "./Endpoint.ts"
import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import { AzureImmutability } from "./ObjectLockSpec.ts"
import { ObjectPrefix } from "./ObjectPrefix.ts"
import { AzureTags } from "./ObjectTags.ts"
import * as Rule from "./Rule.ts"

const AzureCredentialsSecret = Field.object(
  { name: secretName, accountKeyKey: Field.withDefault(secretKey("Key of the account key."), "AZURE_STORAGE_KEY") },
  { description: "Secret with the storage account's key." }
)

const AzureSasTokenSecret = Field.object(
  { name: secretName, sasTokenKey: Field.withDefault(secretKey("Key of the SAS token."), "AZURE_SAS_TOKEN") },
  { description: "Secret with a shared access signature that may read, write, list and delete in the container." }
)

const AzureServicePrincipalSecret = Field.object(
  {
    name: secretName,
    clientIdKey: Field.withDefault(secretKey("Key of the client (application) id."), "AZURE_CLIENT_ID"),
    tenantIdKey: Field.withDefault(secretKey("Key of the tenant (directory) id."), "AZURE_TENANT_ID"),
    clientSecretKey: Field.withDefault(secretKey("Key of the client secret."), "AZURE_CLIENT_SECRET")
  },
  { description: "Secret with a service principal that may read, write, list and delete in the container." }
)

const archive = "^(?i:archive)$"

const AccessTier = Field.text({
  description:
    "Access tier of data, not of bookkeeping: Hot, Cool or Cold. Cool charges for at least 30 days of each blob, Cold for 90, and both for reading, which verification does: retention that removes earlier saves nothing. Absent: the account's default.",
  maxLength: 64,
  rules: [
    Rule.avoids(
      archive,
      "must not be Archive: its blobs cannot be read for hours, so that no run could verify them and no incremental backup or restore could begin; Cold is read at once"
    ),
    Rule.matchesUnless(archive, "^(Hot|Cool|Cold)$", "must be Hot, Cool or Cold")
  ]
})

const EncryptionScope = Field.text({
  description:
    "Encryption scope of the account, with a key of its own, in which every blob is encrypted, bookkeeping too; 3 to 63 characters. It must exist and be enabled. Absent: the container's.",
  maxLength: 63,
  rules: [
    Rule.matches(
      "^[A-Za-z0-9](-?[A-Za-z0-9]){2,62}$",
      "must be an encryption scope's name, 3 to 63 letters, digits and single '-'"
    )
  ]
})

export const AzureSpec = Field.object(
  {
    accountName: Field.text({
      description: "Storage account.",
      maxLength: 24,
      rules: [
        Rule.matches(
          "^[a-z0-9]{3,24}$",
          "must be a storage account's name, 3 to 24 lower case letters and digits; an address goes into endpoint"
        )
      ]
    }),
    container: Field.text({
      description: "Blob container that keeps the backups. It must exist.",
      maxLength: 63,
      rules: [
        Rule.rule<string>({
          cel: "self != '$root'",
          message:
            "must not be $root: the names of its blobs must not contain '/', those of backups do; create a container, for example kafka-backups",
          holds: (self) => self !== "$root"
        }),
        Rule.rule<string>({
          cel: "self == '$root' || (self.size() >= 3 && self.matches(r'^[a-z0-9](-?[a-z0-9])+$'))",
          message:
            "must be a container's name, 3 to 63 lower case letters, digits and single '-'; a path goes into prefix",
          holds: (self) => self === "$root" || (self.length >= 3 && /^[a-z0-9](-?[a-z0-9])+$/.test(self))
        })
      ]
    }),
    prefix: Field.optional(ObjectPrefix("Prefix of all blob names, for example production/hourly.")),
    endpoint: endpoint(
      "Address of the blob service, for sovereign clouds and emulators, for example https://myaccount.blob.core.usgovcloudapi.net. Empty or absent: the public cloud."
    ),
    useWorkloadIdentity: Field.withDefault(
      Field.flag({
        description: "Use AKS Workload Identity; podTemplate.serviceAccountName names the federated service account."
      }),
      false
    ),
    credentialsSecret: Field.optional(AzureCredentialsSecret),
    sasTokenSecret: Field.optional(AzureSasTokenSecret),
    servicePrincipalSecret: Field.optional(AzureServicePrincipalSecret),
    accessTier: Field.optional(AccessTier),
    immutability: Field.optional(AzureImmutability),
    encryptionScope: Field.optional(EncryptionScope),
    tags: Field.optional(AzureTags)
  },
  {
    description:
      "Azure Blob Storage. Choose one way to authenticate: credentialsSecret, sasTokenSecret, servicePrincipalSecret or useWorkloadIdentity. With none of them the identity that the platform gives the pod is used.",
    rules: [
      Rule.rule({
        cel: "[has(self.credentialsSecret), has(self.sasTokenSecret), has(self.servicePrincipalSecret), has(self.useWorkloadIdentity) && self.useWorkloadIdentity].filter(x, x).size() <= 1",
        message:
          "choose one way to authenticate: credentialsSecret, sasTokenSecret, servicePrincipalSecret or useWorkloadIdentity, and remove the others",
        reason: "FieldValueForbidden",
        holds: (self) =>
          [
            self.credentialsSecret !== undefined,
            self.sasTokenSecret !== undefined,
            self.servicePrincipalSecret !== undefined,
            self.useWorkloadIdentity
          ].filter((chosen) => chosen).length <= 1
      })
    ]
  }
)
export type AzureSpec = typeof AzureSpec.Type
