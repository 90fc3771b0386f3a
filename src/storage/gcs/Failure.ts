import * as Answer from "../cloud/Answer.ts"
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

export type Operation = ObjectStoreError["operation"]

/** What is worth knowing of a failed request; everything else may quote tokens and is dropped. */
export interface Facts {
  /** Google's reason (`forbidden`, `conditionNotMet`, `invalid_grant`), or the error's name. */
  readonly code: string
  /** HTTP status; absent when no answer came. */
  readonly status?: number
  readonly message: string
  readonly transport?: string
  readonly retryAfterMillis?: number
}

/** Where it failed, for the message and the advice. */
export interface ErrorContext {
  readonly operation: Operation
  readonly location: string
  readonly bucket: string
  /** Address of the service. */
  readonly service: string
  /** True while a token was asked for: then nothing is said of bucket or object. */
  readonly isToken?: boolean
  /** The service account of a key file. Absent: application default credentials. */
  readonly account?: { readonly email: string; readonly origin: CredentialsOrigin }
  /** Absent where no single object is meant. */
  readonly key?: string
  /** Strings that no message may quote. */
  readonly secrets: ReadonlyArray<string>
}

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Of the answer that an error of Google's library carries. */
const libraryHeader = (response: unknown, name: string): unknown => {
  const headers = Answer.field(response, "headers")
  return typeof Answer.field(headers, "get") === "function" ? (headers as Headers).get(name) : undefined
}

