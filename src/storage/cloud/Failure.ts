import { Effect } from "effect"
import {
  ContentMismatch,
  Misconfigured,
  ObjectExists,
  ObjectStoreError,
  type ObjectStoreReason,
  type Operation,
  OutOfSpace,
  StorageAuthenticationFailed,
  StorageAuthorizationFailed,
  StoreUnavailable,
  TargetMissing
} from "../ObjectStoreError.ts"
import * as Answer from "./Answer.ts"

/*
 * What failures of a store over HTTP have in common. Every backend has a table of its own for the codes that its server
 * uses; whatever that table does not know is decided here, by status and connection, so that one fault has one meaning.
 */

/** Where a request failed, for the message and its advice; a backend adds what its own advice names. */
export interface ErrorContext {
  readonly operation: Operation
  readonly location: string
  /** Absent where no single object is meant. */
  readonly key?: string
  /** How many bytes of content the request carried. */
  readonly bytes?: number
  /** Strings that no message may quote. */
  readonly secrets: ReadonlyArray<string>
}

/**
 * What is worth knowing of a failed request; everything else of a library's error, which may quote credentials, is
 * dropped.
 */
export interface Facts {
  /** The server's own code (`NoSuchKey`, `BlobNotFound`), or the error's name. */
  readonly code: string
  /** HTTP status; absent when no answer came. */
  readonly status?: number
  readonly message: string
  /** Node's code for a broken connection: ECONNREFUSED, ENOTFOUND, CERT_HAS_EXPIRED. */
  readonly transport?: string
  readonly retryAfterMillis?: number
  readonly requestId?: string
  /** A web page arrived: something in front of the store answered. */
  readonly isPage?: boolean
}

/** What a backend calls the things that every message names. */
export interface Words {
  /** What was asked for: `set/a in bucket kafka-backups`. */
  readonly subject: string
  /** Who should have answered: an address, or words where there is more than one. */
  readonly service: string
  /** Who we said we are: `the account key of Secret azure-credentials`. */
  readonly who: string
  /** Where to look when the store does not know us. */
  readonly identityAdvice: string
  /** What to grant when it knows us. */
  readonly permissionAdvice: string
  /** The settings that say where the store is: `endpoint, bucket and prefix`. */
  readonly settings: string
  /** How to have the store's certificate trusted. */
  readonly trustAdvice: string
}

export const of = (
  reason: ObjectStoreReason,
  { location, operation }: Pick<ErrorContext, "operation" | "location">
): ObjectStoreError => new ObjectStoreError({ operation, location, reason })

/** Fails where there is a reason to. */
export const unless = (
  reason: ObjectStoreReason | undefined,
  at: Pick<ErrorContext, "operation" | "location">
): Effect.Effect<void, ObjectStoreError> => (reason === undefined ? Effect.void : Effect.fail(of(reason, at)))

/** The server's own words, without secrets. */
export const said = ({ code, message }: Facts, { secrets }: Pick<ErrorContext, "secrets">): string =>
  Answer.scrubbed(message, secrets) || code

/** For the end of a message: `(SlowDown, HTTP 503, request 4711)`. */
export const suffix = ({ code, requestId, status, transport }: Facts): string => {
  const parts = [
    code,
    status === undefined ? undefined : `HTTP ${status}`,
    transport === code ? undefined : transport,
    requestId === undefined ? undefined : `request ${requestId}`
  ]
  return `(${parts.filter((part) => part !== undefined).join(", ")})`
}

export const unavailable = ({ retryAfterMillis }: Facts, detail: string): StoreUnavailable =>
  new StoreUnavailable({ detail, ...(retryAfterMillis === undefined ? {} : { retryAfterMillis }) })

/** For a reason: whether the store itself said so. Without a status, no server of the store did. */
export const notFromStore = ({ isPage, status }: Pick<Facts, "isPage" | "status">) =>
  status === undefined
    ? ({ notFromStore: "connection" } as const)
    : isPage === true
      ? ({ notFromStore: "answer" } as const)
      : {}

/** The store does not know who we are. */
export const unknown = (facts: Facts, context: ErrorContext, { identityAdvice, who }: Words): ObjectStoreReason =>
  new StorageAuthenticationFailed({
    detail: `the store refuses ${who}: ${said(facts, context)} ${suffix(facts)}`,
    advice: identityAdvice,
    ...notFromStore(facts)
  })

