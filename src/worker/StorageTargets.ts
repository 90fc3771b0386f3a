import type { AzureSpec } from "../resource/AzureSpec.ts"
import type { GcsSpec } from "../resource/GcsSpec.ts"
import type { S3Spec } from "../resource/S3Spec.ts"
import type { AzureTarget, GcsTarget, S3Target } from "../storage/StorageTarget.ts"

/** What a spec says of a store, in the words of the storage room, without what lies in Secrets. Pure. */

export const s3 = (spec: S3Spec): Omit<S3Target, "authorities" | "credentials"> => {
  const { addressingStyle, bucket, endpoint, objectLock, prefix, region, requesterPays } = spec
  const { assumeRole, serverSideEncryption, storageClass, tags } = spec
  return {
    _tag: "S3",
    bucket,
    region,
    ...(prefix ? { prefix } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(addressingStyle === undefined ? {} : { addressingStyle }),
    ...(assumeRole === undefined ? {} : { assumeRole }),
    ...(requesterPays === undefined ? {} : { requesterPays }),
    ...(serverSideEncryption === undefined ? {} : { encryption: serverSideEncryption }),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(objectLock === undefined ? {} : { lock: objectLock }),
    ...(tags === undefined ? {} : { tags })
  }
}

export const azure = (spec: AzureSpec): Omit<AzureTarget, "credentials"> => {
  const { accessTier, accountName, container, encryptionScope, endpoint, immutability, prefix, tags } = spec
  return {
    _tag: "Azure",
    accountName,
    container,
    ...(prefix ? { prefix } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(accessTier === undefined ? {} : { accessTier }),
    ...(encryptionScope === undefined ? {} : { encryptionScope }),
    ...(immutability === undefined ? {} : { lock: immutability }),
    ...(tags === undefined ? {} : { tags })
  }
}

export const gcs = ({ bucket, kmsKeyName, objectRetention, prefix, storageClass }: GcsSpec): GcsTarget => ({
  _tag: "Gcs",
  bucket,
  ...(prefix ? { prefix } : {}),
  ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
  ...(objectRetention === undefined ? {} : { lock: objectRetention }),
  ...(storageClass === undefined ? {} : { storageClass })
})
