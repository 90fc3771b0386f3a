import * as Answer from "../cloud/Answer.ts"
import * as Cloud from "../cloud/Failure.ts"
import {
  ContentMismatch,
  Misconfigured,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  type Operation,
  OutOfSpace,
  StorageAuthenticationFailed,
  TargetMissing
} from "../ObjectStoreError.ts"
import type { CredentialsOrigin } from "../StorageTarget.ts"
import * as Storing from "./Storing.ts"

export const { of } = Cloud

/** `code` is Google's reason (`forbidden`, `conditionNotMet`, `invalid_grant`), or the error's name. */
export type Facts = Cloud.Facts

/** Where it failed, for the message and the advice. */
export interface ErrorContext extends Cloud.ErrorContext {
  readonly bucket: string
  /** Address of the service. */
  readonly service: string
  /** True while a token was asked for: then nothing is said of bucket or object. */
  readonly isToken?: boolean
  readonly ifAbsent?: boolean
  readonly kmsKeyName?: string
  /** What an upload asks for beside storing the bytes. */
  readonly storing?: string
  /** The service account of a key file. Absent: application default credentials. */
  readonly account?: { readonly email: string; readonly origin: CredentialsOrigin }
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
  const isPage =
    plain?.trimStart().startsWith("<") === true ||
    Answer.isPage(Answer.field(Answer.field(error, "headers"), "content-type"))
  const code =
    (isPage ? "WebPage" : undefined) ??
    Answer.text(Answer.field(first, "reason")) ??
    Answer.text(inner) ??
    Answer.text(Answer.field(inner, "status")) ??
    Answer.text(Answer.field(error, "name")) ??
    "Unknown"
  const message =
    Answer.text(Answer.field(inner, "message")) ??
    Answer.text(Answer.field(body, "error_description")) ??
    (isPage ? Answer.pageMessage(plain ?? "") : plain) ??
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
    ...(isPage ? { isPage } : {}),
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

const wordsOf = (context: ErrorContext): Cloud.Words => {
  const { bucket, isToken, key, operation, service } = context
  return {
    subject: key === undefined ? `bucket ${bucket}` : `${key} in bucket ${bucket}`,
    service: isToken === true ? "the token service" : service,
    who: who(context),
    identityAdvice: identityAdvice(context),
    permissionAdvice: `grant ${permission[operation]} on bucket ${bucket} to ${who(context)}: the role Storage Object User (roles/storage.objectUser) has every permission that is needed`,
    settings: "storage.gcs.bucket, storage.gcs.prefix and STORAGE_EMULATOR_HOST",
    trustAdvice: "trust the certificate authority of the proxy in front of the store (NODE_EXTRA_CA_CERTS)"
  }
}

/** What Google's own codes mean; everything else means the same as on every other store. */
export const reason = (facts: Facts, context: ErrorContext): ObjectStoreReason => {
  const { code, status } = facts
  const { bucket, key } = context
  const words = wordsOf(context)
  const { subject } = words
  const end = `${Cloud.said(facts, context)} ${Cloud.suffix(facts)}`
  const detail = `${subject}: ${end}`

  if (passingCodes.has(code) || Answer.isPassing(status)) return Cloud.unavailable(facts, detail)
  if (code === "invalid_grant" && /\b(iat|exp|timeframe|short-lived)\b/u.test(facts.message)) {
    const advice = "set the clock of the node (NTP): tokens carry the time"
    return new Misconfigured({ detail: `the clock of this machine is refused: ${end}`, advice })
  }
  if (context.isToken === true && (status !== undefined || facts.transport === undefined)) {
    return new StorageAuthenticationFailed({
      detail: `no token for ${who(context)}: ${end}`,
      advice: identityAdvice(context),
      ...Cloud.notFromStore(facts)
    })
  }
  if (identityCodes.has(code)) return Cloud.unknown(facts, context, words)
  if (lockedCodes.has(code)) {
    const advice =
      "the bucket protects its objects from deletion (retention policy, hold or object retention): align its policy with the retention of backups"
    return Cloud.locked(facts, context, subject, advice)
  }
  const storing = Storing.refusal(facts, context, context.operation, detail)
  if (storing !== undefined) return storing
  if (code === "accountDisabled" || code === "billingDisabled" || /billing/iu.test(facts.message)) {
    return new Misconfigured({ detail, advice: "enable billing for the project that owns the bucket" })
  }
  if (code === "UserProjectMissing" || /requester pays/iu.test(facts.message)) {
    const advice = "turn requester pays off for this bucket, or use another bucket"
    return new Misconfigured({ detail, advice })
  }
  if (code === "quotaExceeded" || code === "dailyLimitExceeded") return new OutOfSpace({ detail })
  // The body of a download that is not there is plain text; a web page comes from somebody else.
  if (status === 404 && code !== "WebPage") {
    if (key !== undefined) return new ObjectNotFound({ key })
    const advice = `create bucket ${bucket}, or correct storage.gcs.bucket`
    // The service names a reason; a router in front of it that knows no such path does not.
    const isRouted = code === "Refused"
    return new TargetMissing({
      detail: `bucket ${bucket} does not exist ${Cloud.suffix(facts)}`,
      advice,
      ...(isRouted ? { notFromStore: "answer" as const } : {})
    })
  }
  if (status === 400 && /md5|crc32c|checksum|hash/iu.test(facts.message)) {
    return new ContentMismatch({ key: key ?? bucket, detail: end })
  }
  return Cloud.reason(facts, context, words)
}

/** The one translation of every failure. */
export const from = (error: unknown, context: ErrorContext, nowMillis: number): ObjectStoreError =>
  error instanceof ObjectStoreError ? error : of(reason(facts(error, nowMillis), context), context)
