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
import type { AzureCredentials } from "../StorageTarget.ts"

export type Operation = ObjectStoreError["operation"]

/** What is worth knowing of a failed request; everything else of the SDK's error, which may quote credentials, is dropped. */
export interface Facts {
  /** The service's error code (`BlobNotFound`), Entra's (`AADSTS7000215`), or the error's name. */
  readonly code: string
  /** HTTP status; absent when no answer came. */
  readonly status?: number
  readonly message: string
  /** Why authentication failed, where the service says it. */
  readonly detail?: string
  readonly transport?: string
  /** The server's clock, in milliseconds since 1970. */
  readonly serverMillis?: number
  readonly retryAfterMillis?: number
  readonly requestId?: string
}

/** Where it failed, for the message and the advice. */
export interface ErrorContext {
  readonly operation: Operation
  readonly location: string
  readonly account: string
  readonly container: string
  /** Address of the blob service. */
  readonly service: string
  readonly credentials: AzureCredentials
  /** When the SAS token says that it ends, in milliseconds since 1970. */
  readonly sasEndMillis?: number
  /** Absent where no single blob is meant. */
  readonly key?: string
  readonly ifAbsent?: boolean
  /** Strings that no message may quote. */
  readonly secrets: ReadonlyArray<string>
}

/** Reads the facts off whatever the SDK or the identity library threw. */
export const facts = (error: unknown, nowMillis: number): Facts => {
  const response = Answer.field(error, "response")
  const headers = Answer.field(response, "headers")
  const header = (name: string): string | undefined => {
    const get = Answer.field(headers, "get")
    return typeof get === "function" ? Answer.text(get.call(headers, name)) : undefined
  }
  const message = error instanceof Error ? error.message : String(error)
  const details = Answer.field(error, "details")
  const detail =
    Answer.text(Answer.field(details, "AuthenticationErrorDetail")) ??
    Answer.text(Answer.field(details, "authenticationErrorDetail"))
  const status = Answer.field(error, "statusCode") ?? Answer.field(response, "status")
  const transport = typeof status === "number" ? undefined : Answer.transportCode(error)
  const code =
    /AADSTS\d+/u.exec(message)?.[0] ??
    header("x-ms-error-code") ??
    Answer.text(Answer.field(details, "errorCode")) ??
    (typeof status === "number" ? Answer.text(Answer.field(error, "code")) : undefined) ??
    Answer.text(Answer.field(error, "name")) ??
    "Unknown"
  const retryAfterMillis = Answer.retryAfterMillis(header("retry-after"), nowMillis)
  const serverMillis = Date.parse(header("date") ?? "")
  const requestId = header("x-ms-request-id")
  return {
    code,
    // What follows repeats the request's id and time, and of signatures the string that was signed.
    message: message.split("\n")[0] ?? "",
    ...(typeof status === "number" ? { status } : {}),
    ...(detail === undefined ? {} : { detail }),
    ...(transport === undefined ? {} : { transport }),
    ...(Number.isNaN(serverMillis) ? {} : { serverMillis }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }),
    ...(requestId === undefined ? {} : { requestId })
  }
}

const sasLetter: Readonly<Record<Operation, string>> = {
  open: "l (list)",
  list: "l (list)",
  put: "c and w (create, write)",
  get: "r (read)",
  read: "r (read)",
  head: "r (read)",
  delete: "d (delete)"
}

const who = (credentials: AzureCredentials): string => {
  switch (credentials._tag) {
    case "AccountKey":
      return `the account key of Secret ${credentials.origin.secret}`
    case "SasToken":
      return `the SAS token of Secret ${credentials.origin.secret}`
    case "ServicePrincipal":
      return `the service principal of Secret ${credentials.origin.secret}`
    case "WorkloadIdentity":
      return "this pod's workload identity"
    case "Platform":
      return "the identity that the platform gives this pod"
  }
}

/** Where to look when we are not known. */
const identityAdvice = (credentials: AzureCredentials): string => {
  switch (credentials._tag) {
    case "AccountKey":
      return `check accountName, and Secret ${credentials.origin.secret}, key ${credentials.origin.keys[0]}: one of the account's two keys, and key access must be allowed for the account`
    case "SasToken":
      return `put a new token for this container with permissions racwdl into Secret ${credentials.origin.secret}, key ${credentials.origin.keys[0]}`
    case "ServicePrincipal":
      return `check Secret ${credentials.origin.secret}, keys ${credentials.origin.keys.join(", ")}: id of the application, id of its tenant, and a client secret (its value, not its id) that has not expired`
    case "WorkloadIdentity":
      return "check the service account of the pod: its annotation azure.workload.identity/client-id, the pod's label azure.workload.identity/use, and the federated credential of that identity (issuer and subject)"
    case "Platform":
      return "give the pod an identity (AKS Workload Identity, a managed identity), or name a Secret with a key, a SAS token or a service principal"
  }
}

