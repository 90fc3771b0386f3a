import type { BlobGetPropertiesResponse, BlockBlobUploadOptions } from "@azure/storage-blob"
import * as Storing from "../cloud/Storing.ts"
import type { ObjectRole } from "../ObjectStore.ts"
import { Misconfigured, type ObjectStoreReason, StorageAuthorizationFailed } from "../ObjectStoreError.ts"
import type { AzureTarget } from "../StorageTarget.ts"

type Settings = Pick<AzureTarget, "accessTier" | "encryptionScope" | "lock" | "tags">

/** Every thing that an upload asks for beside storing the bytes, by the name of its field. */
export const text = ({ accessTier, encryptionScope, lock, tags }: Settings): string | undefined =>
  Storing.text([
    ["accessTier", accessTier],
    ["immutability", Storing.lockText(lock)],
    ["encryptionScope", encryptionScope],
    ["tags", tags === undefined ? undefined : Object.keys(tags).join(" and ")]
  ])

/** Options that the upload of a small blob and the commit of a large one have in common. */
export type Options = Pick<BlockBlobUploadOptions, "encryptionScope" | "immutabilityPolicy" | "tags" | "tier">

/** What goes along with the content. Scope and tags are for every blob, tier and policy for data. */
export const options = (
  { accessTier, encryptionScope, lock, tags }: Settings,
  role: ObjectRole | undefined,
  nowMillis: number
): Options => {
  const until = Storing.lockedUntil(lock, role, nowMillis)
  return {
    ...(accessTier === undefined || role === undefined ? {} : { tier: accessTier }),
    ...(encryptionScope === undefined ? {} : { encryptionScope }),
    ...(tags === undefined ? {} : { tags: { ...tags } }),
    ...(lock === undefined || until === undefined
      ? {}
      : { immutabilityPolicy: { expiriesOn: new Date(until), policyMode: lock.mode } })
  }
}

type Properties = Pick<
  BlobGetPropertiesResponse,
  "accessTier" | "encryptionScope" | "immutabilityPolicyExpiresOn" | "immutabilityPolicyMode"
>

/** Why a test object is not stored as was asked for. */
export const disproved = (
  { accessTier, encryptionScope, lock }: Settings,
  found: Properties
): ObjectStoreReason | undefined =>
  Storing.disproved([
    {
      field: "accessTier",
      asked: accessTier,
      found: found.accessTier,
      advice: "choose a tier that this kind of account has, or remove accessTier"
    },
    {
      field: "encryptionScope",
      asked: encryptionScope,
      found: found.encryptionScope,
      advice: "choose a scope of this account, or remove encryptionScope"
    },
    {
      field: "immutability",
      asked: lock?.mode.toLowerCase(),
      found: found.immutabilityPolicyExpiresOn === undefined ? undefined : found.immutabilityPolicyMode?.toLowerCase(),
      advice: "enable version-level immutability on the container, or remove immutability"
    }
  ])

const scopeCodes = new Set([
  "EncryptionScopeNotFound",
  "EncryptionScopeDisabled",
  "InvalidEncryptionScope",
  "BlobEncryptionScopeMismatch",
  "FeatureEncryptionMismatch"
])
const keyCodes = new Set([
  "KeyVaultEncryptionKeyNotFound",
  "KeyVaultVaultNotFound",
  "KeyVaultAccessTokenCannotBeAcquired"
])

/** What refusals mean that come of these settings. Undefined where the refusal is about something else. */
export const refusal = (
  { code, status }: { readonly code: string; readonly status?: number },
  operation: string,
  storing: string | undefined,
  detail: string
): ObjectStoreReason | undefined => {
  if (scopeCodes.has(code)) {
    const advice = "create and enable the encryption scope in the account, or correct encryptionScope"
    return new Misconfigured({ detail, advice })
  }
  if (keyCodes.has(code)) {
    const advice =
      "give the account's identity the right to get, wrap and unwrap with the key of its encryption scope (Key Vault), and enable the key"
    return new StorageAuthorizationFailed({ detail, advice })
  }
  if (storing === undefined || operation !== "put") return undefined
  const isUnsuited =
    (status === 400 &&
      /^(Invalid(HeaderValue|BlobTier|Tag|Input)|UnsupportedHeader|FeatureNotSupported\w*)$/u.test(code)) ||
    /^(AccessTierNotSupported\w*|BlobAccessTierNotSupported\w*|\w*VersionLevelImmutability\w*|BlobTagsNotSupported\w*)$/u.test(
      code
    ) ||
    (status === 409 && /^(FeatureNotEnabled|ImmutableStorage\w*|OperationNotAllowed\w*)$/u.test(code))
  return isUnsuited
    ? new Misconfigured({
        detail,
        advice: `account or container may not take what is asked of them: ${storing}; enable it there (immutability needs version-level immutability), or correct or remove it`
      })
    : undefined
}
