import { Schema } from "effect"

const cause = Schema.optionalKey(Schema.Defect())

/** The key is not there. */
export class ObjectNotFound extends Schema.TaggedError<ObjectNotFound>()("ObjectNotFound", { key: Schema.String }) {
  override get message() {
    return `${this.key} is not there`
  }
}

/** A create-if-absent write met an object that was already there. */
export class ObjectExists extends Schema.TaggedError<ObjectExists>()("ObjectExists", { key: Schema.String }) {
  override get message() {
    return `${this.key} is there already`
  }
}

/** The backend knows us and says no, or does not know us at all. `advice` names Secret, keys and the missing permission. */
export class AccessRefused extends Schema.TaggedError<AccessRefused>()("AccessRefused", {
  detail: Schema.String,
  advice: Schema.String,
  cause
}) {
  override get message() {
    return this.detail
  }
}

/** Bucket, container, volume or sub-path that does not exist or is not what it should be. */
export class TargetMissing extends Schema.TaggedError<TargetMissing>()("TargetMissing", {
  detail: Schema.String,
  advice: Schema.String,
  cause
}) {
  override get message() {
    return this.detail
  }
}

/** The request cannot work as configured: wrong region, key or path not allowed, unsupported feature. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", {
  detail: Schema.String,
  advice: Schema.String,
  /** What the Secret says now may cure it: the store's certificate is not signed by the authorities that were read. */
  mayBeRenewed: Schema.optionalKey(Schema.Boolean),
  cause
}) {
  override get message() {
    return this.detail
  }
}

/** No room: disk full, quota exceeded. Waiting does not help by itself. */
export class OutOfSpace extends Schema.TaggedError<OutOfSpace>()("OutOfSpace", { detail: Schema.String, cause }) {
  override get message() {
    return this.detail
  }
}

/** What arrived is not what was sent, or what is stored is not what was stored. */
export class ContentMismatch extends Schema.TaggedError<ContentMismatch>()("ContentMismatch", {
  key: Schema.String,
  detail: Schema.String,
  cause
}) {
  override get message() {
    return `${this.key}: ${this.detail}`
  }
}

/** Time-out, throttling, broken connection, 5xx: waiting may help. */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  detail: Schema.String,
  /** What the server asked us to wait (Retry-After), in milliseconds. */
  retryAfterMillis: Schema.optionalKey(Schema.Number),
  cause
}) {
  override get message() {
    return this.detail
  }
}

export const ObjectStoreReason = Schema.Union([
  ObjectNotFound,
  ObjectExists,
  AccessRefused,
  TargetMissing,
  Misconfigured,
  OutOfSpace,
  ContentMismatch,
  StoreUnavailable
])
export type ObjectStoreReason = typeof ObjectStoreReason.Type

/** Every failure of an object store; `reason` says which case, `isRetryable` and `advice` what to do. */
export class ObjectStoreError extends Schema.TaggedError<ObjectStoreError>()("ObjectStoreError", {
  operation: Schema.Literals(["open", "put", "get", "read", "head", "list", "delete"]),
  /** The store's `location`. */
  location: Schema.String,
  reason: ObjectStoreReason
}) {
  override get message() {
    return `${this.location}: ${this.operation}: ${this.reason.message}`
  }
  /** True when waiting may help; retry and circuit breaker both ask this. */
  get isRetryable(): boolean {
    return this.reason._tag === "StoreUnavailable"
  }
  /** The next step for a person. */
  get advice(): string {
    switch (this.reason._tag) {
      case "AccessRefused":
      case "TargetMissing":
      case "Misconfigured":
        return this.reason.advice
      case "OutOfSpace":
        return "free space or enlarge the volume; what was stored before is untouched"
      case "ContentMismatch":
        return "the bytes were altered on the way or at rest: check the store and what stands between it and us"
      case "StoreUnavailable":
        return "the store does not answer properly; the run can be repeated and resumes where it stopped"
      case "ObjectNotFound":
        return "list the backups to see what is there"
      case "ObjectExists":
        return "another writer was first; nothing was overwritten"
    }
  }
}

/** True for a failure with this reason. */
export const isReason =
  <T extends ObjectStoreReason["_tag"]>(tag: T) =>
  (error: unknown): error is ObjectStoreError =>
    error instanceof ObjectStoreError && error.reason._tag === tag
