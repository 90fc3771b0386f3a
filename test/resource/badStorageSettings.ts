import type { BadManifest } from "./badManifests.ts"
import { changed } from "./manifests.ts"

/** What people write by mistake into the settings that say how a store is to keep objects, and by whom. */

const bad = (
  mistake: string,
  changes: ReadonlyArray<readonly [path: string, value: unknown]>,
  field: string,
  says: string
): BadManifest => ({ mistake, manifest: changed(...changes), field: `spec.${field}`, says })

/** One change, one message, at the changed field or below it. */
const at = (field: string, mistake: string, value: unknown, says: string, blamed = field): BadManifest =>
  bad(mistake, [[field, value]], blamed, says)

const s3 = "storage.s3"
const azure = "storage.azure"
const gcs = "storage.gcs"
const role = "arn:aws:iam::123456789012:role/kafka-backup"
const elevenTags = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`tag-${n}`, "x"]))

export const badStorageSettings: ReadonlyArray<BadManifest> = [
  at(`${s3}.addressingStyle`, "another word for path-style", "path-style", "must be"),
  bad(
    "a virtual host of a bucket with dots",
    [
      [`${s3}.bucket`, "kafka.backups"],
      [`${s3}.addressingStyle`, "virtual"]
    ],
    `${s3}.addressingStyle`,
    "no certificate covers"
  ),
  ...["https://10.0.0.7:9000", "http://192.168.1.2", "https://[fd00::1]:9000/"].map((endpoint) =>
    bad(
      `a virtual host of the address ${endpoint}`,
      [
        [`${s3}.endpoint`, endpoint],
        [`${s3}.addressingStyle`, "virtual"]
      ],
      `${s3}.addressingStyle`,
      "with an IP address as endpoint"
    )
  ),
  at(`${s3}.requesterPays`, "a word for yes", "requester", "true or false"),
  at(`${s3}.assumeRole`, "a role without its ARN", {}, "is required", `${s3}.assumeRole.roleArn`),
  at(`${s3}.assumeRole.roleArn`, "a role's name", "kafka-backup", "must be a role's ARN"),
  at(`${s3}.assumeRole.roleArn`, "a user's ARN", "arn:aws:iam::123456789012:user/kafka-backup", "must be a role's ARN"),
  at(
    `${s3}.assumeRole`,
    "an external id with a blank",
    { roleArn: role, externalId: "our id" },
    "_ + = , . @ : / -",
    `${s3}.assumeRole.externalId`
  ),
  at(
    `${s3}.assumeRole`,
    "a session's name with a slash",
    { roleArn: role, sessionName: "kafka/backup" },
    "_ + = , . @ - without",
    `${s3}.assumeRole.sessionName`
  ),
  at(
    `${s3}.assumeRole`,
    "a token service without a scheme",
    { roleArn: role, endpoint: "sts.eu-west-1.amazonaws.com" },
    "must start with http:// or https://",
    `${s3}.assumeRole.endpoint`
  ),
  at(
    `${s3}.serverSideEncryption`,
    "a key without an algorithm",
    { kmsKeyId: "alias/kafka" },
    "is required",
    `${s3}.serverSideEncryption.algorithm`
  ),
  at(
    `${s3}.serverSideEncryption`,
    "an algorithm by its other name",
    { algorithm: "SSE-KMS" },
    "must be",
    `${s3}.serverSideEncryption.algorithm`
  ),
  at(
    `${s3}.serverSideEncryption`,
    "a key that nothing uses",
    { algorithm: "AES256", kmsKeyId: "alias/kafka" },
    "no effect with AES256",
    `${s3}.serverSideEncryption.kmsKeyId`
  ),
  at(
    `${s3}.serverSideEncryption`,
    "a key with a blank",
    { algorithm: "aws:kms", kmsKeyId: "our key" },
    "key's id, ARN or alias",
    `${s3}.serverSideEncryption.kmsKeyId`
  ),
  at(`${s3}.storageClass`, "a class that is read hours later", "DEEP_ARCHIVE", "no run could verify them"),
  at(`${s3}.storageClass`, "a class by its other name", "IA", "must be STANDARD, REDUCED_REDUNDANCY"),
  at(`${s3}.objectLock`, "a lock without a mode", { days: 30 }, "is required", `${s3}.objectLock.mode`),
  at(`${s3}.objectLock`, "a lock without days", { mode: "COMPLIANCE" }, "is required", `${s3}.objectLock.days`),
  at(
    `${s3}.objectLock`,
    "a lock of no day",
    { mode: "COMPLIANCE", days: 0 },
    "from 1 to 36500",
    `${s3}.objectLock.days`
  ),
  at(`${s3}.tags`, "no tag", {}, "must have at least one tag"),
  at(`${s3}.tags`, "eleven tags", elevenTags, "at most 10"),
  at(`${s3}.tags`, "a tag's name with a percent sign", { "50%": "x" }, "1 to 128 characters: letters, digits"),
  at(`${s3}.tags`, "a tag of the service", { "AWS:team": "x" }, "must not begin with aws:"),
  at(
    `${s3}.tags`,
    "a tag's value with a comma",
    { team: "a,b" },
    "a tag's value must consist of letters, digits",
    `${s3}.tags[team]`
  ),
  at(`${azure}.accessTier`, "a tier that is read hours later", "Archive", "no run could verify them"),
  at(`${azure}.accessTier`, "a tier in small letters", "cool", "must be Hot, Cool or Cold"),
  at(
    `${azure}.immutability`,
    "the words of S3",
    { mode: "COMPLIANCE", days: 30 },
    "must be",
    `${azure}.immutability.mode`
  ),
  at(`${azure}.encryptionScope`, "a key in place of its scope", "https://vault/keys/a", "encryption scope's name"),
  at(`${azure}.tags`, "no tag for blobs", {}, "must have at least one tag"),
  at(`${azure}.tags`, "a tag's name with an at sign", { "a@b": "x" }, "1 to 128 characters: letters a to z"),
  at(
    `${azure}.tags`,
    "a tag's value with an umlaut",
    { team: "ä" },
    "a tag's value must consist of letters a to z",
    `${azure}.tags[team]`
  ),
  at(`${gcs}.storageClass`, "a class of S3", "GLACIER", "must be"),
  at(`${gcs}.kmsKeyName`, "a key's name alone", "kafka", "must be a key's whole name"),
  at(
    `${gcs}.objectRetention`,
    "more than a hundred years",
    { mode: "Locked", days: 40_000 },
    "from 1 to 36500",
    `${gcs}.objectRetention.days`
  )
]
