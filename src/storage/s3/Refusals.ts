import * as Answer from "../cloud/Answer.ts"
import * as Failure from "../cloud/Failure.ts"
import {
  Misconfigured,
  type ObjectStoreReason,
  StorageAuthenticationFailed,
  StorageAuthorizationFailed
} from "../ObjectStoreError.ts"
import type { AssumedRole, S3Target } from "../StorageTarget.ts"

/** What refusals mean that come of the settings for keys, classes, locks and roles. Pure. */

export interface Settings {
  readonly assumeRole?: AssumedRole
  readonly encryption?: NonNullable<S3Target["encryption"]>
  /** What a put asks for beside storing the bytes: `storageClass GLACIER_IR`. */
  readonly storing?: string
}

/** The permission that AWS names in its refusals: `s3:PutObjectTagging`, `kms:GenerateDataKey`. */
export const actionIn = (message: string): string | undefined => /\b((?:s3|kms|sts):[A-Z][A-Za-z]+)/u.exec(message)?.[1]

/** What the token service said when it was asked for the role. Undefined where it said nothing of that. */
export const ofRole = (
  facts: Failure.Facts,
  context: Failure.ErrorContext,
  { assumeRole }: Settings,
  words: Failure.Words
): ObjectStoreReason | undefined => {
  if (assumeRole === undefined || facts.status === undefined || facts.isPage === true) return undefined
  const detail = `role ${assumeRole.roleArn} was not given to ${words.who}: ${Failure.said(facts, context)} ${Failure.suffix(facts)}`
  if (Answer.isPassing(facts.status) || /Throttling|IDPCommunication/u.test(facts.code)) {
    return Failure.unavailable(facts, detail)
  }
  const condition =
    assumeRole.externalId === undefined ? "" : `, on the condition that sts:ExternalId is ${assumeRole.externalId}`
  const advice = `allow sts:AssumeRole on the role to ${words.who}, and name that identity in the role's trust policy${condition} (spec.storage.s3.assumeRole); ${words.identityAdvice}`
  return new StorageAuthenticationFailed({ detail, advice })
}

const keyText = ({ encryption }: Settings): string =>
  encryption?.kmsKeyId === undefined ? "the bucket's KMS key" : `KMS key ${encryption.kmsKeyId}`

/** The encryption key, or the right to it, is missing. */
const ofKey = (
  { code, message, status }: Failure.Facts,
  { operation }: Pick<Failure.ErrorContext, "operation">,
  settings: Settings,
  { who }: Failure.Words,
  detail: string
): ObjectStoreReason | undefined => {
  const action = actionIn(message)
  const isDenied = action?.startsWith("kms:") === true
  if (!isDenied && !/^KMS/iu.test(code) && !(status === 501 && /\bKMS\b/u.test(message))) return undefined
  const key = keyText(settings)
  if (!isDenied && settings.encryption?.algorithm === "AES256") {
    const advice = "remove serverSideEncryption, or set up encryption at the store: it has no key of its own for AES256"
    return new Misconfigured({ detail, advice })
  }
  // The store has no keys at all: another key would not help.
  if (!isDenied && (status === 501 || /NotConfigured|NotImplemented/u.test(code))) {
    const advice =
      "set up a key management service (KMS) at the store, or remove serverSideEncryption: no key can be used as long as it has none"
    return new Misconfigured({ detail, advice })
  }
  if (!isDenied && /NotFound/u.test(code)) {
    const advice = `write a key that exists in the bucket's region into serverSideEncryption.kmsKeyId (now: ${key}), another account's by its ARN`
    return new Misconfigured({ detail, advice })
  }
  if (!isDenied && /Disabled|InvalidState/u.test(code)) {
    return new StorageAuthorizationFailed({ detail, advice: `enable ${key}: it is disabled, or about to be deleted` })
  }
  const needed = action ?? "kms:GenerateDataKey and kms:Decrypt"
  const why = operation === "put" ? "writing with SSE-KMS needs" : "reading what SSE-KMS encrypted needs"
  const advice = `allow ${needed} on ${key} to ${who}, in its policy and in that of the key (${why} it), or choose another key`
  return new StorageAuthorizationFailed({ detail, advice })
}

/** The store does not keep objects as a put asks for. Undefined where the refusal is about something else. */
export const ofStoring = (
  facts: Failure.Facts,
  context: Pick<Failure.ErrorContext, "operation">,
  settings: Settings,
  words: Failure.Words,
  detail: string
): ObjectStoreReason | undefined => {
  const { code, message, status } = facts
  const key = ofKey(facts, context, settings, words, detail)
  if (key !== undefined) return key
  if (code === "InvalidStorageClass") {
    const advice = `choose a storage class that the store has (asked for: ${settings.storing ?? "none"}), or remove storageClass`
    return new Misconfigured({ detail, advice })
  }
  if (/(?:missing|no|without|not have) object ?lock|object ?lock (?:is )?not (?:enabled|found)/iu.test(message)) {
    const advice = "enable object lock, and with it versioning, on the bucket, or remove objectLock"
    return new Misconfigured({ detail, advice })
  }
  const isUnsuited =
    status === 501 || (status === 400 && /^(Invalid(Argument|Request|Tag)|NotImplemented)$/u.test(code))
  return context.operation === "put" && settings.storing !== undefined && isUnsuited
    ? new Misconfigured({
        detail,
        advice: `the store may not know what is asked of it: ${settings.storing}; correct or remove it`
      })
    : undefined
}
