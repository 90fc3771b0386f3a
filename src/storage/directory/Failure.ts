import {
  ContentMismatch,
  Misconfigured,
  ObjectNotFound,
  ObjectStoreError,
  type ObjectStoreReason,
  type Operation,
  OutOfSpace,
  StorageAuthorizationFailed,
  StoreUnavailable,
  TargetMissing
} from "../ObjectStoreError.ts"

/** Thrown inside the directory backend where the reason is known already; never leaves it. */
export class Refusal extends Error {
  readonly reason: ObjectStoreReason
  constructor(reason: ObjectStoreReason) {
    super(reason.message)
    this.reason = reason
  }
}

export const errorCode = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** The thing, or something above it, is not there. */
export const isMissing = (cause: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(errorCode(cause))

/** What failed, for a person. */
export interface ErrorContext {
  readonly operation: Operation
  readonly location: string
  /** The key, or for `open` and `list` the directory. */
  readonly key: string
}

/** The user of this process, as the owner of a directory is named. */
const user = (): string => String(process.getuid?.() ?? "of this process")

const reasonOf = (cause: unknown, { operation, location, key }: ErrorContext): ObjectStoreReason => {
  if (cause instanceof Refusal) return cause.reason
  const code = errorCode(cause)
  const detail = `${key}: ${cause instanceof Error ? cause.message : String(cause)}`
  switch (code) {
    case "ENOSPC":
      return new OutOfSpace({ detail: `no space left for ${key}`, cause })
    case "EDQUOT":
      return new OutOfSpace({ detail: `the disk quota does not allow ${key}`, cause })
    case "EROFS": {
      const advice =
        "mount the volume read-write: the claim, the volume or the mount says readOnly, or the kernel remounted the disk read-only after an error"
      return new StorageAuthorizationFailed({
        detail: `${location} is mounted read-only`,
        advice,
        notFromStore: "answer",
        cause
      })
    }
    case "EACCES":
    case "EPERM": {
      const advice = `let user ${user()} read and write there: change the owner or the mode of the directory on the volume`
      return new StorageAuthorizationFailed({ detail, advice, cause })
    }
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
      // The root was looked at: directories below it came and went faster than we could write.
      if (operation === "put" && code === "ENOENT") return new StoreUnavailable({ detail, cause })
      if (operation === "put") {
        const advice = "use another name: a key must not be the beginning of another one followed by a slash"
        return new Misconfigured({ detail, advice, cause })
      }
      return operation === "open" || operation === "list"
        ? new TargetMissing({ detail, advice: "check the volume and its sub-path", cause })
        : new ObjectNotFound({ key })
    case "ELOOP":
    case "ENAMETOOLONG":
    case "EINVAL":
    case "EILSEQ":
    case "EFBIG":
      return new Misconfigured({
        detail,
        advice: "the file system does not allow this name or size: use another one",
        cause
      })
    case "EIO":
      return operation === "get" || operation === "read"
        ? new ContentMismatch({ key, detail: "the disk cannot read the file", cause })
        : new StoreUnavailable({ detail, cause })
    default:
      return new StoreUnavailable({ detail, cause })
  }
}

/** The one translation of what the file system said. */
export const from = (cause: unknown, place: ErrorContext): ObjectStoreError =>
  new ObjectStoreError({ operation: place.operation, location: place.location, reason: reasonOf(cause, place) })