/** What to grant when we are known, and not allowed. */
const permissionAdvice = (place: ErrorContext): string => {
  switch (place.credentials._tag) {
    case "AccountKey":
      return `check Secret ${place.credentials.origin.secret}, key ${place.credentials.origin.keys[0]}; an account key may do everything, so if it is right, a network rule of account ${place.account} shuts us out`
    case "SasToken":
      return `the SAS token of Secret ${place.credentials.origin.secret}, key ${place.credentials.origin.keys[0]}, needs permission ${sasLetter[place.operation]} on container ${place.container} (racwdl in all), and must allow our address and protocol`
    case "ServicePrincipal":
    case "WorkloadIdentity":
    case "Platform":
      return `assign the role Storage Blob Data Contributor on container ${place.container} to ${who(place.credentials)}; a new assignment takes up to ten minutes`
  }
}

/** Entra's codes that mean waiting helps. Source: Microsoft Entra authentication and authorization error codes. */
const passingEntra = new Set(["AADSTS90033", "AADSTS50196", "AADSTS90055", "AADSTS500138"])
const identityCodes = new Set([
  "AuthenticationFailed",
  "InvalidAuthenticationInfo",
  "NoAuthenticationInformation",
  "KeyBasedAuthenticationNotPermitted",
  "CredentialUnavailableError",
  "AuthenticationError",
  "AuthenticationRequiredError",
  "AggregateAuthenticationError",
  "InvalidAccountKey"
])
const permissionCodes = new Set([
  "AuthorizationFailure",
  "AuthorizationPermissionMismatch",
  "AuthorizationProtocolMismatch",
  "AuthorizationResourceTypeMismatch",
  "AuthorizationServiceMismatch",
  "AuthorizationSourceIPMismatch",
  "InsufficientAccountPermissions",
  "UnauthorizedBlobOverwrite",
  "PublicAccessNotPermitted"
])
const existsCodes = new Set(["BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet"])
const digestCodes = new Set(["Md5Mismatch", "Crc64Mismatch", "InvalidMd5", "InvalidCrc64"])
const lockedCodes = new Set([
  "BlobImmutableDueToPolicy",
  "BlobImmutableDueToLegalHold",
  "ContainerImmutableDueToPolicy",
  "SnapshotsPresent",
  "LeaseIdMissing",
  "LeaseIdMismatchWithBlobOperation",
  "LeaseLost"
])
/** Our clock is refused beyond this. Source: Azure Storage, Authorize with Shared Key: 15 minutes. */
const skewMillis = 15 * 60_000