/** The store knows who we are, or does not say whether it does. */
export const forbidden = (facts: Facts, context: ErrorContext, { permissionAdvice, subject }: Words) =>
  new StorageAuthorizationFailed({
    detail: `access to ${subject} was refused: ${said(facts, context)} ${suffix(facts)}`,
    advice: permissionAdvice,
    ...notFromStore(facts)
  })

/**
 * The store keeps the object: until when, if its words say so. What must only be created, and is locked, exists.
 */
export const locked = (
  facts: Facts,
  context: ErrorContext & { readonly ifAbsent?: boolean },
  subject: string,
  advice: string
): ObjectStoreReason => {
  if (context.operation === "put" && context.ifAbsent === true && context.key !== undefined) {
    return new ObjectExists({ key: context.key })
  }
  const untilMillis = Date.parse(/\buntil (\d{4}-\d\d-\d\dT[^\s'"]*\w)/u.exec(facts.message)?.[1] ?? "")
  return new StorageAuthorizationFailed({
    detail: `${subject} is locked: ${said(facts, context)} ${suffix(facts)}`,
    advice,
    locked: Number.isNaN(untilMillis) ? {} : { untilMillis }
  })
}

/** A body of unknown length cannot be read to its end with certainty. */
export const lengthless = (key: string): Misconfigured =>
  new Misconfigured({
    detail: `${key}: the store does not report its length`,
    advice: "let no proxy in front of the store re-encode its answers",
    notFromStore: "answer"
  })

/** What everything else means that a backend's own table does not know. */
export const reason = (facts: Facts, context: ErrorContext, words: Words): ObjectStoreReason => {
  const { status } = facts
  const { key, operation } = context
  const { service, settings } = words
  const detail = `${words.subject}: ${said(facts, context)} ${suffix(facts)}`
  if (Answer.isPassing(status)) return unavailable(facts, detail)
  if (facts.code === "NotUnderstood" || (status !== undefined && status < 300)) {
    const advice = `check ${settings}: a web console, a portal or a proxy seems to answer at that address`
    return new Misconfigured({
      detail: `${service} does not answer like a store: ${detail}`,
      advice,
      notFromStore: "answer"
    })
  }
  if (status === undefined) return unanswered(facts, context, words)
  switch (status) {
    case 401:
      return unknown(facts, context, words)
    case 403:
      return forbidden(facts, context, words)
    case 404: {
      // Not the code with which this store says that an object is absent: whoever answers, it is not our store.
      const advice = `check ${settings}: the server there does not know this request`
      return new TargetMissing({ detail, advice, notFromStore: "answer" })
    }
    case 304:
    case 412:
      if (key === undefined) break
      return operation === "put"
        ? new ObjectExists({ key })
        : new ContentMismatch({ key, detail: "it was replaced while it was read" })
    case 413: {
      const size = context.bytes === undefined ? "a request" : `an object of ${context.bytes} bytes`
      return new Misconfigured({
        detail: `the endpoint ${service} refused ${size} (HTTP 413): ${detail}`,
        advice: "raise the body limit of the proxy or ingress before the store to at least 128 MiB, or switch it off"
      })
    }
    case 507:
      return new OutOfSpace({ detail })
  }
  if (status < 400) {
    const advice = `check ${settings}: use the address of the store itself`
    return new Misconfigured({
      detail: `${service} redirects to another address: ${detail}`,
      advice,
      notFromStore: "answer"
    })
  }
  return new Misconfigured({
    detail,
    advice: `the store rejects this request: check ${settings}`,
    ...notFromStore(facts)
  })
}

/** No answer came, or not to its end. */
const unanswered = (
  facts: Facts,
  context: ErrorContext,
  { service, settings, trustAdvice }: Words
): ObjectStoreReason => {
  const end = `${said(facts, context)} ${suffix(facts)}`
  if (facts.transport !== undefined && Answer.isCertificateFailure(facts.transport)) {
    return new Misconfigured({
      detail: `no connection to ${service}: ${end}`,
      advice: trustAdvice,
      notFromStore: "connection"
    })
  }
  if (facts.transport === "ENOTFOUND") {
    // Names come and go: of a Kubernetes service while none of its pods is ready, of a new account in its first
    // minutes.
    const host = URL.canParse(service) ? new URL(service).host : said(facts, context)
    const detail = `no such host: ${host}; if this lasts, check ${settings}, and the DNS of the cluster ${suffix(facts)}`
    return new StoreUnavailable({ detail, isUnknownHost: true })
  }
  return unavailable(facts, `no valid answer from ${service}: ${end}`)
}
