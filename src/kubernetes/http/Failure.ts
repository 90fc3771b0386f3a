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

/** A failed request, with the facts that decide whether it may be repeated. */
export interface Failed {
  readonly error: KubernetesError
  /** HTTP status; absent when no answer came. */
  readonly status?: number | undefined
}

const CauseBody = Schema.Struct({
  reason: Schema.optionalKey(Schema.String),
  field: Schema.optionalKey(Schema.String)
})

/** The `Status` object in the API server's refusals, with the fields that are read here. */
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

const unknownKind = "the API server does not know this kind: its CustomResourceDefinition is not installed"

const line = (text: string): string => text.replace(/\s+/gu, " ").trim().slice(0, 500)

/** `Retry-After` in whole seconds, the only form that API servers send. */
const seconds = (header: string | undefined): number | undefined =>
  header !== undefined && /^\d+$/u.test(header.trim()) ? Number(header) : undefined

const from = (status: number, body: StatusBody | undefined, text: string, retryAfter?: string): KubernetesReason => {
  const detail = line(body?.message ?? "") || `HTTP ${status}${text.trim() === "" ? "" : `: ${line(text)}`}`
  const causes = body?.details?.causes ?? []
  const blames = (reason: string) => causes.some((cause) => cause.reason === reason)
  // A resourceVersion from the future, as after etcd was restored from a backup: as useless as one that is too old.
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
      // The server refuses a patch with another uid as an attempt to change the uid.
      return causes.some(({ field }) => field === "metadata.uid") ? new Conflict({ detail }) : new Invalid({ detail })
    case 408:
      return new Unavailable({ detail })
    case 429:
    case 503: {
      const wait = seconds(retryAfter) ?? body?.details?.retryAfterSeconds
      if (status === 503 && wait === undefined) return new Unavailable({ detail })
      return new Throttled({ detail, ...(wait === undefined ? {} : { retryAfterMillis: wait * 1000 }) })
    }
    default:
      return status >= 400 && status < 500 ? new Invalid({ detail }) : new Unavailable({ detail })
  }
}

/** The reason for an answer that is not a success. */
export const ofAnswer = (status: number, text: string, retryAfter?: string): KubernetesReason =>
  from(status, Option.getOrUndefined(decodeText(text)), text, retryAfter)

/** The reason in the object of a watch's ERROR event. */
export const ofEvent = (object: unknown): KubernetesReason => {
  const body = Option.getOrUndefined(decode(object))
  return from(body?.code ?? 500, body, "")
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined

/** Node's or undici's code of a broken connection, from anywhere in the chain of causes. */
const code = (error: unknown): string | undefined => {
  for (let at = error, depth = 0; at !== undefined && depth < 5; at = field(at, "cause"), depth++) {
    const found = field(at, "code")
    if (typeof found === "string") return found
  }
  return undefined
}

/** The reason for a connection that failed or broke. */
export const ofTransport = (cause: unknown): KubernetesReason => {
  const text = line(cause instanceof Error ? cause.message : String(cause))
  const parts = [text, code(cause)].filter((part) => part !== undefined && part !== "" && part !== text)
  const detail = text === "" ? (parts[0] ?? "no connection") : parts.length > 1 ? `${text} (${parts[1]})` : text
  return new Unavailable({ detail, cause })
}

/**
 * For a failure that other credentials may cure: whether the request was sent.
 * - `unsent`: the server's certificate was refused here, or the connection was being replaced; nothing was sent.
 * - `uncertain`: TLS broke, as when the server refuses the client certificate; the request may have been sent.
 */
export const curable = (cause: unknown): "unsent" | "uncertain" | undefined => {
  const found = code(cause) ?? ""
  if (/^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|UND_ERR_CLOSED$)/u.test(found)) return "unsent"
  return /^(ERR_TLS_|ERR_SSL_|EPROTO$)/u.test(found) ? "uncertain" : undefined
}
