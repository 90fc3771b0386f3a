import { Schema } from "effect"

const detail = { detail: Schema.String }

/** 404: the object, its namespace, or (with `isKindMissing`) the CRD itself. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", {
  ...detail,
  /** The API server does not know this kind at all: the CRD is not installed. */
  isKindMissing: Schema.Boolean
}) {}

/** 409 on create: an object of this name exists already. */
export class AlreadyExists extends Schema.TaggedError<AlreadyExists>()("AlreadyExists", detail) {}

/**
 * 409 on replace or patch: the object has changed since this resourceVersion, or has another uid. Read and decide
 * again.
 */
export class Conflict extends Schema.TaggedError<Conflict>()("Conflict", detail) {}

/** 410: the resourceVersion or the continue token is too old. */
export class Gone extends Schema.TaggedError<Gone>()("Gone", detail) {}

/** 403: a right is missing, a quota or an admission rule refuses, or the namespace is terminating. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", {
  ...detail,
  /** The namespace is being deleted: no object can be created there. */
  isNamespaceTerminating: Schema.Boolean,
  /** A ResourceQuota has no room: waiting may help. */
  isQuota: Schema.Boolean
}) {}

/** 401: the token or certificate is not accepted, or no longer. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", detail) {}

/** 400, 413, 415 or 422: the server will never accept this request. */
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", detail) {}

/** 429, or 503 with `Retry-After`. */
export class Throttled extends Schema.TaggedError<Throttled>()("Throttled", {
  ...detail,
  /** `Retry-After` in milliseconds; absent when the server sent none. */
  retryAfterMillis: Schema.optionalKey(Schema.Number)
}) {}

/** No answer, half an answer, or 5xx. The request may still have been carried out. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  ...detail,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

export const KubernetesReason = Schema.Union([
  NotFound,
  AlreadyExists,
  Conflict,
  Gone,
  Forbidden,
  Unauthorized,
  Invalid,
  Throttled,
  Unavailable
])
export type KubernetesReason = typeof KubernetesReason.Type

/** What went wrong with one request to the API server. */
export class KubernetesError extends Schema.TaggedError<KubernetesError>()("KubernetesError", {
  /** The request, for people: `create jobs kafka-backup/hourly-1a2b`. */
  request: Schema.String,
  reason: KubernetesReason
}) {
  override get message() {
    return `${this.request}: ${this.reason.detail}`
  }
  /** True when the same request may succeed later although nothing was corrected. */
  get isRetryable(): boolean {
    switch (this.reason._tag) {
      case "Throttled":
      case "Unavailable":
      case "Unauthorized":
      case "Conflict":
      case "Gone":
        return true
      case "Forbidden":
        return this.reason.isQuota
      default:
        return false
    }
  }
}

/** Narrows by reason, for `Effect.catchIf`. */
export const hasReason =
  (...tags: ReadonlyArray<KubernetesReason["_tag"]>) =>
  (error: KubernetesError): boolean =>
    tags.includes(error.reason._tag)
