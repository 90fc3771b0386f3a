import { Option, Schema } from "effect"
import {
  AlreadyExists,
  Conflict,
  Forbidden,
  Gone,
  Invalid,
  type KubernetesError,
  type KubernetesReason,
  NotFound,
  Throttled,
  Unauthorized,
  Unavailable
} from "../KubernetesError.ts"

/** A request that failed, with what decides whether it may be repeated. */
export interface Failed {
  readonly error: KubernetesError
  /** HTTP status; absent when no answer came. */
  readonly status?: number
}

const CauseBody = Schema.Struct({
  reason: Schema.optionalKey(Schema.String),
  field: Schema.optionalKey(Schema.String)
})

/** The `Status` object with which the API server refuses, as far as we read it. */
const StatusBody = Schema.Struct({
  kind: Schema.Literal("Status"),
  code: Schema.optionalKey(Schema.Number),
  reason: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  details: Schema.optionalKey(
    Schema.Struct({
      name: Schema.optionalKey(Schema.String),
      kind: Schema.optionalKey(Schema.String),
      causes: Schema.optionalKey(Schema.Array(CauseBody)),
      retryAfterSeconds: Schema.optionalKey(Schema.Number)
    })
  )
})
type StatusBody = typeof StatusBody.Type

const decode = Schema.decodeUnknownOption(StatusBody)
const decodeText = Schema.decodeUnknownOption(Schema.fromJsonString(StatusBody))

const unknownKind = "the API server does not know this kind: is its CustomResourceDefinition installed?"

const line = (text: string): string => text.replace(/\s+/gu, " ").trim().slice(0, 500)

/** `Retry-After` in whole seconds, the only form in which API servers send it. */
const seconds = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d+$/u.test(header.trim()) ? Number(header) : undefined

const from = (status: number, body: StatusBody | undefined, text: string, retryAfter?: string): KubernetesReason => {
  const detail = line(body?.message ?? "") || `HTTP ${status}${text.trim() === "" ? "" : `: ${line(text)}`}`
  const causes = body?.details?.causes ?? []
  const blames = (reason: string) => causes.some((cause) => cause.reason === reason)
  // From the future, as after etcd was restored from a backup: of as little use as one that is too old.
  if (blames("ResourceVersionTooLarge")) return new Gone({ detail })
  switch (status) {
    case 401:
      return new Unauthorized({ detail })
    case 403:
      return new Forbidden({
        detail,
        isNamespaceTerminating: blames("NamespaceTerminating"),
        isQuota: detail.includes("exceeded quota")
      })
    case 404:
      return body?.details?.name === undefined
        ? new NotFound({ detail: unknownKind, isKindMissing: true })
        : new NotFound({ detail, isKindMissing: false })
    case 409:
      return body?.reason === "AlreadyExists" ? new AlreadyExists({ detail }) : new Conflict({ detail })
    case 410:
      return new Gone({ detail })
    case 422:
      // A patch with another uid in it is refused as an attempt to change the uid.
      return causes.some(({ field }) => field === "metadata.uid") ? new Conflict({ detail }) : new Invalid({ detail })
    case 408:
      return new Unavailable({ detail })
    case 429:
    case 503: {
      const wished = seconds(retryAfter) ?? body?.details?.retryAfterSeconds
      if (status === 503 && wished === undefined) return new Unavailable({ detail })
      return new Throttled({ detail, ...(wished === undefined ? {} : { retryAfterMillis: wished * 1000 }) })
    }
    default:
      return status >= 400 && status < 500 ? new Invalid({ detail }) : new Unavailable({ detail })
  }
}

/** What an answer that is no success means. */
export const ofAnswer = (status: number, text: string, retryAfter?: string): KubernetesReason =>
  from(status, Option.getOrUndefined(decodeText(text)), text, retryAfter)

/** What the object of a watch's ERROR event means. */
export const ofEvent = (object: unknown): KubernetesReason => {
  const body = Option.getOrUndefined(decode(object))
  return from(body?.code ?? 500, body, "")
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

/** Node's or undici's code of a broken connection, wherever in the chain of causes it stands. */
const code = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; at !== undefined && depth < 5; at = field(at, "cause"), depth++) {
    const found = field(at, "code")
    if (typeof found === "string") return found
  }
  return undefined
}

/** What a connection that could not be made, or broke, means. */
export const ofTransport = (cause: unknown): KubernetesReason => {
  const text = line(cause instanceof Error ? cause.message : String(cause))
  const said = [text, code(cause)].filter((part) => part !== undefined && part !== "" && part !== text)
  const detail = text === "" ? (said[0] ?? "no connection") : said.length > 1 ? `${text} (${said[1]})` : text
  return new Unavailable({ detail, cause })
}

/**
 * Where a failure leaves the request, if other credentials may cure it.
 * - `unsent`: we refused the server's certificate, or the connection was just being replaced; nothing was asked.
 * - `uncertain`: TLS broke, as when the server refuses our certificate; the request may have gone out with it.
 */
export const curable = (cause: unknown): "unsent" | "uncertain" | undefined => {
  const found = code(cause) ?? ""
  if (/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|UND_ERR_CLOSED$)/u.test(found)) return "unsent"
  return /^(ERR_TLS_|ERR_SSL_|EPROTO$)/u.test(found) ? "uncertain" : undefined
}
