import {
  ContentMismatch,
  Misconfigured,
  ObjectExists,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  OutOfSpace,
  StorageAuthenticationFailed,
  StorageAuthorizationFailed,
  StoreUnavailable,
  TargetMissing
} from "../ObjectStoreError.ts"
import type { CredentialsOrigin } from "../StorageTarget.ts"
import * as HandshakeFailure from "./HandshakeFailure.ts"

export type Operation = ObjectStoreError["operation"]

/** What is worth knowing of a failed request; everything else of the SDK's error, which may quote credentials, is dropped. */
export interface Facts extends HandshakeFailure.Signs {
  /** S3's error code (`NoSuchKey`), or the error's name. */
  readonly code: string
  /** HTTP status; absent when no answer came. */
  readonly status?: number
  readonly message: string
  /** The region that the server told us to use. */
  readonly region?: string
  readonly retryAfterMillis?: number
  readonly requestId?: string
}

/** Where it failed, for the message and the advice. */
export interface ErrorContext extends HandshakeFailure.Peer {
  readonly operation: Operation
  readonly location: string
  readonly bucket: string
  readonly region: string
  /** Absent where no single object is meant. */
  readonly key?: string
  /** Absent: the SDK's default chain. */
  readonly origin?: CredentialsOrigin
  /** Strings that no message may quote. */
  readonly secrets: ReadonlyArray<string>
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** `Retry-After` in milliseconds: seconds, or a date. */
const retryAfter = (header: unknown, nowMillis: number): number | undefined => {
  const value = text(header)
  if (value === undefined) return undefined
  const millis = /^\d+$/u.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMillis
  return Number.isFinite(millis) ? Math.max(0, millis) : undefined
}

/** Reads the facts off whatever the SDK threw. */
export const facts = (error: unknown, nowMillis: number): Facts => {
  const response = field(error, "$response")
  const headers = field(response, "headers")
  const metadata = field(error, "$metadata")
  const status = field(metadata, "httpStatusCode") ?? field(response, "statusCode")
  const transport = text(field(error, "code")) ?? text(field(field(error, "cause"), "code"))
  const region = text(field(headers, "x-amz-bucket-region")) ?? text(field(error, "Region"))
  const retryAfterMillis = retryAfter(field(headers, "retry-after"), nowMillis)
  const requestId = text(field(metadata, "requestId"))
  const wantsTls = /HTTP request to an HTTPS server/iu.test(text(field(error, "$responseBodyText")) ?? "")
  const certificateNames = text(field(field(error, "cert"), "subjectaltname"))
  return {
    code: text(field(error, "Code")) ?? text(field(error, "name")) ?? "Unknown",
    message: error instanceof Error ? error.message : String(error),
    ...(typeof status === "number" ? { status } : {}),
    ...(transport === undefined || typeof status === "number" ? {} : { transport }),
    ...(region === undefined ? {} : { region }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(wantsTls ? { wantsTls } : {}),
    ...(certificateNames === undefined ? {} : { certificateNames }),
    nowMillis
  }
}

const scrubbed = (message: string, secrets: ReadonlyArray<string>): string =>
  secrets
    .reduce((left, secret) => (secret === "" ? left : left.replaceAll(secret, "<redacted>")), message)
    .slice(0, 300)

const permission: Readonly<Record<Operation, string>> = {
  open: "s3:ListBucket",
  list: "s3:ListBucket",
  put: "s3:PutObject",
  get: "s3:GetObject (and s3:ListBucket, without which absent objects look forbidden)",
  read: "s3:GetObject (and s3:ListBucket, without which absent objects look forbidden)",
  head: "s3:GetObject (and s3:ListBucket, without which absent objects look forbidden)",
  delete: "s3:DeleteObject"
}

const credentialsAdvice = (origin: CredentialsOrigin | undefined): string =>
  origin === undefined
    ? "check the role of the pod's service account (IRSA, Pod Identity), or name a Secret with static keys"
    : `check Secret ${origin.secret}, keys ${origin.keys.join(" and ")}`

const identityCodes = new Set([
  "InvalidAccessKeyId",
  "SignatureDoesNotMatch",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidToken",
  "TokenRefreshRequired",
  "InvalidSecurity",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "CredentialsProviderError",
  "CredentialsError",
  "AuthorizationHeaderMalformed",
  "MissingSecurityHeader",
  "NotSignedUp",
  // versitygw says this with status 404, which must not be taken for an absent object.
  "XAdminUserNotFound"
])
const regionCodes = new Set([
  "PermanentRedirect",
  "TemporaryRedirect",
  "IllegalLocationConstraintException",
  "Redirect"
])
const digestCodes = new Set(["BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch"])
const spaceCodes = new Set([
  "XMinioStorageFull",
  "XMinioAdminBucketQuotaExceeded",
  "QuotaExceeded",
  "InsufficientStorage",
  "ServiceQuotaExceededException",
  "StorageFull",
  "EntityTooLargeForQuota"
])
const waitingCodes = new Set([
  "SlowDown",
  "SlowDownRead",
  "SlowDownWrite",
  "Throttling",
  "ThrottlingException",
  "RequestLimitExceeded",
  "TooManyRequests",
  "TooManyRequestsException",
  "BandwidthLimitExceeded",
  "InternalError",
  "ServiceUnavailable",
  "RequestTimeout",
  "TimeoutError",
  "AbortError",
  "IncompleteBody",
  "ConditionalRequestConflict",
  "OperationAborted",
  "RequestTimeoutException"
])
/** A HEAD answer has no body, hence no code: the SDK then makes up `NotFound`. */
const absentCodes = new Set(["NoSuchKey", "NotFound", "NoSuchVersion"])

/** The table from what S3 said to what a caller can do about it. Pure. */
export const reason = (facts: Facts, place: ErrorContext): ObjectStoreReason => {
  const { code, status } = facts
  const said = scrubbed(facts.message, place.secrets)
  const answer = status === undefined ? (facts.transport ?? code) : `${code}, HTTP ${status}`
  const suffix = `(${answer}${facts.requestId === undefined ? "" : `, request ${facts.requestId}`})`
  const subject = place.key === undefined ? `bucket ${place.bucket}` : `${place.key} in bucket ${place.bucket}`
  // Some servers that expect TLS just hang up; so does a broken line, hence no more than a hint.
  const isHungUp = facts.transport === "ECONNRESET" && place.operation === "open"
  const hint = isHungUp && place.endpoint?.startsWith("http://") === true ? "; does endpoint need https://?" : ""
  const detail = `${subject}: ${said}${hint} ${suffix}`
  // The SDK's own error may quote credentials and signatures; what a person needs of it is in `detail`.
  const cause = new Error(detail)
  cause.name = code
  const broken = HandshakeFailure.reason(facts, place, said, suffix, cause)
  if (broken !== undefined) return broken

  if (code === "NoSuchBucket") {
    const advice = `create bucket ${place.bucket} in region ${place.region}, or correct the bucket's name`
    return new TargetMissing({ detail: `bucket ${place.bucket} does not exist ${suffix}`, advice, cause })
  }
  if (
    regionCodes.has(code) ||
    status === 301 ||
    status === 307 ||
    (code === "AuthorizationHeaderMalformed" && facts.region !== undefined)
  ) {
    const right = facts.region === undefined ? "another region" : `region ${facts.region}`
    const advice =
      facts.region === undefined ? "correct the region, or the endpoint" : `set the region to ${facts.region}`
    return new Misconfigured({
      detail: `bucket ${place.bucket} lives in ${right}, not in ${place.region} ${suffix}`,
      advice,
      cause
    })
  }
  if (code === "RequestTimeTooSkewed" || code === "RequestExpired") {
    const advice = "set the clock of the node and of the store (NTP): requests are signed with the time"
    return new Misconfigured({ detail: `the store refuses our clock ${suffix}`, advice, cause })
  }
  if (identityCodes.has(code) || status === 401) {
    const who =
      place.origin === undefined ? "the credentials of this pod" : `the credentials of Secret ${place.origin.secret}`
    return new StorageAuthenticationFailed({
      detail: `the store refuses ${who}: ${said} ${suffix}`,
      advice: credentialsAdvice(place.origin),
      cause
    })
  }
  if (code.startsWith("KMS.") || code.startsWith("KMS")) {
    const advice = "allow kms:GenerateDataKey and kms:Decrypt on the bucket's key, or choose another key"
    return new StorageAuthorizationFailed({ detail, advice, cause })
  }
  if (digestCodes.has(code))
    return new ContentMismatch({ key: place.key ?? place.bucket, detail: `${said} ${suffix}`, cause })
  if (spaceCodes.has(code) || status === 507) return new OutOfSpace({ detail, cause })
  if (code === "InvalidObjectState") {
    return new Misconfigured({
      detail,
      advice: "the object was moved to an archive storage class: restore it first",
      cause
    })
  }
  if (
    waitingCodes.has(code) ||
    status === 408 ||
    status === 429 ||
    (status !== undefined && status >= 500 && status !== 501)
  ) {
    const { retryAfterMillis } = facts
    return new StoreUnavailable({ detail, cause, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) })
  }
  if (code === "AccessDenied" || status === 403) {
    const advice = `allow ${permission[place.operation]} on ${subject}; ${credentialsAdvice(place.origin)}`
    return new StorageAuthorizationFailed({
      detail: `access to ${subject} was refused: ${said} ${suffix}`,
      advice,
      cause
    })
  }
  if (absentCodes.has(code) && place.key !== undefined) return new ObjectNotFound({ key: place.key })
  if (status === 412 && place.key !== undefined) {
    return place.operation === "put"
      ? new ObjectExists({ key: place.key })
      : new ContentMismatch({ key: place.key, detail: "it was replaced while it was read", cause })
  }
  if (status !== undefined && status >= 400) {
    return new Misconfigured({
      detail,
      advice: "the store does not accept this request: check endpoint, bucket and prefix",
      cause
    })
  }
  return new StoreUnavailable({
    detail: `no proper answer from ${place.endpoint ?? "the store"}: ${said} ${suffix}`,
    cause
  })
}

/** The one translation of what the SDK threw. */
export const from = (error: unknown, place: ErrorContext, nowMillis: number): ObjectStoreError =>
  of(reason(facts(error, nowMillis), place), place)

export const of = (reason: ObjectStoreReason, place: ErrorContext): ObjectStoreError =>
  new ObjectStoreError({ operation: place.operation, location: place.location, reason })
