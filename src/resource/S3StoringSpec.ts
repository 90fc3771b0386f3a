import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** How S3 keeps what is written: encryption and storage class. */

const kmsKey = "^[A-Za-z0-9:/_-]+$"

export const ServerSideEncryption = Field.object(
  {
    algorithm: Field.choice(["AES256", "aws:kms", "aws:kms:dsse"], {
      description:
        "AES256: keys of S3. aws:kms: a key of AWS KMS (or of the server's own key service). aws:kms:dsse: two layers with it."
    }),
    kmsKeyId: Field.optional(
      Field.text({
        description:
          "Id, ARN or alias of the KMS key, in the bucket's region; another account's key by its ARN. The identity needs kms:GenerateDataKey and kms:Decrypt on it. Absent: the bucket's key, else aws/s3.",
        maxLength: 2048,
        rules: [Rule.matches(kmsKey, "must be a key's id, ARN or alias, for example alias/kafka-backup")]
      })
    )
  },
  {
    description:
      "Encryption that every object asks for, bookkeeping too: a bucket's policy may demand it. Absent: as the bucket is set up. Reading needs no setting, only kms:Decrypt.",
    rules: [
      Rule.rule({
        cel: "!has(self.kmsKeyId) || self.algorithm != 'AES256'",
        message: "kmsKeyId has no effect with AES256: choose aws:kms or aws:kms:dsse, or remove kmsKeyId",
        reason: "FieldValueForbidden",
        fieldPath: ".kmsKeyId",
        holds: ({ algorithm, kmsKeyId }) => kmsKeyId === undefined || algorithm !== "AES256"
      })
    ]
  }
)

const archives = "^(GLACIER|DEEP_ARCHIVE)$"

export const S3StorageClass = Field.text({
  description:
    "Storage class of data, not of bookkeeping. STANDARD_IA and ONEZONE_IA charge for at least 30 days and 128 KiB of each object, GLACIER_IR for 90 days, and all three for reading, which verification does: retention that removes earlier saves nothing. Never GLACIER or DEEP_ARCHIVE. Absent: STANDARD.",
  maxLength: 64,
  rules: [
    Rule.avoids(
      archives,
      "must not be GLACIER or DEEP_ARCHIVE: their objects cannot be read for hours, so that no run could verify them and no incremental backup or restore could begin; GLACIER_IR is read at once"
    ),
    Rule.matchesUnless(
      archives,
      "^(STANDARD|REDUCED_REDUNDANCY|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER_IR)$",
      "must be STANDARD, REDUCED_REDUNDANCY, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING or GLACIER_IR"
    )
  ]
})
