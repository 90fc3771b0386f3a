import * as Field from "./Field.ts"
import { secretKey, secretName } from "./Name.ts"
import { GcsRetention } from "./ObjectLockSpec.ts"
import { ObjectPrefix } from "./ObjectPrefix.ts"
import * as Rule from "./Rule.ts"

const GcsCredentialsSecret = Field.object(
  {
    name: secretName,
    key: Field.withDefault(secretKey("Key of the service account's JSON key file."), "credentials.json")
  },
  { description: "Secret with a service account's key file. Without it GKE Workload Identity is used." }
)

export const GcsSpec = Field.object(
  {
    bucket: Field.text({
      description: "Bucket that keeps the backups. It must exist.",
      maxLength: 222,
      rules: [
        Rule.matches(
          "^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$",
          "must be a bucket's name, lower case letters, digits, '-', '_' and '.'; a path goes into prefix, gs:// is left out"
        ),
        Rule.rule<string>({
          cel: "!self.startsWith('goog') && !self.contains('..') && !self.matches(r'^[0-9]+([.][0-9]+){3}$')",
          message: "must not begin with 'goog', contain '..' or look like an IP address: Google reserves these",
          holds: (self) => !self.startsWith("goog") && !self.includes("..") && !/^[0-9]+([.][0-9]+){3}$/.test(self)
        }),
        Rule.avoids("[^.]{64}", "must not contain a part of more than 63 characters between dots")
      ]
    }),
    prefix: Field.optional(ObjectPrefix("Prefix of all object names, for example production/hourly.")),
    credentialsSecret: Field.optional(GcsCredentialsSecret),
    storageClass: Field.optional(
      Field.choice(["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"], {
        description:
          "Storage class of data, not of bookkeeping; all are read at once. NEARLINE charges for at least 30 days of each object, COLDLINE for 90, ARCHIVE for 365, and all three for reading, which verification does: retention that removes earlier saves nothing. Absent: the bucket's default."
      })
    ),
    kmsKeyName: Field.optional(
      Field.text({
        description:
          "Cloud KMS key, in the bucket's location, for every object, bookkeeping too. The project's Cloud Storage service agent needs the role Cloud KMS CryptoKey Encrypter/Decrypter on it. Absent: the bucket's default.",
        maxLength: 512,
        rules: [
          Rule.matches(
            "^projects/[A-Za-z0-9.:_-]+/locations/[A-Za-z0-9-]+/keyRings/[A-Za-z0-9_-]+/cryptoKeys/[A-Za-z0-9_-]+$",
            "must be a key's whole name without a version, projects/P/locations/L/keyRings/R/cryptoKeys/K"
          )
        ]
      })
    ),
    objectRetention: Field.optional(GcsRetention)
  },
  { description: "Google Cloud Storage." }
)
export type GcsSpec = typeof GcsSpec.Type
