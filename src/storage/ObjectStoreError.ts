import { Schema } from "effect"
import { type Protection, protectionText } from "./Protection.ts"

const cause = Schema.optionalKey(Schema.Defect())

/**
 * Set where the store itself said nothing: `connection`, no answer arrived; `answer`, something in front of the store
 * answered (a proxy's web page, a redirect). Where the same request has worked before, waiting may help.
 */
const notFromStore = Schema.optionalKey(Schema.Literals(["connection", "answer"]))

/** The key is not there. */
export class ObjectNotFound extends Schema.TaggedError<ObjectNotFound>()("ObjectNotFound", { key: Schema.String }) {
  override get message() {
    return `${this.key} does not exist`
  }
}

/** A create-if-absent write met an object that was already there. */
export class ObjectExists extends Schema.TaggedError<ObjectExists>()("ObjectExists", { key: Schema.String }) {
  override get message() {
    return `${this.key} already exists`
  }
}

/**
 * Set where the store protects the object from removal: a retention policy, a hold, object lock. `untilMillis`, in
 * milliseconds since 1970, is absent where the store names no end; `isHeld`: somebody holds it until he takes that
 * back.
 */
const locked = Schema.optionalKey(
  Schema.Struct({
    untilMillis: Schema.optionalKey(Schema.Number),
    isHeld: Schema.optionalKey(Schema.Literal(true))
  })
)

/**
 * The backend does not know who we are: unknown key id, wrong signature, expired token or SAS, a key file that cannot
 * be used, no identity at all. `advice` names Secret and keys, or the identity of the pod.
 */
export class StorageAuthenticationFailed extends Schema.TaggedError<StorageAuthenticationFailed>()(
  "StorageAuthenticationFailed",
  { detail: Schema.String, advice: Schema.String, notFromStore, cause }
) {
  override get message() {
    return this.detail
  }
}

/**
 * The backend knows who we are and does not permit it, or does not say which of the two it means (a bare 403): `advice`
 * names the missing permission, and where the credentials come from.
 */
export class StorageAuthorizationFailed extends Schema.TaggedError<StorageAuthorizationFailed>()(
  "StorageAuthorizationFailed",
  {
    detail: Schema.String,
    advice: Schema.String,
    notFromStore,
    locked,
    /** Nobody may see whether the object is locked: a policy never allowed it, so newer credentials change nothing. */
    isUnseen: Schema.optionalKey(Schema.Literal(true)),
    cause
  }
) {
  override get message() {
    return this.detail
  }
}

/** Bucket, container, volume or sub-path that does not exist or is not what it should be. */
export class TargetMissing extends Schema.TaggedError<TargetMissing>()("TargetMissing", {
  detail: Schema.String,
  advice: Schema.String,
  notFromStore,
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
  notFromStore,
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
  /** No name server knows the store's host: an outage, or a mistake in the resource. */
  isUnknownHost: Schema.optionalKey(Schema.Boolean),
  /** What to do if waiting does not help. */
  ifItLasts: Schema.optionalKey(Schema.String),
  cause
}) {
  override get message() {
    return this.detail
  }
}

export const ObjectStoreReason = Schema.Union([
  ObjectNotFound,
  ObjectExists,
  StorageAuthenticationFailed,
  StorageAuthorizationFailed,
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
      case "StorageAuthenticationFailed":
      case "StorageAuthorizationFailed":
      case "TargetMissing":
      case "Misconfigured":
        return this.reason.advice
      case "OutOfSpace":
        return "free space or enlarge the volume; stored backups are untouched"
      case "ContentMismatch":
        return "the bytes were altered in transit or in the store: check the store and any proxy in front of it"
      case "StoreUnavailable":
        return `the store is not available; repeat the run: it resumes where it stopped${
          this.reason.ifItLasts === undefined ? "" : `; if this lasts, ${this.reason.ifItLasts}`
        }`
      case "ObjectNotFound":
        return "it was removed, or never stored: kafka-backup list shows the backups that exist, and kafka-backup verify names everything that a backup lacks"
      case "ObjectExists":
        return "another writer created it first; nothing was overwritten"
    }
  }
}

/** The store protects the object from being removed or replaced, for now. */
export const isLocked = (
  error: unknown
): error is ObjectStoreError & { readonly reason: StorageAuthorizationFailed & { readonly locked: object } } =>
  error instanceof ObjectStoreError &&
  error.reason._tag === "StorageAuthorizationFailed" &&
  error.reason.locked !== undefined

/** What protects the object, in words; undefined unless it `isLocked`. */
export const lockedText = (error: unknown): string | undefined =>
  isLocked(error) ? protectionText(error.reason.locked) : undefined

/**
 * The object is locked, though the server would let it be hidden: it keeps the bytes as an earlier version.
 */
export const stillLocked = (subject: string, protection: Protection, advice: string): ObjectStoreReason =>
  new StorageAuthorizationFailed({
    detail: `${subject} is ${protectionText(protection)}`,
    advice: protection.isHeld === true ? "whoever has placed the hold removes it when the object may go" : advice,
    locked: protection
  })

/** What was asked of the store when it failed. */
export type Operation = ObjectStoreError["operation"]

/** For `Effect.catchIf` and the like: a failure of a store, for this reason. */
export const isReason =
  <Tag extends ObjectStoreReason["_tag"]>(tag: Tag) =>
  (
    error: unknown
  ): error is ObjectStoreError & { readonly reason: Extract<ObjectStoreReason, { readonly _tag: Tag }> } =>
    error instanceof ObjectStoreError && error.reason._tag === tag
