import * as Answer from "../cloud/Answer.ts"
import * as Failure from "../cloud/Failure.ts"
import {
  ContentMismatch,
  Misconfigured,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  type Operation,
  OutOfSpace,
  TargetMissing
} from "../ObjectStoreError.ts"
import type { CredentialsOrigin } from "../StorageTarget.ts"
import * as HandshakeFailure from "./HandshakeFailure.ts"
import * as Refusals from "./Refusals.ts"
import * as Role from "./Role.ts"

export { of } from "../cloud/Failure.ts"

export interface Facts extends Failure.Facts, HandshakeFailure.Signs {
  /** The region that the server told us to use. */
  readonly region?: string
  /** The token service said it, not the store. */
  readonly isRole?: boolean
}

export interface ErrorContext extends Failure.ErrorContext, HandshakeFailure.Peer, Refusals.Settings {
  readonly ifAbsent?: boolean
  readonly bucket: string
  readonly region: string
  /** Absent: the SDK's default chain. */
  readonly origin?: CredentialsOrigin
}

/** Reads the facts off whatever the SDK threw. */
export const facts = (error: unknown, nowMillis: number): Facts => {
  if (error instanceof Role.RoleNotAssumed) return { ...facts(error.cause, nowMillis), isRole: true }
  const response = Answer.field(error, "$response")
  const headers = Answer.field(response, "headers")
  const metadata = Answer.field(error, "$metadata")
  const status = Answer.field(metadata, "httpStatusCode") ?? Answer.field(response, "statusCode")
  const transport = typeof status === "number" ? undefined : Answer.transportCode(error)
  const region = Answer.text(Answer.field(headers, "x-amz-bucket-region")) ?? Answer.text(Answer.field(error, "Region"))
  const retryAfterMillis = Answer.retryAfterMillis(Answer.field(headers, "retry-after"), nowMillis)
  const requestId = Answer.text(Answer.field(metadata, "requestId"))
  const wantsTls = /HTTP request to an HTTPS server/iu.test(Answer.text(Answer.field(error, "$responseBodyText")) ?? "")
  const isPage = Answer.isPage(Answer.field(headers, "content-type"))
  const page = isPage ? (Answer.text(Answer.field(error, "$responseBodyText")) ?? "") : ""
  const certificateNames = Answer.text(Answer.field(Answer.field(error, "cert"), "subjectaltname"))
  return {
    code: isPage
      ? "HtmlPage"
      : (Answer.text(Answer.field(error, "Code")) ?? Answer.text(Answer.field(error, "name")) ?? "Unknown"),
    // The SDK tries to read a page as XML, and says only that it cannot.
    message: isPage ? Answer.pageMessage(page) : error instanceof Error ? error.message : String(error),
    ...(isPage ? { isPage } : {}),
    ...(typeof status === "number" ? { status } : {}),
    ...(transport === undefined ? {} : { transport }),
    ...(region === undefined ? {} : { region }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(wantsTls ? { wantsTls } : {}),
    ...(certificateNames === undefined ? {} : { certificateNames }),
    nowMillis
  }
}

const permission: Readonly<Record<Operation, string>> = {
  open: "s3:ListBucket",
  list: "s3:ListBucket",
  put: "s3:PutObject",
  get: "s3:GetObject (and s3:ListBucket, without which missing objects look forbidden)",
  read: "s3:GetObject (and s3:ListBucket, without which missing objects look forbidden)",
  head: "s3:GetObject (and s3:ListBucket, without which missing objects look forbidden)",
  delete: "s3:DeleteObject"
}

const identityAdvice = (origin: CredentialsOrigin | undefined): string =>
  origin === undefined
    ? "check the role of the pod's service account (IRSA, Pod Identity), or name a Secret with static keys"
    : `check Secret ${origin.secret}, keys ${origin.keys.join(" and ")}`

const words = ({ bucket, endpoint, key, operation, origin, region, trust }: ErrorContext): Failure.Words => {
  const subject = key === undefined ? `bucket ${bucket}` : `${key} in bucket ${bucket}`
  return {
    subject,
    service: endpoint ?? `https://s3.${region}.amazonaws.com`,
    who: origin === undefined ? "the credentials of this pod" : `the credentials of Secret ${origin.secret}`,
    identityAdvice: identityAdvice(origin),
    permissionAdvice: `allow ${permission[operation]} on ${subject}; ${identityAdvice(origin)}`,
    settings: "endpoint, bucket and prefix",
    trustAdvice: HandshakeFailure.trustAdvice(trust)
  }
}

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
/** Codes that come with statuses which do not say by themselves that waiting helps. */
const passingCodes = new Set([
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

/** Where the role's keys are asked for. */
const ofTokenService = (context: ErrorContext): ErrorContext => ({
  ...context,
  endpoint: Role.tokenService(context.assumeRole, context.endpoint) ?? `https://sts.${context.region}.amazonaws.com`
})

/** The table from what S3 said to what a caller can do about it. Pure. */
export const reason = (given: Facts, asked: ErrorContext): ObjectStoreReason => {
  const context = given.isRole === true ? ofTokenService(asked) : asked
  const { bucket, endpoint, key, operation, region } = context
  // Some servers that expect TLS just hang up; so does a broken line, hence no more than a hint.
  const isHungUp = given.transport === "ECONNRESET" && operation === "open" && endpoint?.startsWith("http://") === true
  const facts = isHungUp ? { ...given, message: `${given.message}; does endpoint need https://?` } : given
  const { code, message, status } = facts
  const said = Failure.said(facts, context)
  const suffix = Failure.suffix(facts)
  const ours = words(context)
  const detail = `${ours.subject}: ${said} ${suffix}`
  const broken = HandshakeFailure.reason(facts, context, said, suffix)
  if (broken !== undefined) return broken
  const role = facts.isRole === true ? Refusals.ofRole(facts, context, context, ours) : undefined
  if (role !== undefined) return role

  if (code === "NoSuchBucket") {
    const advice = `create bucket ${bucket} in region ${region}, or correct the bucket's name`
    return new TargetMissing({ detail: `bucket ${bucket} does not exist ${suffix}`, advice })
  }
  if (
    regionCodes.has(code) ||
    ((status === 301 || status === 307) && facts.isPage !== true) ||
    (code === "AuthorizationHeaderMalformed" && facts.region !== undefined)
  ) {
    const right = facts.region === undefined ? "another region" : `region ${facts.region}`
    const advice =
      facts.region === undefined ? "correct the region, or the endpoint" : `set the region to ${facts.region}`
    return new Misconfigured({ detail: `bucket ${bucket} is in ${right}, not in ${region} ${suffix}`, advice })
  }
  if (code === "RequestTimeTooSkewed" || code === "RequestExpired") {
    const advice = "set the clock of the node and of the store (NTP): requests are signed with the time"
    return new Misconfigured({ detail: `the store refuses the clock of this machine ${suffix}`, advice })
  }
  // The role of the pod's service account may not be assumed: then we are nobody to the store.
  if (identityCodes.has(code) || (code === "AccessDenied" && message.includes("sts:AssumeRole"))) {
    return Failure.unknown(facts, context, ours)
  }
  const storing = Refusals.ofStoring(facts, context, context, ours, detail)
  if (storing !== undefined) return storing
  if (digestCodes.has(code)) return new ContentMismatch({ key: key ?? bucket, detail: `${said} ${suffix}` })
  if (spaceCodes.has(code)) return new OutOfSpace({ detail })
  if (code === "InvalidObjectState") {
    const advice = "the object was moved to an archive storage class: restore it first"
    return new Misconfigured({ detail, advice })
  }
  if (passingCodes.has(code)) return Failure.unavailable(facts, detail)
  // AWS hides locked versions behind a delete marker. Stores without versions refuse, in words of their own.
  if (code === "ObjectLocked" || (/\bWORM\b|object lock|under retention/iu.test(message) && operation !== "open")) {
    const advice = "the bucket protects its objects from deletion: align its lock with the retention of backups"
    return Failure.locked(facts, context, ours.subject, advice)
  }
  if (code === "AccessDenied") {
    const action = Refusals.actionIn(message)
    const permissionAdvice = `allow ${action} on ${ours.subject}; ${ours.identityAdvice}`
    return Failure.forbidden(facts, context, action === undefined ? ours : { ...ours, permissionAdvice })
  }
  if (absentCodes.has(code) && key !== undefined) return new ObjectNotFound({ key })
  return Failure.reason(facts, context, ours)
}

/** The one translation of what the SDK threw. */
export const from = (error: unknown, context: ErrorContext, nowMillis: number): ObjectStoreError =>
  error instanceof ObjectStoreError ? error : Failure.of(reason(facts(error, nowMillis), context), context)
