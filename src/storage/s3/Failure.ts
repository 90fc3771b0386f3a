import {
  AccessRefused,
  ContentMismatch,
  Misconfigured,
  ObjectExists,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  OutOfSpace,
  StoreUnavailable,
  TargetMissing
} from "../ObjectStoreError.ts"
import type { CredentialsOrigin } from "../StorageTarget.ts"
import type { Authority } from "./Authorities.ts"

export type Operation = ObjectStoreError["operation"]

/** What is worth knowing of a failed request; everything else of the SDK's error, which may quote credentials, is dropped. */
export interface Facts {
  /** S3's error code (`NoSuchKey`), or the error's name. */
  readonly code: string
  /** HTTP status; absent when no answer came. */
  readonly status?: number
  readonly message: string
  /** Node's code for a broken connection: ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED. */
  readonly transport?: string
  /** The region that the server told us to use. */
  readonly region?: string
  readonly retryAfterMillis?: number
  readonly requestId?: string
  /** When it failed. */
  readonly nowMillis?: number
  /** The server speaks TLS and was not spoken to so. */
  readonly wantsTls?: boolean
  /** Whom the server's certificate is for: `DNS:minio.example, IP Address:10.0.0.1`. */
  readonly certificateNames?: string
}

/** Where it failed, for the message and the advice. */
export interface Place {
  readonly operation: Operation
  readonly location: string
  readonly bucket: string
  readonly region: string
  readonly endpoint?: string
  /** Absent where no single object is meant. */
  readonly key?: string
  /** Absent: the SDK's default chain. */
  readonly origin?: CredentialsOrigin
  /** The Secret whose authorities are trusted. Absent: only those that are trusted anyway. */
  readonly trust?: { readonly secret: string; readonly key: string; readonly authorities: ReadonlyArray<Authority> }
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
const certificateCode = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO$|HPE_)/u

/** The store's certificate is signed by nobody whom we trust. */
const untrusted = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
  "CERT_SIGNATURE_FAILURE",
  "INVALID_CA"
])

const caField = "spec.storage.s3.caSecret"

/** Why the authorities of the Secret cannot be used, before any connection. */
export const unusableAuthorities = (detail: string, { trust }: Place): ObjectStoreReason =>
  new Misconfigured({
    detail: `Secret ${trust?.secret}: ${detail}`,
    advice: `put the certificate authorities of the store into Secret ${trust?.secret}, key ${trust?.key} (${caField}), as PEM`
  })

/** What is wrong between us and the store before HTTP begins, by Node's code; undefined for codes that are not about TLS. */
const handshake = (facts: Facts, place: Place, said: string, suffix: string, cause: Error) => {
  const { nowMillis = 0, transport = "" } = facts
  const { endpoint, trust } = place
  const store = endpoint ?? "the store"
  const named = trust === undefined ? undefined : `Secret ${trust.secret}, key ${trust.key}`
  const misconfigured = (detail: string, advice: string, mayBeRenewed = false) =>
    new Misconfigured({
      detail: `no connection to ${store}: ${detail} ${suffix}`,
      advice,
      cause,
      ...(mayBeRenewed ? { mayBeRenewed } : {})
    })
  if (untrusted.has(transport)) {
    return named === undefined
      ? misconfigured(
          `its certificate is signed by an authority that is not trusted: ${said}`,
          `for a private certificate authority, set ${caField} to a Secret that holds it as PEM in key ca.crt`
        )
      : misconfigured(
          `its certificate is signed by none of the authorities of ${named}, nor by a public one: ${said}`,
          `put the certificate authority that signed the store's certificate into ${named} (${caField})`,
          true
        )
  }
  if (transport === "CERT_HAS_EXPIRED" || transport === "CERT_NOT_YET_VALID") {
    const when = transport === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"
    const lapsed = trust?.authorities.find(({ validToMillis }) => validToMillis < nowMillis)
    if (lapsed !== undefined && transport === "CERT_HAS_EXPIRED") {
      return misconfigured(
        `its certificate, or the authority ${lapsed.subject} of ${named}, which ended on ${new Date(lapsed.validToMillis).toISOString()}, has expired`,
        `put the authority that is valid now into ${named} (${caField}), or renew the store's certificate; check the clocks`,
        true
      )
    }
    return misconfigured(
      `its certificate, or its authority's, ${when}`,
      `renew the store's certificate${named === undefined ? `, or name a newer authority in ${caField}` : `, or the authority in ${named} (${caField})`}; check the clocks`,
      named !== undefined
    )
  }
  if (transport === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return misconfigured(
      `its certificate is for other names: ${facts.certificateNames?.slice(0, 300) ?? said}`,
      `write a host name that the certificate lists into endpoint, or have it list this one; ${named === undefined ? caField : `the authority in ${named} (${caField})`} cannot make up for that`
    )
  }
  const isPlain = endpoint?.startsWith("http://") === true
  if (facts.wantsTls === true || (isPlain && transport.startsWith("HPE_"))) {
    return misconfigured(
      "the server does not answer in plain HTTP; it seems to expect TLS",
      `write https:// in endpoint; for a private certificate authority also set ${caField}`
    )
  }
  if (
    transport === "EPROTO" ||
    /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/u.test(transport)
  ) {
    return misconfigured(
      `the server does not answer with TLS: ${said}`,
      `write http:// in endpoint${named === undefined ? "" : ` and remove ${caField}`} if the server speaks plain HTTP; else check its port and its TLS settings`
    )
  }
  if (certificateCode.test(transport)) {
    return misconfigured(
      said,
      `check http or https in the endpoint, and trust its certificate authority: ${named === undefined ? `set ${caField}` : `${named} (${caField})`}`
    )
  }
  return undefined
}

/** The table from what S3 said to what a caller can do about it. Pure. */
export const reason = (facts: Facts, place: Place): ObjectStoreReason => {
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
  const broken = handshake(facts, place, said, suffix, cause)
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
  if (identityCodes.has(code)) {
    const who =
      place.origin === undefined ? "the credentials of this pod" : `the credentials of Secret ${place.origin.secret}`
    return new AccessRefused({
      detail: `the store refuses ${who}: ${said} ${suffix}`,
      advice: credentialsAdvice(place.origin),
      cause
    })
  }
  if (code.startsWith("KMS.") || code.startsWith("KMS")) {
    const advice = "allow kms:GenerateDataKey and kms:Decrypt on the bucket's key, or choose another key"
    return new AccessRefused({ detail, advice, cause })
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
  if (code === "AccessDenied" || status === 403 || status === 401) {
    const advice = `allow ${permission[place.operation]} on ${subject}; ${credentialsAdvice(place.origin)}`
    return new AccessRefused({ detail: `access to ${subject} was refused: ${said} ${suffix}`, advice, cause })
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
export const from = (error: unknown, place: Place, nowMillis: number): ObjectStoreError =>
  of(reason(facts(error, nowMillis), place), place)

export const of = (reason: ObjectStoreReason, place: Place): ObjectStoreError =>
  new ObjectStoreError({ operation: place.operation, location: place.location, reason })
