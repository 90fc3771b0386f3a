import * as Answer from "../../../src/storage/cloud/Answer.ts"
import * as Failure from "../../../src/storage/cloud/Failure.ts"
import {
  ContentMismatch,
  Misconfigured,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  TargetMissing
} from "../../../src/storage/ObjectStoreError.ts"
import type { CredentialsOrigin } from "../../../src/storage/StorageTarget.ts"

/** An answer that is not the wished one. */
export class Refused extends Error {
  override readonly name = "Refused"
  readonly status: number
  readonly retryAfter: unknown
  readonly code: string | undefined
  readonly isPage: boolean
  constructor(status: number, retryAfter: unknown, body: string) {
    const told = /^\{"code":"([^"]*)","message":"([^"]*)"\}$/u.exec(body)
    super(told?.[2] ?? `HTTP ${status}`)
    this.status = status
    this.isPage = body.startsWith("<")
    this.retryAfter = retryAfter
    this.code = told?.[1]
  }
}

export interface ErrorContext extends Failure.ErrorContext {
  readonly collection: string
  readonly endpoint: string
  readonly origin: CredentialsOrigin
}

/** Reads the facts off whatever a request ended with. */
export const facts = (error: unknown, nowMillis: number): Failure.Facts => {
  const refused = error instanceof Refused ? error : undefined
  const isPage = refused?.isPage === true
  const transport = refused === undefined ? Answer.transportCode(error) : undefined
  const retryAfterMillis = Answer.retryAfterMillis(refused?.retryAfter, nowMillis)
  return {
    code: refused?.code ?? (error instanceof Error ? error.name : "Unknown"),
    message: error instanceof Error ? error.message : String(error),
    ...(isPage ? { isPage } : {}),
    ...(refused === undefined ? {} : { status: refused.status }),
    ...(transport === undefined ? {} : { transport }),
    ...(retryAfterMillis === undefined ? {} : { retryAfterMillis })
  }
}

/** The table: what this server's own codes mean. */
export const reason = (told: Failure.Facts, context: ErrorContext): ObjectStoreReason => {
  const { collection, endpoint, key, origin } = context
  const secret = `Secret ${origin.secret}, key ${origin.keys[0]}`
  const words: Failure.Words = {
    subject: key === undefined ? `collection ${collection}` : `${key} in collection ${collection}`,
    service: endpoint,
    who: `the token of Secret ${origin.secret}`,
    identityAdvice: `put a token that is valid now into ${secret}`,
    permissionAdvice: `let the token of ${secret} do this in collection ${collection}`,
    settings: "endpoint, collection and prefix",
    trustAdvice: "check http or https in the endpoint, and trust its certificate authority (NODE_EXTRA_CA_CERTS)"
  }
  const detail = `${words.subject}: ${Failure.said(told, context)} ${Failure.suffix(told)}`
  switch (told.code) {
    case "NoSuchObject":
      return key === undefined ? Failure.reason(told, context, words) : new ObjectNotFound({ key })
    case "NoSuchCollection":
      return new TargetMissing({ detail, advice: `create collection ${collection}, or correct its name` })
    case "DigestMismatch":
      return new ContentMismatch({ key: key ?? collection, detail })
    case "WrongTime":
      return new Misconfigured({ detail, advice: "set the clock of the node (NTP)" })
    default:
      return Failure.reason(told, context, words)
  }
}

/** The one translation. */
export const from = (error: unknown, context: ErrorContext, nowMillis: number): ObjectStoreError =>
  error instanceof ObjectStoreError ? error : Failure.of(reason(facts(error, nowMillis), context), context)
