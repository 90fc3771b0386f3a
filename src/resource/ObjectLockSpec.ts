import * as Field from "./Field.ts"

/**
 * Longest lock, in days. Source: Amazon S3, object lock: 100 years; Azure and Google Cloud Storage allow a little more.
 */
const longestDays = 36_500

const days = Field.integer({
  description:
    "Days from the writing of an object until it may be removed, from 1 to 36500. Retention keeps a backup at least as long, and says until when.",
  minimum: 1,
  maximum: longestDays
})

const whatIsLocked =
  "Segments and the documents of a set are locked, bookkeeping is not. A backup is locked only as long as the oldest object that it names: see fullEvery."

export const S3ObjectLock = Field.object(
  {
    mode: Field.choice(["GOVERNANCE", "COMPLIANCE"], {
      description:
        "GOVERNANCE: identities with s3:BypassGovernanceRetention may end the lock early. COMPLIANCE: nobody can, the account's root user included."
    }),
    days
  },
  {
    description: `Object lock; the bucket must have it enabled. ${whatIsLocked} Needs s3:PutObjectRetention and s3:GetObjectRetention.`
  }
)

const unlockedOrLocked = Field.choice(["Unlocked", "Locked"], {
  description:
    "Unlocked: identities with the right to it may shorten or remove the lock. Locked: nobody can, it can only be prolonged."
})

export const AzureImmutability = Field.object(
  { mode: unlockedOrLocked, days },
  {
    description: `Immutability policy of blobs; the container must have version-level immutability. ${whatIsLocked} Needs the role Storage Blob Data Owner, or permission i in a SAS token.`
  }
)

export const GcsRetention = Field.object(
  { mode: unlockedOrLocked, days },
  {
    description: `Retention of objects; the bucket must have object retention enabled. ${whatIsLocked} Needs storage.objects.setRetention.`
  }
)
