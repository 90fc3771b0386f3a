import * as Answer from "../cloud/Answer.ts"
import * as Failure from "../cloud/Failure.ts"
import {
  ContentMismatch,
  Misconfigured,
  ObjectExists,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  type Operation,
  OutOfSpace,
  StorageAuthenticationFailed,
  StorageAuthorizationFailed,
  TargetMissing
} from "../ObjectStoreError.ts"
import type { AzureCredentials } from "../StorageTarget.ts"
import * as Storing from "./Storing.ts"

export { of } from "../cloud/Failure.ts"

/** `code` is the service's (`BlobNotFound`), Entra's (`AADSTS7000215`), or the error's name. */
export interface Facts extends Failure.Facts {
  /** Why authentication failed, where the service says it. */
  readonly detail?: string
  /** The server's clock, in milliseconds since 1970. */
  readonly serverMillis?: number
}

export interface ErrorContext extends Failure.ErrorContext {
  readonly account: string
  readonly container: string
  /** Address of the blob service. */
  readonly service: string
  readonly credentials: AzureCredentials
  /** When the SAS token says that it ends, in milliseconds since 1970. */
  readonly sasEndMillis?: number
  readonly ifAbsent?: boolean
  /** What an upload asks for beside storing the bytes. */
  readonly storing?: string
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
  const isPage = Answer.isPage(header("content-type"))
  const retryAfterMillis = Answer.retryAfterMillis(header("retry-after"), nowMillis)
  const serverMillis = Date.parse(header("date") ?? "")
  const requestId = header("x-ms-request-id")
  return {
    code,
    // What follows repeats the request's id and time, and of signatures the string that was signed.
    message: isPage
      ? Answer.pageMessage(Answer.text(Answer.field(response, "bodyAsText")) ?? message)
      : (message.split("\n")[0] ?? ""),
    ...(isPage ? { isPage } : {}),
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
const permissionAdvice = (context: ErrorContext): string => {
  switch (context.credentials._tag) {
    case "AccountKey":
      return `check Secret ${context.credentials.origin.secret}, key ${context.credentials.origin.keys[0]}; an account key has every permission, so if the key is right, a network rule of account ${context.account} blocks this address`
    case "SasToken":
      return `the SAS token of Secret ${context.credentials.origin.secret}, key ${context.credentials.origin.keys[0]}, needs permission ${sasLetter[context.operation]} on container ${context.container} (racwdl in all), and must allow this address and protocol`
    case "ServicePrincipal":
    case "WorkloadIdentity":
    case "Platform":
      return `assign the role Storage Blob Data Contributor on container ${context.container} to ${who(context.credentials)}; a new assignment takes up to ten minutes`
  }
}

const words = (context: ErrorContext): Failure.Words => ({
  subject:
    context.key === undefined ? `container ${context.container}` : `${context.key} in container ${context.container}`,
  service: context.service,
  who: who(context.credentials),
  identityAdvice: identityAdvice(context.credentials),
  permissionAdvice: permissionAdvice(context),
  settings: `endpoint, accountName ${context.account} (the name of a new account takes minutes to be known), container and prefix`,
  trustAdvice: "check http or https in the endpoint, and trust its certificate authority (NODE_EXTRA_CA_CERTS)"
})

/** Entra's codes that mean waiting helps. Source: Microsoft Entra authentication and authorization error codes. */
const passingEntra = ["AADSTS90033", "AADSTS50196", "AADSTS90055", "AADSTS500138"]
/** Another writer's commit has thrown away the blocks that we had staged: the next attempt stages them again. */
const passingCodes = new Set([...passingEntra, "InvalidBlockList", "ServerBusy"])
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
/** A 404 without one of these is not said by the blob service, but by whatever stands before it. */
const absentCodes = new Set(["BlobNotFound", "ResourceNotFound", "PathNotFound"])
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
export const reason = (given: Facts, context: ErrorContext, nowMillis: number): ObjectStoreReason => {
  const facts = given.detail === undefined ? given : { ...given, message: given.detail }
  const { code, status } = facts
  const { account, container, credentials, key, sasEndMillis, service } = context
  const said = Failure.said(facts, context)
  const suffix = Failure.suffix(facts)
  const detail = `${said} ${suffix}`
  const ours = words(context)

  if (code === "ContainerNotFound" || code === "ContainerBeingDeleted" || code === "ContainerDisabled") {
    const advice = `create container ${container} in account ${account}, or correct storage.azure.container`
    return new TargetMissing({ detail: `container ${container} does not exist ${suffix}`, advice })
  }
  if (code === "ResourceNotFound" && key === undefined) {
    const advice = `check accountName ${account}, container ${container} and the endpoint ${service}`
    return new TargetMissing({ detail: `the blob service does not know this request ${suffix}`, advice })
  }
  if (code === "AccountIsDisabled" || code === "AccountBeingCreated") {
    return new TargetMissing({ detail, advice: `account ${account} is disabled: see the Azure portal` })
  }
  const isSkewed =
    /date header|request date/iu.test(facts.detail ?? "") ||
    (code === "AuthenticationFailed" &&
      facts.serverMillis !== undefined &&
      Math.abs(facts.serverMillis - nowMillis) > skewMillis)
  if (isSkewed || code === "AADSTS700024" || code === "AADSTS700023") {
    const advice = "set the clock of the node (NTP): requests and tokens carry the time"
    return new Misconfigured({ detail: `the clock of this machine is refused: ${said} ${suffix}`, advice })
  }
  if (sasEndMillis !== undefined && sasEndMillis <= nowMillis && (status === 403 || status === 401)) {
    const ended = new Date(sasEndMillis).toISOString()
    return new StorageAuthenticationFailed({
      detail: `${who(credentials)} expired at ${ended} ${suffix}`,
      advice: identityAdvice(credentials)
    })
  }
  if (code === "UnauthorizedBlobOverwrite" && context.ifAbsent === true && key !== undefined) {
    // A token with c and without w: it may create, so what refuses it is that the blob is there.
    return new ObjectExists({ key })
  }
  // Before identities: the identity service's own bad minutes come with the codes of refusals.
  if (passingCodes.has(code) || Answer.isPassing(status)) return Failure.unavailable(facts, detail)
  // Azurite says so of a wrong key, with the code of a missing permission.
  const isUnknown = code === "AuthorizationFailure" && /failed to authenticate/iu.test(facts.message)
  if (isUnknown || identityCodes.has(code) || code.startsWith("AADSTS")) return Failure.unknown(facts, context, ours)
  if (digestCodes.has(code)) return new ContentMismatch({ key: key ?? container, detail })
  if (lockedCodes.has(code)) {
    const advice =
      "the container protects its blobs from deletion (immutability policy, legal hold, lease or snapshots): align its policy with the retention of backups"
    const subject = key ?? container
    // A lease or a snapshot belongs to somebody else, who may end it at any time.
    if (/^(Blob|Container)Immutable/u.test(code)) return Failure.locked(facts, context, subject, advice)
    return new StorageAuthorizationFailed({ detail: `${subject} is locked: ${said} ${suffix}`, advice })
  }
  if (code === "BlobArchived" || code === "BlobBeingRehydrated") {
    return new Misconfigured({ detail, advice: "the blob was moved to the archive tier: rehydrate it first" })
  }
  const storing = Storing.refusal(facts, context.operation, context.storing, detail)
  if (storing !== undefined) return storing
  if (code === "AccountLimitExceeded") return new OutOfSpace({ detail })
  if (permissionCodes.has(code)) return Failure.forbidden(facts, context, ours)
  if (absentCodes.has(code) && key !== undefined) return new ObjectNotFound({ key })
  if (code === "BlobAlreadyExists" && key !== undefined) return new ObjectExists({ key })
  return Failure.reason(facts, context, ours)
}

/** The one translation of what the SDK and the identity library threw. */
export const from = (error: unknown, context: ErrorContext, nowMillis: number): ObjectStoreError =>
  error instanceof ObjectStoreError ? error : Failure.of(reason(facts(error, nowMillis), context, nowMillis), context)