/** Reads the facts off a refused request, a broken connection, or what the authentication library threw. */
export const facts = (error: unknown, nowMillis: number): Facts => {
  const response = Answer.field(error, "response")
  const status = Answer.field(error, "status") ?? Answer.field(response, "status")
  const body = parsed(Answer.text(Answer.field(error, "body")) ?? "") ?? Answer.field(response, "data")
  const inner = Answer.field(body, "error")
  const [first] = Array.isArray(Answer.field(inner, "errors")) ? (Answer.field(inner, "errors") as Array<unknown>) : []
  const plain = Answer.text(Answer.field(error, "body")) ?? Answer.text(body)
  const code =
    Answer.text(Answer.field(first, "reason")) ??
    Answer.text(inner) ??
    Answer.text(Answer.field(inner, "status")) ??
    Answer.text(Answer.field(error, "name")) ??
    "Unknown"
  const message =
    Answer.text(Answer.field(inner, "message")) ??
    Answer.text(Answer.field(body, "error_description")) ??
    (plain !== undefined && !plain.trimStart().startsWith("<") ? plain : undefined) ??
    Answer.text(inner) ??
    (error instanceof Error ? error.message : String(error))
  const transport = typeof status === "number" ? undefined : Answer.transportCode(error)
  const retryAfterMillis = Answer.retryAfterMillis(
    Answer.field(Answer.field(error, "headers"), "retry-after") ?? libraryHeader(response, "retry-after"),
    nowMillis
  )
  return {
    code,
    message,
    ...(typeof status === "number" ? { status } : {}),
    ...(transport === undefined ? {} : { transport }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  }
}

const permission: Readonly<Record<Operation, string>> = {
  open: "storage.objects.list",
  list: "storage.objects.list",
  put: "storage.objects.create (and storage.objects.delete to replace an object)",
  get: "storage.objects.get",
  read: "storage.objects.get",
  head: "storage.objects.get",
  delete: "storage.objects.delete"
}

const who = ({ account }: ErrorContext): string =>
  account === undefined
    ? "the identity of this pod"
    : `service account ${account.email} (Secret ${account.origin.secret}, key ${account.origin.keys[0]})`

const identityAdvice = ({ account }: ErrorContext): string =>
  account === undefined
    ? "link the pod's Kubernetes service account to Google Cloud (GKE Workload Identity Federation), name it in podTemplate.serviceAccountName, or name a Secret with a service account's key file"
    : `put a key file that is still valid into Secret ${account.origin.secret}, key ${account.origin.keys[0]}: the key may have been deleted, or the account disabled`

const identityCodes = new Set([
  "authError",
  "UNAUTHENTICATED",
  "invalid_grant",
  "invalid_client",
  "unauthorized_client",
  "required"
])
const passingCodes = new Set([
  "rateLimitExceeded",
  "userRateLimitExceeded",
  "backendError",
  "internalError",
  "NoAnswer",
  "temporarily_unavailable"
])
const lockedCodes = new Set([
  "retentionPolicyNotMet",
  "objectUnderActiveHold",
  "objectUnderRetention",
  "softDeletePolicyNotMet"
])

/** The table: what a failed request means and what to do about it. */
export const reason = (facts: Facts, place: ErrorContext): ObjectStoreReason => {
  const { code, status } = facts
  const said = Answer.scrubbed(facts.message, place.secrets) || code
  const suffix = `(${[code, status === undefined ? undefined : `HTTP ${status}`, facts.transport].filter((one) => one !== undefined).join(", ")})`
  const subject = place.key === undefined ? `bucket ${place.bucket}` : `${place.key} in bucket ${place.bucket}`
  const detail = `${subject}: ${said} ${suffix}`
  const peer = place.isToken === true ? "the service that gives tokens" : place.service

  if (facts.transport !== undefined && Answer.isCertificateFailure(facts.transport)) {
    const advice = "trust the certificate authority of what stands between us and the store (NODE_EXTRA_CA_CERTS)"
    return new Misconfigured({ detail: `no connection to ${peer}: ${said} ${suffix}`, advice })
  }
  if (passingCodes.has(code) || Answer.isPassing(status)) {
    const { retryAfterMillis } = facts
    return new StoreUnavailable({ detail, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) })
  }
  if (code === "invalid_grant" && /\b(iat|exp|timeframe|short-lived)\b/u.test(facts.message)) {
    const advice = "set the clock of the node (NTP): tokens carry the time"
    return new Misconfigured({ detail: `our clock is refused: ${said} ${suffix}`, advice })
  }
  if (place.isToken === true && (status !== undefined || facts.transport === undefined)) {
    return new StorageAuthenticationFailed({
      detail: `${who(place)} gets no token: ${said} ${suffix}`,
      advice: identityAdvice(place)
    })
  }
  if (identityCodes.has(code) || status === 401) {
    return new StorageAuthenticationFailed({
      detail: `${who(place)} is refused: ${said} ${suffix}`,
      advice: identityAdvice(place)
    })
  }
  if (lockedCodes.has(code)) {
    const advice =
      "the bucket keeps what is written for a while (retention policy, hold or object retention): align it with the retention of backups"
    return new StorageAuthorizationFailed({ detail: `${subject} is locked: ${said} ${suffix}`, advice })
  }
  if (/cloudkms|KMS|encryption key/u.test(facts.message) && (status === 403 || status === 400)) {
    const advice =
      "grant the bucket's service agent the role Cloud KMS CryptoKey Encrypter/Decrypter on its key, and enable the key"
    return new StorageAuthorizationFailed({ detail, advice })
  }
  if (code === "accountDisabled" || code === "billingDisabled" || /billing/iu.test(facts.message)) {
    return new Misconfigured({ detail, advice: "enable billing for the project that owns the bucket" })
  }
  if (code === "UserProjectMissing" || /requester pays/iu.test(facts.message)) {
    const advice = "turn requester pays off for this bucket, or use another bucket"
    return new Misconfigured({ detail, advice })
  }
  if (code === "quotaExceeded" || code === "dailyLimitExceeded" || status === 507) return new OutOfSpace({ detail })
  if (status === 403) {
    const advice = `grant ${permission[place.operation]} on bucket ${place.bucket} to ${who(place)}: the role Storage Object User (roles/storage.objectUser) holds all that is needed`
    return new StorageAuthorizationFailed({ detail: `access to ${subject} was refused: ${said} ${suffix}`, advice })
  }
  if (status === 404) {
    if (place.key !== undefined) return new ObjectNotFound({ key: place.key })
    const advice = `create bucket ${place.bucket}, or correct storage.gcs.bucket`
    return new TargetMissing({ detail: `bucket ${place.bucket} does not exist ${suffix}`, advice })
  }
  if ((status === 412 || status === 304) && place.key !== undefined) {
    return place.operation === "put"
      ? new ObjectExists({ key: place.key })
      : new ContentMismatch({ key: place.key, detail: "it was replaced while it was read" })
  }
  if (status === 400 && /md5|crc32c|checksum|hash/iu.test(facts.message)) {
    return new ContentMismatch({ key: place.key ?? place.bucket, detail: `${said} ${suffix}` })
  }
  if (facts.transport === "ENOTFOUND") {
    const advice =
      "check the DNS of the cluster and its way to Google Cloud (Private Google Access), or STORAGE_EMULATOR_HOST"
    const host = place.isToken === true ? said : new URL(place.service).host
    return new TargetMissing({ detail: `no such host: ${host} ${suffix}`, advice })
  }
  if (status !== undefined && status >= 300) {
    return new Misconfigured({ detail, advice: "the store does not accept this request: check bucket and prefix" })
  }
  return new StoreUnavailable({ detail: `no proper answer from ${peer}: ${said} ${suffix}` })
}

/** The one translation of every failure. */
export const from = (error: unknown, place: ErrorContext, nowMillis: number): ObjectStoreError =>
  error instanceof ObjectStoreError ? error : of(reason(facts(error, nowMillis), place), place)

export const of = (reason: ObjectStoreReason, place: Pick<ErrorContext, "operation" | "location">): ObjectStoreError =>
  new ObjectStoreError({ operation: place.operation, location: place.location, reason })