/** The table: what a failed request means and what to do about it. */
export const reason = (facts: Facts, place: ErrorContext, nowMillis: number): ObjectStoreReason => {
  const { code, status } = facts
  const said = Answer.scrubbed(facts.detail ?? facts.message, place.secrets) || code
  const suffix = `(${[code, status === undefined ? undefined : `HTTP ${status}`, facts.transport, facts.requestId === undefined ? undefined : `request ${facts.requestId}`].filter((part) => part !== undefined).join(", ")})`
  const detail = `${said} ${suffix}`
  const passing = () =>
    new StoreUnavailable({
      detail,
      ...(facts.retryAfterMillis === undefined ? {} : { retryAfterMillis: facts.retryAfterMillis })
    })

  if (code === "ContainerNotFound" || code === "ContainerBeingDeleted" || code === "ContainerDisabled") {
    const advice = `create container ${place.container} in account ${place.account}, or correct storage.azure.container`
    return new TargetMissing({ detail: `there is no container ${place.container} ${suffix}`, advice })
  }
  if (code === "ResourceNotFound" && place.key === undefined) {
    const advice = `check accountName ${place.account}, container ${place.container} and the endpoint ${place.service}`
    return new TargetMissing({ detail: `the blob service does not know what we ask for ${suffix}`, advice })
  }
  if (facts.transport === "ENOTFOUND") {
    const advice = `check accountName ${place.account} (a new account's name takes minutes to be known), the endpoint for sovereign clouds, and the DNS of the cluster`
    return new TargetMissing({ detail: `no such host: ${new URL(place.service).host} ${suffix}`, advice })
  }
  if (code === "AccountIsDisabled" || code === "AccountBeingCreated") {
    return new TargetMissing({ detail, advice: `account ${place.account} is not in service: see the Azure portal` })
  }
  const isSkewed =
    /date header|request date/iu.test(facts.detail ?? "") ||
    (code === "AuthenticationFailed" &&
      facts.serverMillis !== undefined &&
      Math.abs(facts.serverMillis - nowMillis) > skewMillis)
  if (isSkewed || code === "AADSTS700024" || code === "AADSTS700023") {
    const advice = "set the clock of the node (NTP): requests and tokens carry the time"
    return new Misconfigured({ detail: `our clock is refused: ${said} ${suffix}`, advice })
  }
  if (place.sasEndMillis !== undefined && place.sasEndMillis <= nowMillis && (status === 403 || status === 401)) {
    const ended = new Date(place.sasEndMillis).toISOString()
    return new StorageAuthenticationFailed({
      detail: `${who(place.credentials)} ended at ${ended} ${suffix}`,
      advice: identityAdvice(place.credentials)
    })
  }
  if (code === "UnauthorizedBlobOverwrite" && place.ifAbsent === true && place.key !== undefined) {
    // A token with c and without w: it may create, so what refuses it is that the blob is there.
    return new ObjectExists({ key: place.key })
  }
  if (passingEntra.has(code)) return passing()
  if (identityCodes.has(code) || code.startsWith("AADSTS") || (status === 401 && !permissionCodes.has(code))) {
    // The identity service's own bad minutes come as the same error.
    if (Answer.isPassing(status)) return passing()
    return new StorageAuthenticationFailed({
      detail: `${who(place.credentials)} is refused: ${said} ${suffix}`,
      advice: identityAdvice(place.credentials)
    })
  }
  if (digestCodes.has(code)) return new ContentMismatch({ key: place.key ?? place.container, detail })
  if (lockedCodes.has(code)) {
    const advice =
      "the container keeps what is written for a while (immutability policy, legal hold, lease or snapshots): align it with the retention of backups"
    return new StorageAuthorizationFailed({
      detail: `${place.key ?? place.container} is locked: ${said} ${suffix}`,
      advice
    })
  }
  if (code === "BlobArchived" || code === "BlobBeingRehydrated") {
    return new Misconfigured({ detail, advice: "the blob was moved to the archive tier: rehydrate it first" })
  }
  // Another writer's commit has thrown away the blocks that we had staged: the next attempt stages them again.
  if (code === "InvalidBlockList" || code === "ServerBusy" || Answer.isPassing(status)) return passing()
  if (code === "AccountLimitExceeded" || status === 507) return new OutOfSpace({ detail })
  if (permissionCodes.has(code) || status === 403) {
    return new StorageAuthorizationFailed({
      detail: `access to container ${place.container} was refused: ${said} ${suffix}`,
      advice: permissionAdvice(place)
    })
  }
  if (place.key !== undefined && (code === "BlobNotFound" || status === 404))
    return new ObjectNotFound({ key: place.key })
  if (place.key !== undefined && (existsCodes.has(code) || status === 412)) {
    return place.operation === "put"
      ? new ObjectExists({ key: place.key })
      : new ContentMismatch({ key: place.key, detail: "it was replaced while it was read" })
  }
  if (facts.transport !== undefined && Answer.isCertificateFailure(facts.transport)) {
    const advice = "check http or https in the endpoint, and trust its certificate authority (NODE_EXTRA_CA_CERTS)"
    return new Misconfigured({ detail: `no connection to ${place.service}: ${said} ${suffix}`, advice })
  }
  if (status !== undefined && status >= 400) {
    const advice = "the store does not accept this request: check endpoint, account, container and prefix"
    return new Misconfigured({ detail, advice })
  }
  return new StoreUnavailable({ detail: `no proper answer from ${place.service}: ${said} ${suffix}` })
}

/** The one translation of what the SDK and the identity library threw. */
export const from = (error: unknown, place: ErrorContext, nowMillis: number): ObjectStoreError =>
  error instanceof ObjectStoreError ? error : of(reason(facts(error, nowMillis), place, nowMillis), place)

export const of = (reason: ObjectStoreReason, place: Pick<ErrorContext, "operation" | "location">): ObjectStoreError =>
  new ObjectStoreError({ operation: place.operation, location: place.location, reason })
